{% set most_years = 5 %}
{% set least_events = 60 %}

-- Restricted, though already counts. Whole years alone: of part of one, the months it has would be taken for its season.
with london as (
    select
        fact.measure_code,
        fact.period_start_date as month_start_date,
        fact.source_release
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('measures') }} as measure on fact.measure_code = measure.measure_code
    where
        measure.is_summable_over_time
        and fact.area_code = 'LONDON_32'
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
        and fact.value is not null
),

-- A break of recording parts what lies before it from what lies after; what was only placed differently is named in the report.
hard_break as (
    select
        measure_code,
        area_code,
        break_month
    from {{ ref('series_break') }}
    where break_kind not in ('restated', 'allocation')
),

-- Months of one number are a run without a gap or a break.
numbered as (
    select
        london.*,
        (extract(year from london.month_start_date) * 12 + extract(month from london.month_start_date))::integer
        - row_number() over (partition by london.measure_code order by london.month_start_date) as run_number,
        count(distinct hard_break.break_month) as break_number
    from london
    left join hard_break
        on
            london.measure_code = hard_break.measure_code
            and hard_break.area_code is null
            and london.month_start_date >= hard_break.break_month
    group by london.measure_code, london.month_start_date, london.source_release
),

-- The newest years of the newest run that has a year.
period as (
    select distinct on (measure_code)
        measure_code,
        12 * least(count(*) / 12, {{ most_years }})::integer as months_held,
        (max(month_start_date) - make_interval(months => 12 * least(count(*) / 12, {{ most_years }})::integer - 1))::date
            as period_start_date,
        (max(month_start_date) + interval '1 month' - interval '1 day')::date as period_end_date,
        (array_agg(source_release order by month_start_date desc))[1] as source_release
    from numbered
    group by measure_code, break_number, run_number
    having count(*) >= 12
    order by measure_code asc, max(month_start_date) desc
),

counted as (
    select
        period.measure_code,
        fact.area_code,
        extract(month from fact.period_start_date)::integer as month_of_year,
        sum(fact.value)::bigint as event_count,
        count(*) as month_count,
        sum(extract(day from fact.period_start_date + interval '1 month' - interval '1 day'))::integer as day_count
    from period
    inner join {{ ref('fct_measure') }} as fact
        on
            period.measure_code = fact.measure_code
            and fact.period_start_date between period.period_start_date and period.period_end_date
            and fact.period_kind = 'month'
            and fact.sex = 'all'
            and fact.age_band = 'all'
            and fact.ethnicity = 'all'
            and fact.value is not null
    inner join {{ ref('dim_area') }} as area
        on fact.area_code = area.area_code and (area.is_in_london_32 or area.area_code = 'LONDON_32')
    group by period.measure_code, fact.area_code, extract(month from fact.period_start_date)
),

summed as (
    select
        *,
        sum(month_count) over series as months_counted,
        (sum(event_count) over series)::bigint as known_count
    from counted
    window series as (partition by measure_code, area_code)
)

select
    summed.measure_code,
    summed.area_code,
    period.period_start_date,
    period.period_end_date,
    period.months_held,
    summed.month_of_year,
    summed.event_count,
    summed.known_count,
    summed.day_count,
    period.source_release
from summed
inner join period on summed.measure_code = period.measure_code and summed.months_counted = period.months_held
left join hard_break as own_break
    on
        summed.measure_code = own_break.measure_code
        and summed.area_code = own_break.area_code
        and period.period_start_date < own_break.break_month
        and period.period_end_date >= own_break.break_month
-- Fewer than five a month would be expected: the months of so rare a thing are chance.
where summed.known_count >= {{ least_events }} and own_break.measure_code is null
