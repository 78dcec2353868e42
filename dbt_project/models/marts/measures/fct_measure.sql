-- One line a model that gives whole rows of this table: other periods than months, rates, splits by sex, age or ethnicity, and its own
-- sums for London where it has any.
{% set facts = [
    'int_police_uk_month',
    'int_mps_homicide_split',
    'int_fingertips_measure',
    'int_nomis_measure',
] %}

with placed as (
    {% for source, model in counting_models() %}
    select
        '{{ source }}' as source,
        area_code,
        month_start_date,
        measure_code,
        month_count,
        load_id,
        source_release,
        is_provisional
    from {{ ref(model) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

aggregates as (
    select
        aggregate.area_code,
        placed.month_start_date,
        placed.measure_code,
        sum(placed.month_count) as month_count,
        min(placed.load_id) as load_id,
        -- One release speaks for a measure in a month, so the smallest is the only one.
        min(placed.source_release) as source_release,
        bool_or(placed.is_provisional) as is_provisional
    from placed
    inner join {{ ref('dim_borough') }} as borough on placed.area_code = borough.borough_code
    cross join lateral (values ('LONDON_32'), (upper(borough.ons_inner_outer))) as aggregate (area_code)
    group by aggregate.area_code, placed.month_start_date, placed.measure_code
),

together as (
    select
        area_code,
        month_start_date,
        measure_code,
        month_count,
        load_id,
        source_release,
        is_provisional
    from placed
    union all
    select
        area_code,
        month_start_date,
        measure_code,
        month_count,
        load_id,
        source_release,
        is_provisional
    from aggregates
),

-- The note holds only where the release shows what it says: older files of the same months place more, and invented ones all.
noted as (
    select
        placed.load_id,
        known.month_start_date,
        known.note
    from placed
    inner join {{ ref('known_unallocated_months') }} as known
        on placed.source = known.source and placed.month_start_date = known.month_start_date
    -- London as published holds what has no borough.
    where placed.area_code <> 'LONDON_PUBLISHED'
    group by placed.load_id, known.month_start_date, known.note
    having sum(placed.month_count) filter (where placed.area_code = 'UNALLOCATED') > 0.05 * sum(placed.month_count)
),

figure as (
    select
        together.area_code,
        'month' as period_kind,
        together.month_start_date as period_start_date,
        (together.month_start_date + interval '1 month' - interval '1 day')::date as period_end_date,
        together.measure_code,
        'all' as sex,
        'all' as age_band,
        'all' as ethnicity,
        together.month_count::numeric(18, 4) as numerator,
        null::numeric(18, 4) as denominator,
        together.month_count::numeric(18, 4) as value,
        noted.note as value_note,
        together.source_release,
        together.is_provisional
    from together
    left join noted
        on
            together.load_id = noted.load_id
            and together.month_start_date = noted.month_start_date
            and together.area_code <> 'LONDON_PUBLISHED'
    {% for model in facts %}
    union all
    select
        area_code,
        period_kind,
        period_start_date,
        period_end_date,
        measure_code,
        sex,
        age_band,
        ethnicity,
        numerator::numeric(18, 4) as numerator,
        denominator::numeric(18, 4) as denominator,
        value::numeric(18, 4) as value,
        value_note,
        source_release,
        is_provisional
    from {{ ref(model) }}
    {% endfor %}
),

-- A month of which too many rows lack an area, an age, a sex or an ethnicity has no figure by it.
withheld as (
    select
        measure_code,
        month_start_date,
        {% for dimension in ['area', 'sex', 'age', 'ethnicity'] %}
        max(note) filter (where dimension = '{{ dimension }}' and not is_of_measure) as {{ dimension }}_note,
        {% endfor %}
        max(note) filter (where is_of_measure) as whole_note
    from {{ ref('int_unplaced_share') }}
    where is_withheld
    group by measure_code, month_start_date
),

-- What could not be placed, and those of whom it is not known, keep their counts: they are what the publisher printed.
told as (
    select
        figure.*,
        case
            when withheld.measure_code is not null
                then
                    nullif(
                        concat_ws(
                            ' ',
                            withheld.whole_note,
                            case when figure.area_code not in ('UNALLOCATED', 'LONDON_PUBLISHED') then withheld.area_note end,
                            case when figure.sex not in ('all', 'unknown') then withheld.sex_note end,
                            case when figure.age_band not in ('all', 'unknown', 'not_recorded') then withheld.age_note end,
                            case when figure.ethnicity not in ('all', 'unknown', 'not_recorded') then withheld.ethnicity_note end
                        ), ''
                    )
        end as withheld_note
    from figure
    left join withheld
        on
            figure.period_kind = 'month'
            and figure.measure_code = withheld.measure_code
            and figure.period_start_date = withheld.month_start_date
)

select
    area_code,
    period_kind,
    period_start_date,
    period_end_date,
    measure_code,
    sex,
    age_band,
    ethnicity,
    case when withheld_note is null then numerator end::numeric(18, 4) as numerator,
    denominator,
    case when withheld_note is null then value end::numeric(18, 4) as value,
    coalesce(withheld_note, value_note) as value_note,
    source_release,
    is_provisional
from told
