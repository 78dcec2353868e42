{% set large_difference_percent = 25 %}
{% set large_change_percent = 10 %}
{% set most_facts = 40 %}

with facts as (
    select * from {{ ref('fact_count') }}
    union all
    select * from {{ ref('fact_baseline') }}
    union all
    select * from {{ ref('fact_place') }}
    union all
    select * from {{ ref('fact_time') }}
    union all
    select * from {{ ref('fact_profile') }}
    union all
    select * from {{ ref('fact_ratio') }}
    union all
    select * from {{ ref('fact_outcome') }}
    union all
    select * from {{ ref('fact_indicator') }}
    union all
    select * from {{ ref('fact_deprivation') }}
),

counted as (
    select
        facts.*,
        count(*) filter (where facts.area_code <> 'LONDON_32') over (partition by facts.fact_code) as boroughs,
        max(facts.period_end_date) over () as newest_end_date
    from facts
    where facts.sentence is not null
),

-- The same list for every borough: a fact that one of them lacks is told of none. Of more than fit, those that come first.
chosen as (
    select
        counted.*,
        case when counted.area_code = 'LONDON_32' then coalesce(pack.london_measure_code, pack.measure_code) else pack.measure_code end
            as measure_code,
        dense_rank() over (order by pack.precedence asc, pack.fact_order asc) as place_by_precedence
    from counted
    inner join {{ ref('fact_pack') }} as pack on counted.fact_code = pack.fact_code
    where
        counted.boroughs = 32
        and counted.period_end_date > counted.newest_end_date - make_interval(months => pack.current_for_months)
)

select
    counted.area_code,
    counted.fact_code,
    pack.chapter,
    pack.fact_order,
    pack.topic,
    pack.template,
    case
        when not coalesce(counted.is_significant, false) then 1
        when
            abs(counted.effect_percent) >= case
                when pack.template in ('change', 'baseline') then {{ large_change_percent }} else {{ large_difference_percent }}
            end
            then 3
        else 2
    end::smallint as importance,
    counted.measure_code,
    counted.window_kind,
    date_trunc('month', counted.period_end_date)::date as month_start_date,
    counted.period_start_date,
    counted.period_end_date,
    counted.numerator as window_count,
    counted.denominator,
    counted.denominator_year,
    pack.rate_per,
    round(counted.value::numeric, 4)::double precision as rate,
    round(counted.lower_95::numeric, 4)::double precision as rate_lower_95,
    round(counted.upper_95::numeric, 4)::double precision as rate_upper_95,
    case
        when pack.rate_per is not null then 'per ' || to_char(pack.rate_per, 'FM999,999,999') || ' residents'
        when pack.template = 'ratio' then 'per 100 ' || pack.phrase
        when pack.template = 'indicator' then measure.unit
        else '%'
    end as rate_unit,
    counted.count_year_before,
    counted.change_percent::numeric(14, 2) as change_on_year_before_percent,
    counted.change_on_2019_percent::numeric(14, 2) as change_on_2019_percent,
    counted.share_of_london_percent::numeric(7, 3) as share_of_london_percent,
    round(counted.london_value::numeric, 4)::double precision as london_rate,
    round(counted.similar_areas_value::numeric, 4)::double precision as similar_areas_rate,
    counted.rank_in_london,
    counted.significance as significance_against_london,
    counted.status,
    measure.exactness,
    counted.sentence,
    nullif(
        concat_ws(
            ' ',
            case when measure.exactness = 'proxy' then 'A proxy: ' || coalesce(measure.proxy_reason, measure.caveat) end,
            case
                when measure.exactness <> 'proxy'
                    then 'Stands in for ' || lower(left(measure.proxy_of, 1)) || substr(measure.proxy_of, 2) || '. ' || measure.proxy_reason
            end,
            case when counted.measure_code = pack.measure_code then pack.caveat end,
            nullif(counted.caveat, ''),
            case
                when counted.is_provisional
                    then
                        'Provisional: the publisher will revise it'
                        || coalesce(
                            '; London''s count of a newest month has typically changed by '
                            || to_char(typical.median_percent, 'FMSG990.0') || '% since it was first published, going by '
                            || typical.month_count || ' editions', ''
                        ) || '.'
            end
        ), ''
    ) as caveat,
    'Source: ' || regexp_replace(measure.attribution, '^Source: ', '') || ' Release ' || counted.source_release
    || coalesce('; population: ONS mid-year estimates for ' || counted.denominator_year || ' (NOMIS)', '') || '.' as source_line,
    counted.source_release,
    counted.is_provisional,
    measure.classification,
    measure.publish_rule
from chosen as counted
inner join {{ ref('fact_pack') }} as pack on counted.fact_code = pack.fact_code
inner join {{ ref('dim_measure') }} as measure on counted.measure_code = measure.measure_code
left join {{ ref('int_typical_revision') }} as typical
    on
        counted.measure_code = typical.measure_code
        -- One edition shows nothing typical, and a change that prints as none is no warning.
        and typical.month_count > 1
        and round(typical.median_percent, 1) <> 0
where counted.place_by_precedence <= {{ most_facts }}
