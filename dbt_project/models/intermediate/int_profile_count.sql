-- Counts by year and rolling window, and by the splits that are few enough to be shown: see rpt_victim_profile for the rule.
with measure as (
    select * from {{ ref('victim_profile_measure') }}
),

newest as (
    select
        covered.measure_code,
        case when measure.is_rare then 36 else 12 end as window_months,
        min(covered.month_start_date) as first_month,
        max(covered.month_start_date) as last_month
    from {{ ref('int_profile_month') }} as covered
    inner join measure on covered.measure_code = measure.measure_code
    group by covered.measure_code, measure.is_rare
),

wanted as (
    select distinct
        covered.measure_code,
        year.period_kind,
        year.first_month,
        (year.first_month + interval '11 months')::date as last_month,
        false as may_be_part
    from {{ ref('int_profile_month') }} as covered
    cross join
        lateral (
            values
            ('calendar_year', date_trunc('year', covered.month_start_date)::date),
            -- Three months earlier lies in the calendar year that a financial year is named after.
            (
                'financial_year',
                (date_trunc('year', covered.month_start_date - interval '3 months') + interval '3 months')::date
            )
        ) as year (period_kind, first_month)
    union all
    -- The window to the newest month, and to the same month of each year before: year against year, and no window a month.
    select
        newest.measure_code,
        'rolling_' || newest.window_months || '_months' as period_kind,
        (newest.last_month - make_interval(years => years_back, months => newest.window_months - 1))::date as first_month,
        (newest.last_month - make_interval(years => years_back))::date as last_month,
        years_back = 0 as may_be_part
    from newest
    cross join generate_series(0, 60) as years_back
    where newest.last_month - make_interval(years => years_back) >= newest.first_month
),

period as (
    select
        wanted.measure_code,
        wanted.period_kind,
        wanted.first_month as period_start_date,
        (wanted.last_month + interval '1 month' - interval '1 day')::date as period_end_date,
        count(*)::integer as months_held,
        -- The newest of the releases: one speaks for most months, and a row a release would say no more.
        max(covered.source_release) as source_release
    from wanted
    inner join {{ ref('int_profile_month') }} as covered
        on
            wanted.measure_code = covered.measure_code
            and covered.month_start_date between wanted.first_month and wanted.last_month
    group by wanted.measure_code, wanted.period_kind, wanted.first_month, wanted.last_month, wanted.may_be_part
    having
        wanted.may_be_part
        or count(*) = extract(year from age(wanted.last_month, wanted.first_month)) * 12
        + extract(month from age(wanted.last_month, wanted.first_month)) + 1
),

area as (
    select
        borough_code as area_code,
        'borough' as area_type
    from {{ ref('boroughs') }}
    union all
    select
        area_code,
        area_type
    from {{ ref('other_areas') }}
    where area_code in ('LONDON_32', 'INNER', 'OUTER')
),

member as (
    select
        borough.borough_code as of_area_code,
        sums.area_code
    from {{ ref('boroughs') }} as borough
    cross join lateral (values (borough.borough_code), ('LONDON_32'), (upper(borough.ons_inner_outer))) as sums (area_code)
),

-- Months are summed before areas are: a year of a borough is small, whatever its months are.
summed as (
    select
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        person.area_code,
        person.ethnicity_basis,
        person.sex,
        person.age_band,
        person.ethnicity,
        sum(person.person_count) as person_count
    from {{ ref('int_profile_person') }} as person
    inner join {{ ref('int_profile_month') }} as covered
        on person.measure_code = covered.measure_code and person.month_start_date = covered.month_start_date
    inner join period
        on
            person.measure_code = period.measure_code
            and person.month_start_date between period.period_start_date and period.period_end_date
    group by
        period.measure_code,
        period.period_kind,
        period.period_start_date,
        person.area_code,
        person.ethnicity_basis,
        person.sex,
        person.age_band,
        person.ethnicity
),

split as (
    select
        person.measure_code,
        person.period_kind,
        person.period_start_date,
        member.area_code,
        person.ethnicity_basis,
        grouping(person.sex) = 0 as is_by_sex,
        grouping(person.age_band) = 0 as is_by_age,
        grouping(person.ethnicity) = 0 as is_by_ethnicity,
        coalesce(person.sex, 'all') as sex,
        coalesce(person.age_band, 'all') as age_band,
        coalesce(person.ethnicity, 'all') as ethnicity,
        sum(person.person_count)::bigint as person_count
    from summed as person
    inner join member on person.area_code = member.of_area_code
    group by
        person.measure_code,
        person.period_kind,
        person.period_start_date,
        member.area_code,
        person.ethnicity_basis,
        grouping sets (
            (), (person.sex), (person.age_band), (person.ethnicity), (person.sex, person.age_band), (person.age_band, person.ethnicity)
        )
),

shown as (
    select
        split.*,
        measure.ethnicity_basis as own_basis
    from split
    inner join measure on split.measure_code = measure.measure_code
    inner join area on split.area_code = area.area_code
    where
        -- A measure without ages or ethnicities has no split but the whole.
        (not split.is_by_ethnicity or measure.ethnicity_basis <> 'not_split')
        and (split.is_by_ethnicity or split.ethnicity_basis = measure.ethnicity_basis)
        and (not (split.is_by_sex or split.is_by_age) or measure.ethnicity_basis <> 'not_split' or measure.is_standardised)
        -- The rule on small numbers.
        and (
            area.area_type = 'aggregate'
            or not (split.is_by_sex or split.is_by_age or split.is_by_ethnicity)
            or (
                measure.is_split_in_boroughs
                and not (split.is_by_age and split.is_by_ethnicity)
                and (not measure.is_rare or (split.period_kind = 'rolling_36_months' and not (split.is_by_sex and split.is_by_age)))
            )
        )
        and (area.area_type = 'aggregate' or not measure.is_rare or split.period_kind = 'rolling_36_months')
),

-- Under 25 is what the Duty asks for: the bands that end by 24 are whole within it in every source.
with_under_25 as (
    select * from shown
    union all
    select
        measure_code,
        period_kind,
        period_start_date,
        area_code,
        ethnicity_basis,
        is_by_sex,
        is_by_age,
        is_by_ethnicity,
        sex,
        '0-24' as age_band,
        ethnicity,
        sum(person_count)::bigint as person_count,
        own_basis
    from shown
    where is_by_age and case when age_band ~ '^\d+-\d+$' then split_part(age_band, '-', 2)::integer end <= 24
    group by
        measure_code,
        period_kind,
        period_start_date,
        area_code,
        ethnicity_basis,
        is_by_sex,
        is_by_age,
        is_by_ethnicity,
        sex,
        ethnicity,
        own_basis
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
    from period
    inner join measure on period.measure_code = measure.measure_code
    cross join area
    left join shown
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
    from with_under_25
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
    from period
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
inner join period
    on
        told.measure_code = period.measure_code
        and told.period_kind = period.period_kind
        and told.period_start_date = period.period_start_date
