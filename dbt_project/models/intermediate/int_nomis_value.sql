with labels as (
    select
        dataset,
        dimension,
        code,
        {{ normalised_label('published_name') }} as name,
        meaning_kind,
        meaning
    from {{ ref('nomis_label') }}
),

-- Labels are few and observations are many, so each combination is looked up once.
combinations as (
    select distinct
        dataset,
        dimension_1,
        code_1,
        name_1,
        dimension_2,
        code_2,
        name_2,
        dimension_3,
        code_3,
        name_3
    from {{ ref('int_nomis_observation') }}
),

-- The code says what a cell is; a file without codes says it by its label.
meant as (
    select
        found.*,
        meaning.measure_code,
        coalesce(meaning.sex, 'all') as sex,
        coalesce(meaning.age_band, case when 'age_band' = any(known.kinds) then null else 'all' end) as age_band,
        coalesce(meaning.ethnicity, case when 'ethnicity' = any(known.kinds) then null else 'all' end) as ethnicity
    from combinations as found
    cross join
        lateral (
            select
                coalesce(
                    min(labels.meaning) filter (where labels.meaning_kind = 'measure_code'),
                    -- These two measure one thing.
                    case found.dataset
                        when 'population' then 'nomis_population'
                        when 'census_ethnic_group' then 'nomis_census_ethnic_group'
                    end
                ) as measure_code,
                min(labels.meaning) filter (where labels.meaning_kind = 'sex') as sex,
                min(labels.meaning) filter (where labels.meaning_kind = 'age_band') as age_band,
                min(labels.meaning) filter (where labels.meaning_kind = 'ethnicity') as ethnicity
            from labels
            where
                labels.dataset = found.dataset
                and (
                    (
                        labels.dimension = found.dimension_1
                        and (labels.code = found.code_1 or (found.code_1 is null and labels.name = found.name_1))
                    )
                    or (
                        labels.dimension = found.dimension_2
                        and (labels.code = found.code_2 or (found.code_2 is null and labels.name = found.name_2))
                    )
                    or (
                        labels.dimension = found.dimension_3
                        and (labels.code = found.code_3 or (found.code_3 is null and labels.name = found.name_3))
                    )
                )
        ) as meaning
    cross join lateral (
        select array_agg(distinct labels.meaning_kind) as kinds
        from labels
        where labels.dataset = found.dataset
    ) as known
),

-- The newest delivery that has a cell speaks for it: one may hold other cells of its period than the one before.
observed as (
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
    inner join meant
        on
            observations.dataset = meant.dataset
            and observations.code_1 is not distinct from meant.code_1
            and observations.name_1 is not distinct from meant.name_1
            and observations.code_2 is not distinct from meant.code_2
            and observations.name_2 is not distinct from meant.name_2
            and observations.code_3 is not distinct from meant.code_3
            and observations.name_3 is not distinct from meant.name_3
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
        observations.load_id desc
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
    together.source_release,
    together.dataset = 'claimant_count'
    and together.period_start_date > newest.period_start_date - interval '13 months' as is_provisional
from together
inner join newest on together.dataset = newest.dataset
