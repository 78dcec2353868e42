-- Counts by year and rolling window: the whole of every area, and its splits.
with measure as (
    select * from {{ ref('victim_profile_measure') }}
),

split as (
    select * from {{ ref('int_profile_split') }}
),

-- The whole stands for every area, none as 0; a split that nobody is in is left out.
whole as (
    select
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        area.area_code,
        'not_split' as ethnicity_basis,
        false as is_by_sex,
        false as is_by_age,
        false as is_by_ethnicity,
        measure.whole_sex as sex,
        measure.whole_age_band as age_band,
        'all' as ethnicity,
        coalesce(shown.person_count, 0) as person_count
    from {{ ref('int_profile_period') }} as period
    inner join measure on period.measure_code = measure.measure_code
    cross join {{ ref('int_profile_area') }} as area
    left join split as shown
        on
            period.measure_code = shown.measure_code
            and period.period_kind = shown.period_kind
            and period.period_start_date = shown.period_start_date
            and area.area_code = shown.area_code
            and not (shown.is_by_sex or shown.is_by_age or shown.is_by_ethnicity)
    where area.area_type = 'aggregate' or not measure.is_rare or period.period_kind = 'rolling_36_months'
),

together as (
    select * from whole
    union all
    select
        measure_code,
        period_kind,
        period_start_date,
        area_code,
        case when is_by_ethnicity then ethnicity_basis else 'not_split' end as ethnicity_basis,
        is_by_sex,
        is_by_age,
        is_by_ethnicity,
        sex,
        age_band,
        ethnicity,
        person_count
    from split
    where is_by_sex or is_by_age or is_by_ethnicity
),

-- A period with a month of whose people too many have no age, sex or ethnicity is not split by it.
withheld as (
    select
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        max(unplaced.note) filter (where unplaced.dimension = 'sex') as sex_note,
        max(unplaced.note) filter (where unplaced.dimension = 'age') as age_note,
        max(unplaced.note) filter (where unplaced.dimension = 'ethnicity') as ethnicity_note,
        max(unplaced.note) filter (where unplaced.dimension = 'officer_observed_ethnicity') as officer_observed_note
    from {{ ref('int_profile_period') }} as period
    inner join {{ ref('int_unplaced_share') }} as unplaced
        on
            period.measure_code = unplaced.measure_code
            and unplaced.month_start_date between period.period_start_date and period.period_end_date
    where unplaced.is_withheld and not unplaced.is_of_measure and unplaced.dimension <> 'area'
    group by period.measure_code, period.period_kind, period.period_start_date
),

told as (
    select
        together.*,
        nullif(
            concat_ws(
                ' ',
                case when together.is_by_sex and together.sex <> 'unknown' then withheld.sex_note end,
                case when together.is_by_age and together.age_band <> 'unknown' then withheld.age_note end,
                case
                    when together.is_by_ethnicity and together.ethnicity <> 'unknown'
                        then
                            case
                                when together.ethnicity_basis = measure.ethnicity_basis then withheld.ethnicity_note
                                else withheld.officer_observed_note
                            end
                end
            ), ''
        ) as withheld_note
    from together
    inner join measure on together.measure_code = measure.measure_code
    left join withheld
        on
            together.measure_code = withheld.measure_code
            and together.period_kind = withheld.period_kind
            and together.period_start_date = withheld.period_start_date
)

select
    told.area_code,
    told.measure_code,
    told.period_kind,
    told.period_start_date,
    period.period_end_date,
    period.months_held,
    period.source_release,
    told.ethnicity_basis,
    told.is_by_sex,
    told.is_by_age,
    told.is_by_ethnicity,
    told.sex,
    told.age_band,
    told.ethnicity,
    case when told.withheld_note is null then told.person_count end as person_count,
    told.withheld_note
from told
inner join {{ ref('int_profile_period') }} as period
    on
        told.measure_code = period.measure_code
        and told.period_kind = period.period_kind
        and told.period_start_date = period.period_start_date
