-- The statistics of every report, once, for everyone: limits of counts and proportions by the methods OHID publishes
-- (Fingertips technical guidance; PHEindicatormethods). Confidence is 0.95 or 0.998; for any other the answer is null.
-- Each is one expression, so that a report that leaves a column out does not compute it.

create or replace function marts.normal_deviate(confidence double precision) returns double precision
language sql immutable parallel safe
return case confidence when 0.95 then 1.959963984540054 when 0.998 then 3.090232306167813 end;
comment on function marts.normal_deviate(double precision) is
'Standard normal deviate of a two-sided confidence of 0.95 or 0.998.';

-- Lanczos' approximation (g = 7, nine terms): lgamma() came with PostgreSQL 18.
create or replace function marts.log_gamma(x double precision) returns double precision
language sql immutable strict parallel safe
return 0.9189385332046727 + (x - 0.5) * ln(x + 6.5) - (x + 6.5) + ln(
    0.99999999999980993 + 676.5203681218851 / x - 1259.1392167224028 / (x + 1) + 771.32342877765313 / (x + 2)
    - 176.61502916214059 / (x + 3) + 12.507343278686905 / (x + 4) - 0.13857109526572012 / (x + 5)
    + 9.9843695780195716e-6 / (x + 6) + 1.5056327351493116e-7 / (x + 7)
);
comment on function marts.log_gamma(double precision) is 'Natural logarithm of the gamma function, for x > 0.';

create or replace function marts.gamma_probability(shape double precision, x double precision) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    term double precision := 1 / shape;
    total double precision := 1 / shape;
    step double precision := 0;
begin
    if x <= 0 then
        return 0;
    end if;
    loop
        step := step + 1;
        term := term * x / (shape + step);
        total := total + term;
        exit when term < total * 1e-17;
    end loop;
    return total * exp(shape * ln(x) - x - marts.log_gamma(shape));
end
$$;
comment on function marts.gamma_probability(double precision, double precision) is
'Regularised lower incomplete gamma function, by its series: the probability that a Poisson count of mean x is at least shape. For small counts.';

