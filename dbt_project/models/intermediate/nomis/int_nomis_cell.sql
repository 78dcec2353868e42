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
        cell,
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
)

-- The code says what a cell is; a file without codes says it by its label.
select
    found.cell,
    found.dataset,
    meaning.measure_code,
    coalesce(meaning.sex, 'all') as sex,
    coalesce(meaning.age_band, 'all') as age_band,
    coalesce(meaning.ethnicity, 'all') as ethnicity
from combinations as found
cross join
    lateral (
        select
            case
                -- Nobody said what a cell is of which one dimension is unknown.
                when count(distinct labels.dimension) = num_nonnulls(found.dimension_1, found.dimension_2, found.dimension_3)
                    then coalesce(
                        min(labels.meaning) filter (where labels.meaning_kind = 'measure_code'),
                        -- These two measure one thing.
                        case found.dataset
                            when 'population' then 'nomis_population'
                            when 'census_ethnic_group' then 'nomis_census_ethnic_group'
                        end
                    )
            end as measure_code,
            min(labels.meaning) filter (where labels.meaning_kind = 'sex') as sex,
            min(labels.meaning) filter (where labels.meaning_kind = 'age_band') as age_band,
            min(labels.meaning) filter (where labels.meaning_kind = 'ethnicity') as ethnicity,
            bool_or(labels.meaning_kind = 'not_used') as is_not_used
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
-- What the publisher sums over ages is a sum of cells that are used.
where meaning.is_not_used is not true
