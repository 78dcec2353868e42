-- The newest delivery that has a cell speaks for it: one may hold other cells of its period than the one before. NOMIS dates none, so a delivery
-- is of the day it was landed, and of two of one day the one that was landed later speaks: it may correct the other.
with observed as (
    select distinct on (
        observations.area_code,
        observations.period_kind,
        observations.period_start_date,
        meant.measure_code,
        meant.sex,
        meant.age_band,
        meant.ethnicity,
        observations.part
    )
        observations.*,
        meant.measure_code,
        meant.sex,
        meant.age_band,
        meant.ethnicity
    from {{ ref('int_nomis_observation') }} as observations
    inner join {{ ref('int_nomis_cell') }} as meant on observations.cell = meant.cell
    -- A cell of which nobody said what it is stays in raw; the gate names it.
    where meant.measure_code is not null
    order by
        observations.area_code asc,
        observations.period_kind asc,
        observations.period_start_date asc,
        meant.measure_code asc,
        meant.sex asc,
        meant.age_band asc,
        meant.ethnicity asc,
        observations.part asc,
        observations.release_date desc,
        observations.landed_at desc,
        observations.sha256 desc
),

newest as (
    select
        dataset,
        max(period_start_date) as period_start_date
    from {{ ref('int_nomis_observation') }}
    group by dataset
),

together as (
    select
        observed.area_code,
        observed.period_kind,
        observed.period_start_date,
        observed.period_end_date,
        observed.measure_code,
        observed.sex,
        observed.age_band,
        observed.ethnicity,
        bool_or(measure.numerator is not null and measure.denominator is null) as is_count,
        min(observed.published_value) filter (where observed.part = 'numerator' and observed.is_normal) as numerator,
        min(observed.published_value) filter (where observed.part = 'denominator' and observed.is_normal) as denominator,
        min(observed.published_value) filter (where observed.part = 'value' and observed.is_normal) as value,
        min(observed.published_value) filter (where observed.part = 'precision' and observed.is_normal) as half_width,
        min(
            case
                when observed.confidentiality <> 'F' then 'Not free for publication (' || observed.confidentiality || ')'
                else observed.status_name
            end
        ) filter (where observed.part = 'value' and not observed.is_normal) as status_name,
        min(observed.dataset) as dataset,
        max(observed.source_release) as source_release
    from observed
    left join {{ ref('measures') }} as measure on observed.measure_code = measure.measure_code
    group by
        observed.area_code,
        observed.period_kind,
        observed.period_start_date,
        observed.period_end_date,
        observed.measure_code,
        observed.sex,
        observed.age_band,
        observed.ethnicity
)

select
    together.area_code,
    together.period_kind,
    together.period_start_date,
    together.period_end_date,
    together.measure_code,
    together.sex,
    together.age_band,
    together.ethnicity,
    case when together.is_count then together.value else together.numerator end as numerator,
    nullif(together.denominator, 0) as denominator,
    together.value,
    case
        when together.value is null then coalesce(together.status_name, 'The publisher gives no value and no reason.')
        when together.half_width is not null and together.dataset like 'earnings%'
            then 'Coefficient of variation ' || together.half_width || ' %.'
        when together.half_width is not null
            then '95 % confidence interval: ± ' || together.half_width || ' percentage points.'
    end as value_note,
    case when together.value is not null and together.dataset not like 'earnings%' then together.half_width end as half_width_95,
    together.source_release,
    together.dataset = 'claimant_count'
    and together.period_start_date > newest.period_start_date - interval '13 months' as is_provisional
from together
inner join newest on together.dataset = newest.dataset