create or replace function marts.exact_poisson_limit(count double precision, probability double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := 0;
    high double precision := 200;
    middle double precision;
begin
    if count <= 0 then
        return 0;
    end if;
    for i in 1 .. 60 loop
        middle := (low + high) / 2;
        if marts.gamma_probability(count, middle) < probability then
            low := middle;
        else
            high := middle;
        end if;
    end loop;
    return (low + high) / 2;
end
$$;
comment on function marts.exact_poisson_limit(double precision, double precision) is
'Mean at which a Poisson count is at least count with this probability: half the chi-square quantile of 2 x count degrees. For counts below 20.';

create or replace function marts.poisson_lower(count double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when marts.normal_deviate(confidence) is null or not count >= 0 or count = 'NaN' or count = 'Infinity' then null
    when count >= 10
        then count * (1 - 1 / (9 * count) - marts.normal_deviate(confidence) / (3 * sqrt(count))) ^ 3
    when count <> trunc(count) then marts.exact_poisson_limit(count, (1 - confidence) / 2)
    when confidence = 0.95
        then (
            array[
                0, 0.02531780798429, 0.242209278544, 0.6186721228956, 1.089865373626, 1.623486390118, 2.201894253491,
                2.81436305152, 3.453832176749, 4.115373097378
            ]::double precision[]
        )[count::integer + 1]
    else (
        array[
            0, 0.001000500333584, 0.04540201776949, 0.1905333775684, 0.4285524136284, 0.7393717319178, 1.107104660256,
            1.520336260399, 1.97081392174, 2.452424404364
        ]::double precision[]
    )[count::integer + 1]
end;
comment on function marts.poisson_lower(double precision, double precision) is
'Lower limit of a count: Byar''s from 10, exact Poisson below (0 for 0). Divide by the denominator for a rate''s.';

create or replace function marts.poisson_upper(count double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when marts.normal_deviate(confidence) is null or not count >= 0 or count = 'NaN' or count = 'Infinity' then null
    when count >= 10
        then
            (count + 1)
            * (1 - 1 / (9 * (count + 1)) + marts.normal_deviate(confidence) / (3 * sqrt(count + 1))) ^ 3
    when count <> trunc(count) then marts.exact_poisson_limit(count + 1, (1 + confidence) / 2)
    when confidence = 0.95
        then (
            array[
                3.688879454114, 5.571643390939, 7.224687667724, 8.767273069742, 10.2415886754, 11.66833207932,
                13.05947402252, 14.4226753617, 15.76318922019, 17.08480345142
            ]::double precision[]
        )[count::integer + 1]
    else (
        array[
            6.907755278982, 9.233413476452, 11.22887224241, 13.06224077919, 14.79414922254, 16.45474520368,
            18.0616368402, 19.62617739538, 21.15619816584, 22.65737330906
        ]::double precision[]
    )[count::integer + 1]
end;
comment on function marts.poisson_upper(double precision, double precision) is
'Upper limit of a count: Byar''s from 10, exact Poisson below. Divide by the denominator for a rate''s.';

create or replace function marts.wilson_lower(x double precision, n double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when x >= 0 and n > 0 and x <= n and marts.normal_deviate(confidence) is not null
        then greatest(
            0,
            (
                2 * x + marts.normal_deviate(confidence) ^ 2
                - marts.normal_deviate(confidence)
                * sqrt(marts.normal_deviate(confidence) ^ 2 + 4 * x * (1 - x / n))
            ) / (2 * (n + marts.normal_deviate(confidence) ^ 2))
        )
end;
comment on function marts.wilson_lower(double precision, double precision, double precision) is
'Lower limit of the proportion x / n (0 to 1), by Wilson''s score method.';

create or replace function marts.wilson_upper(x double precision, n double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when x >= 0 and n > 0 and x <= n
        then (
            2 * x + marts.normal_deviate(confidence) ^ 2
            + marts.normal_deviate(confidence)
            * sqrt(marts.normal_deviate(confidence) ^ 2 + 4 * x * (1 - x / n))
        ) / (2 * (n + marts.normal_deviate(confidence) ^ 2))
end;
comment on function marts.wilson_upper(double precision, double precision, double precision) is
'Upper limit of the proportion x / n (0 to 1), by Wilson''s score method.';

create or replace function marts.directly_standardised_lower(
    rate double precision, variance double precision, count double precision, confidence double precision
)
returns double precision
language sql immutable parallel safe
return case
    when count >= 10
        then rate + sqrt(variance / count) * (marts.poisson_lower(count, confidence) - count)
end;
comment on function marts.directly_standardised_lower(
    double precision, double precision, double precision, double precision
) is
'Lower limit of a directly standardised rate (Dobson): rate and variance per person, null below 10 events, as the rate itself is withheld.';

create or replace function marts.directly_standardised_upper(
    rate double precision, variance double precision, count double precision, confidence double precision
)
returns double precision
language sql immutable parallel safe
return case
    when count >= 10
        then rate + sqrt(variance / count) * (marts.poisson_upper(count, confidence) - count)
end;
comment on function marts.directly_standardised_upper(
    double precision, double precision, double precision, double precision
) is
'Upper limit of a directly standardised rate (Dobson): rate and variance per person, null below 10 events, as the rate itself is withheld.';

-- A count lies on a funnel's line where its own limit is what was expected, so lines and labels never contradict each other.
create or replace function marts.funnel_lower(expected double precision, confidence double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := 0;
    high double precision := expected;
    middle double precision;
begin
    if marts.normal_deviate(confidence) is null or not expected > 0 or expected in ('NaN', 'Infinity') then
        return null;
    end if;
    if marts.poisson_upper(0, confidence) >= expected then
        return 0;
    end if;
    for i in 1 .. 50 loop
        middle := (low + high) / 2;
        if marts.poisson_upper(middle, confidence) < expected then
            low := middle;
        else
            high := middle;
        end if;
        exit when high - low < 1e-9 * expected;
    end loop;
    return (low + high) / 2;
end
$$;
comment on function marts.funnel_lower(double precision, double precision) is
'Count below which an area lies under the funnel: its upper limit falls short of the count expected at the baseline rate (baseline = sum of numerators / sum of denominators).';

create or replace function marts.funnel_upper(expected double precision, confidence double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := expected;
    high double precision := 2 * expected + 50;
    middle double precision;
begin
    if marts.normal_deviate(confidence) is null or not expected > 0 or expected in ('NaN', 'Infinity') then
        return null;
    end if;
    for i in 1 .. 60 loop
        middle := (low + high) / 2;
        if marts.poisson_lower(middle, confidence) < expected then
            low := middle;
        else
            high := middle;
        end if;
        exit when high - low < 1e-9 * expected;
    end loop;
    return (low + high) / 2;
end
$$;
comment on function marts.funnel_upper(double precision, double precision) is
'Count above which an area lies over the funnel: its lower limit exceeds the count expected at the baseline rate (baseline = sum of numerators / sum of denominators).';

create or replace function marts.funnel_label(count double precision, expected double precision) returns text
language sql immutable parallel safe
return case
    when count is null or expected is null or not expected > 0 then null
    when marts.poisson_upper(count, 0.998) < expected then 'Low (0.001)'
    when marts.poisson_upper(count, 0.95) < expected then 'Low (0.025)'
    when marts.poisson_lower(count, 0.998) > expected then 'High (0.001)'
    when marts.poisson_lower(count, 0.95) > expected then 'High (0.025)'
    else 'Not significant'
end;
comment on function marts.funnel_label(double precision, double precision) is
'Where a count lies on the funnel round the expected one: Low or High beyond the 95 % (0.025) or 99.8 % (0.001) Poisson limits, else Not significant.';
