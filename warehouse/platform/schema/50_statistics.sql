-- The statistics of every report, once, for everyone: limits of counts and proportions by the methods OHID publishes
-- (Fingertips technical guidance; PHEindicatormethods). Confidence is 0.95 or 0.998; for any other the answer is null.
-- What is no count, no rate and no confidence (NaN, infinite, negative, more than there are) has no limit: the answer is null.
-- Counts end at 1e15, from where a double no longer tells halves apart, and long before a product of them overflows. A product or
-- quotient that is too small for a double is an error to PostgreSQL, so none here can be: the limit is 0, or what it tends to.
-- Each that reports call is one expression, so that a report that leaves a column out does not compute it.

create or replace function marts.normal_deviate(confidence double precision) returns double precision
language sql immutable parallel safe
return case
    when confidence = 0.95 then 1.959963984540054
    when confidence = 0.998 then 3.090232306167813
    -- A quotient is no literal: what a caller works out differs in its last digit.
    when abs(confidence - (1 - 0.05 / 4)) < 1e-12 then 2.4977054744123737
    when abs(confidence - (1 - 0.05 / 12)) < 1e-12 then 2.8652602385321333
    when abs(confidence - (1 - 0.05 / 42)) < 1e-12 then 3.2411521655173563
end;
comment on function marts.normal_deviate(double precision) is
'Standard normal deviate of a two-sided confidence: 0.95, 0.998, and 0.95 for the largest of 4, 12 or 42 (Bonferroni: 1 - 0.05 / 42).';

-- Lanczos' approximation (g = 7, nine terms): lgamma() came with PostgreSQL 18.
create or replace function marts.log_gamma(x double precision) returns double precision
language sql immutable parallel safe
return case
    when x between 1e-300 and 1e300
        then
            0.9189385332046727 + (x - 0.5) * ln(x + 6.5) - (x + 6.5) + ln(
                0.99999999999980993 + 676.5203681218851 / x - 1259.1392167224028 / (x + 1) + 771.32342877765313 / (x + 2)
                - 176.61502916214059 / (x + 3) + 12.507343278686905 / (x + 4) - 0.13857109526572012 / (x + 5)
                + 9.9843695780195716e-6 / (x + 6) + 1.5056327351493116e-7 / (x + 7)
            )
end;
comment on function marts.log_gamma(double precision) is 'Natural logarithm of the gamma function, for x > 0; else null.';

create or replace function marts.gamma_probability(shape double precision, x double precision) returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    term double precision;
    total double precision;
    step double precision := 0;
    exponent double precision;
begin
    -- The series grows as exp(x), which a double holds to 709; of a shape below 1e-80 the first term would overflow in the end.
    if not (shape between 1e-80 and 1e15 and x between 0 and 500) then
        return null;
    end if;
    if x = 0 then
        return 0;
    end if;
    exponent := shape * ln(x) - x - marts.log_gamma(shape);
    -- exp() raises an error where its answer is too small for a double.
    if exponent < -700 then
        return 0;
    end if;
    term := 1 / shape;
    total := 1 / shape;
    loop
        -- Beside the first term of so small a mean every other is lost, and might be too small for a double.
        exit when x < 1e-20;
        step := step + 1;
        term := term * x / (shape + step);
        total := total + term;
        exit when term < total * 1e-17;
    end loop;
    return total * exp(exponent);
end
$$;
comment on function marts.gamma_probability(double precision, double precision) is
'Regularised lower incomplete gamma function, by its series: the probability that a Poisson count of mean x is at least shape. For means up to 500; else null.';

