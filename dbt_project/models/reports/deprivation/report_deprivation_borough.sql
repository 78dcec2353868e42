{% set borough_measures = [
    'mps_all_offences', 'mps_violence_with_injury', 'mps_violence_without_injury_incl_stalking', 'mps_robbery_personal',
    'mps_weapons_possession', 'mps_rape', 'mps_other_sexual_offences', 'mps_knife_crime', 'mps_knife_crime_with_injury',
    'mps_gun_crime', 'safestats_las_assaults', 'safestats_las_knife_injuries',
] %}

-- By borough: fifths of the 32 by their average score, where nobody counts by LSOA; what differs within a borough is lost.
with scored as (
    select
        area_code,
        6 - ntile(5) over (order by value asc, area_code desc) as quintile
    from (
        select
            fact.area_code,
            fact.value,
            count(*) over () as boroughs
        from {{ ref('fct_measure') }} as fact
        inner join {{ ref('dim_borough') }} as borough on fact.area_code = borough.borough_code
        where
            fact.measure_code = 'fingertips_imd_2019_score'
            and fact.sex = 'all'
            and fact.age_band = 'all'
            and fact.ethnicity = 'all'
            and fact.value is not null
            and fact.period_start_date = (
                select max(newest.period_start_date) from {{ ref('fct_measure') }} as newest
                where newest.measure_code = 'fingertips_imd_2019_score'
            )
    ) as values_of_boroughs
    where boroughs = 32
),

monthly as (
    select
        fact.measure_code,
        fact.area_code,
        fact.period_start_date,
        fact.value,
        fact.source_release,
        fact.is_provisional,
        max(fact.period_start_date) over (partition by fact.measure_code) as window_end_month
    from {{ ref('fct_measure') }} as fact
    inner join scored on fact.area_code = scored.area_code
    where
        fact.measure_code in (
            {% for measure in borough_measures %}
            '{{ measure }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
        and fact.period_kind = 'month'
        and fact.sex = 'all'
        and fact.age_band = 'all'
        and fact.ethnicity = 'all'
),

borough_windows as (
    select
        measure_code,
        (window_end_month - interval '11 months')::date as window_start_date,
        (window_end_month + interval '1 month' - interval '1 day')::date as window_end_date,
        max(source_release) as source_release,
        bool_or(is_provisional) as is_provisional
    from monthly
    where period_start_date > window_end_month - interval '12 months'
    group by measure_code, window_end_month
    -- 32 boroughs in each of 12 months, or none at all.
    having count(value) = 32 * 12
),

borough_counts as (
    select
        measure_code,
        area_code,
        sum(value)::bigint as window_count
    from monthly
    where period_start_date > window_end_month - interval '12 months'
    group by measure_code, area_code
),

population as materialized (
    select
        area_code,
        year,
        residents
    from {{ ref('int_population') }}
    where sex = 'all' and age_band = 'all'
),

-- The newest residents that are not of a later year than the counts.
population_year as (
    select
        windows.measure_code,
        max(population.year) as year
    from borough_windows as windows
    inner join population
        on population.area_code = 'LONDON_32' and population.year <= extract(year from windows.window_end_date)
    group by windows.measure_code
)

select
    'borough' as place_level,
    windows.measure_code,
    'imd_2019' as index_code,
    'imd' as domain,
    'london' as quintile_basis,
    scored.quintile,
    scored.area_code,
    counted.window_count as offence_count,
    population.residents,
    population.year as residents_year,
    windows.window_start_date,
    windows.window_end_date,
    windows.source_release,
    windows.is_provisional
from borough_windows as windows
inner join borough_counts as counted on windows.measure_code = counted.measure_code
inner join scored on counted.area_code = scored.area_code
left join population_year on windows.measure_code = population_year.measure_code
left join population
    on scored.area_code = population.area_code and population_year.year = population.year
