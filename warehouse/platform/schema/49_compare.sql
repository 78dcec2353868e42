-- Which figures differ between two releases, by how much and why. Only what began or ended between the two is looked at: the rest is the same.
create or replace function marts.compare_releases(before_release bigint, after_release bigint)
returns table (
    measure_code text, area_code text, period_kind text, period_start_date date, period_end_date date, sex text, age_band text,
    ethnicity text, value_before numeric, value_after numeric, difference numeric, difference_percent numeric, why text,
    edition_before text, edition_after text
)
language plpgsql stable parallel safe as $$
declare
    first bigint := least(before_release, after_release);
    last bigint := greatest(before_release, after_release);
begin
    if to_regclass('marts_history.fct_measure') is null then
        raise exception 'nothing has been published yet';
    end if;
    return query
    with moved as materialized (
        select
            m.*,
            m.valid_from_release_id <= before_release and coalesce(m.valid_to_release_id > before_release, true) as stood_before,
            m.valid_from_release_id <= after_release and coalesce(m.valid_to_release_id > after_release, true) as stands_after
        from marts_history.fct_measure as m
        where m.valid_from_release_id between first + 1 and last or m.valid_to_release_id between first + 1 and last
    ),

    newest as (
        select m.measure_code, m.period_kind, max(m.period_start_date) as period_start_date
        from marts_history.fct_measure as m
        where m.valid_from_release_id <= before_release and coalesce(m.valid_to_release_id > before_release, true)
        group by m.measure_code, m.period_kind
    ),

    found_break as (
        select s.measure_code, s.area_code, s.break_month from marts_history.series_break as s
        where
            s.valid_from_release_id <= after_release and coalesce(s.valid_to_release_id > after_release, true)
            and not exists (
                select from marts_history.series_break as o
                where
                    o.series_break_id = s.series_break_id and o.valid_from_release_id <= before_release
                    and coalesce(o.valid_to_release_id > before_release, true)
            )
    ),

    paired as (
        select
            coalesce(a.measure_code, b.measure_code) as measure_code,
            coalesce(a.area_code, b.area_code) as area_code,
            coalesce(a.period_kind, b.period_kind) as period_kind,
            coalesce(a.period_start_date, b.period_start_date) as period_start_date,
            coalesce(a.period_end_date, b.period_end_date) as period_end_date,
            coalesce(a.sex, b.sex) as sex,
            coalesce(a.age_band, b.age_band) as age_band,
            coalesce(a.ethnicity, b.ethnicity) as ethnicity,
            b.value as value_before,
            a.value as value_after,
            b.measure_code is not null as was_there,
            a.measure_code is not null as is_there,
            b.source_release as edition_before,
            a.source_release as edition_after
        from (select * from moved where stood_before) as b
        full join (select * from moved where stands_after) as a
            on
                b.measure_code = a.measure_code and b.area_code = a.area_code and b.period_kind = a.period_kind
                and b.period_start_date = a.period_start_date and b.sex = a.sex and b.age_band = a.age_band and b.ethnicity = a.ethnicity
        where b.value is distinct from a.value
    )

    select
        p.measure_code, p.area_code, p.period_kind, p.period_start_date, p.period_end_date, p.sex, p.age_band, p.ethnicity,
        p.value_before::numeric, p.value_after::numeric, (p.value_after - p.value_before)::numeric,
        round((100 * (p.value_after - p.value_before) / nullif(p.value_before, 0))::numeric, 2),
        case
            when not p.was_there and p.period_start_date > n.period_start_date then 'newer period'
            when not p.was_there then 'new'
            when not p.is_there then 'no longer given'
            when exists (
                select from found_break as f
                where
                    f.measure_code = p.measure_code and coalesce(f.area_code, p.area_code) = p.area_code
                    and f.break_month between p.period_start_date and p.period_end_date
            ) then 'break found'
            when p.edition_after is distinct from p.edition_before then 'revised by the publisher'
            else 'corrected by us'
        end,
        p.edition_before, p.edition_after
    from paired as p
    left join newest as n on p.measure_code = n.measure_code and p.period_kind = n.period_kind;
end
$$;
comment on function marts.compare_releases(bigint, bigint) is
'Figures of fct_measure that differ between two releases (before, after): both values, their difference, the editions they come from, and why. newer period: after the newest that the first release had; new; no longer given; break found: a break in its period that the first release did not know; revised by the publisher: of another edition; corrected by us: of the same edition.';