create or replace function marts.exact_poisson_limit(count double precision, probability double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := 0;
    high double precision := 200;
    middle double precision;
    logarithm double precision;
begin
    if not (count between 0 and 1000 and probability > 0 and probability < 1) then
        return null;
    end if;
    if count < 1e-80 then
        return 0;
    end if;
    -- Of so small a mean the probability is its series' first term, which halving 200 would never come near to.
    logarithm := (ln(probability) + marts.log_gamma(count + 1)) / count;
    if logarithm < -20 then
        return case when logarithm < -700 then 0 else exp(logarithm) end;
    end if;
    for i in 1 .. 60 loop
        middle := (low + high) / 2;
        if marts.gamma_probability(count, middle) < probability then
            low := middle;
        else
            high := middle;
        end if;
    end loop;
    -- Never brought down: the limit lies beyond where it was looked for.
    if high = 200 then
        return null;
    end if;
    return (low + high) / 2;
end
$$;
comment on function marts.exact_poisson_limit(double precision, double precision) is
'Mean at which a Poisson count is at least count with this probability: half the chi-square quantile of 2 x count degrees. For means below 200; else null.';

create or replace function marts.poisson_lower(count double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when marts.normal_deviate(confidence) is null or not count between 0 and 1e15 then null
    when count >= 10
        then count * (1 - 1 / (9 * count) - marts.normal_deviate(confidence) / (3 * sqrt(count))) ^ 3
    when count <> trunc(count) or confidence not in (0.95, 0.998) then marts.exact_poisson_limit(count, (1 - confidence) / 2)
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
    when marts.normal_deviate(confidence) is null or not count between 0 and 1e15 then null
    when count >= 10
        then
            (count + 1)
            * (1 - 1 / (9 * (count + 1)) + marts.normal_deviate(confidence) / (3 * sqrt(count + 1))) ^ 3
    when count <> trunc(count) or confidence not in (0.95, 0.998) then marts.exact_poisson_limit(count + 1, (1 + confidence) / 2)
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
    when x >= 0 and n > 0 and x <= n and n <= 1e15 and marts.normal_deviate(confidence) is not null
        then greatest(
            0,
            (
                2 * x + marts.normal_deviate(confidence) ^ 2
                - marts.normal_deviate(confidence)
                * sqrt(marts.normal_deviate(confidence) ^ 2 + 4 * x * ((n - x) / n))
            ) / (2 * (n + marts.normal_deviate(confidence) ^ 2))
        )
end;
comment on function marts.wilson_lower(double precision, double precision, double precision) is
'Lower limit of the proportion x / n (0 to 1), by Wilson''s score method.';

create or replace function marts.wilson_upper(x double precision, n double precision, confidence double precision)
returns double precision
language sql immutable parallel safe
return case
    when x >= 0 and n > 0 and x <= n and n <= 1e15 and marts.normal_deviate(confidence) is not null
        then least(
            1,
            (
                2 * x + marts.normal_deviate(confidence) ^ 2
                + marts.normal_deviate(confidence)
                * sqrt(marts.normal_deviate(confidence) ^ 2 + 4 * x * ((n - x) / n))
            ) / (2 * (n + marts.normal_deviate(confidence) ^ 2))
        )
end;
comment on function marts.wilson_upper(double precision, double precision, double precision) is
'Upper limit of the proportion x / n (0 to 1), by Wilson''s score method.';

create or replace function marts.directly_standardised_lower(
    rate double precision, variance double precision, count double precision, confidence double precision
)
returns double precision
language sql immutable parallel safe
return case
    when count >= 10 and rate between 0 and 1e15 and variance between 0 and 1e15
        then rate + sqrt(variance) / sqrt(count) * (marts.poisson_lower(count, confidence) - count)
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
    when count >= 10 and rate between 0 and 1e15 and variance between 0 and 1e15
        then rate + sqrt(variance) / sqrt(count) * (marts.poisson_upper(count, confidence) - count)
end;
comment on function marts.directly_standardised_upper(
    double precision, double precision, double precision, double precision
) is
'Upper limit of a directly standardised rate (Dobson): rate and variance per person, null below 10 events, as the rate itself is withheld.';

-- Exact: given both counts together, the first is binomial. Terms are summed outwards from the count itself, until they add nothing.
create or replace function marts.two_counts_p_value(
    first_count double precision, first_exposure double precision, second_count double precision, second_exposure double precision
)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    n double precision := first_count + second_count;
    k double precision := first_count;
    exposure double precision := first_exposure;
    other_exposure double precision := second_exposure;
    exponent double precision;
    term double precision := 1;
    total double precision := 1;
begin
    if not (
        first_count between 0 and 1e7 and second_count between 0 and 1e7
        and first_count = trunc(first_count) and second_count = trunc(second_count)
        and first_exposure between 1e-15 and 1e15 and second_exposure between 1e-15 and 1e15
    ) then
        return null;
    end if;
    -- The smaller tail is that of the count which exceeds its share: the other's is its mirror image.
    if first_count * second_exposure < second_count * first_exposure then
        k := second_count;
        exposure := second_exposure;
        other_exposure := first_exposure;
    end if;
    exponent := marts.log_gamma(n + 1) - marts.log_gamma(k + 1) - marts.log_gamma(n - k + 1)
    + k * ln(exposure / (exposure + other_exposure)) + (n - k) * ln(other_exposure / (exposure + other_exposure));
    -- exp() raises an error where its answer is too small for a double.
    if exponent < -700 then
        return 0;
    end if;
    while k < n loop
        term := term * (n - k) / (k + 1) * (exposure / other_exposure);
        total := total + term;
        k := k + 1;
        exit when term < total * 1e-17;
    end loop;
    return least(1, 2 * total * exp(exponent));
end
$$;
comment on function marts.two_counts_p_value(double precision, double precision, double precision, double precision) is
'Probability, were the rates of two Poisson counts the same, of counts that differ at least so much: exact conditional binomial test, two-sided (twice the smaller tail, at most 1). Exposures are residents times time, or 1 and 1 for two periods of one length. Whole counts up to 1e7; else null.';

-- A count lies on a funnel's line where its own limit is what was expected. The line is looked for first among whole counts, then
-- between the last on one side and the first on the other: so line and label agree of every whole count, also from 9 to 10, where the
-- exact limits end a little above the first of Byar's.
create or replace function marts.funnel_lower(expected double precision, confidence double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := 0;
    high double precision := ceil(expected);
    middle double precision;
begin
    if marts.normal_deviate(confidence) is null or not (expected > 0 and expected <= 1e14) then
        return null;
    end if;
    if marts.poisson_upper(0, confidence) >= expected then
        return 0;
    end if;
    while high - low > least(1e-9 * expected, 0.5) loop
        middle := (low + high) / 2;
        if high - low > 1 then
            middle := floor(middle);
        end if;
        -- Between whole counts below 10 the limit is exact: it falls short of what is expected where so many or fewer are too rare of that mean.
        if (case
            when middle < 10 and middle <> trunc(middle) then marts.gamma_probability(middle + 1, expected) > (1 + confidence) / 2
            else marts.poisson_upper(middle, confidence) < expected
        end) then
            low := middle;
        else
            high := middle;
        end if;
    end loop;
    return (low + high) / 2;
end
$$;
comment on function marts.funnel_lower(double precision, double precision) is
'Count below which an area lies under the funnel: its upper limit falls short of the count expected at the baseline rate (baseline = sum of numerators / sum of denominators). Agrees with marts.funnel_label of every whole count.';

create or replace function marts.funnel_upper(expected double precision, confidence double precision)
returns double precision
language plpgsql immutable strict parallel safe as $$
declare
    low double precision := 0;
    high double precision;
    middle double precision;
begin
    if marts.normal_deviate(confidence) is null or not (expected > 0 and expected <= 1e14) then
        return null;
    end if;
    high := ceil(2 * expected + 50);
    -- Of next to nothing expected the line is next to nothing, which is never reached by halves.
    while high - low > least(1e-9 * greatest(expected, 1e-6), 0.5) loop
        middle := (low + high) / 2;
        if high - low > 1 then
            middle := floor(middle);
        end if;
        if (case
            when middle < 10 and middle <> trunc(middle) then marts.gamma_probability(middle, expected) < (1 - confidence) / 2
            else marts.poisson_lower(middle, confidence) > expected
        end) then
            high := middle;
        else
            low := middle;
        end if;
    end loop;
    return (low + high) / 2;
end
$$;
comment on function marts.funnel_upper(double precision, double precision) is
'Count above which an area lies over the funnel: its lower limit exceeds the count expected at the baseline rate (baseline = sum of numerators / sum of denominators). Agrees with marts.funnel_label of every whole count.';

create or replace function marts.funnel_label(count double precision, expected double precision) returns text
language sql immutable parallel safe
return case
    when not coalesce(count between 0 and 1e15 and expected > 0 and expected <= 1e14, false) then null
    when marts.poisson_upper(count, 0.998) < expected then 'Low (0.001)'
    when marts.poisson_upper(count, 0.95) < expected then 'Low (0.025)'
    when marts.poisson_lower(count, 0.998) > expected then 'High (0.001)'
    when marts.poisson_lower(count, 0.95) > expected then 'High (0.025)'
    else 'Not significant'
end;
comment on function marts.funnel_label(double precision, double precision) is
'Where a count lies on the funnel round the expected one: Low or High beyond the 95 % (0.025) or 99.8 % (0.001) Poisson limits, else Not significant; null where the count is none or nothing is expected.';
