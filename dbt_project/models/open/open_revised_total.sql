-- Two releases that tell a total of one month differ by what was revised: of one borough that is its count. So a total is told of one
-- version of its counts alone, the one that was told first, wherever a count is small in that or in the version that stands.
with revised as (
    select
        counts.measure_code,
        counts.period_start_date,
        counts.has_small or told.has_small as has_small
    from {{ ref('open_month_counts') }} as counts
    inner join {{ ref('open_first_told') }} as told
        on counts.measure_code = told.measure_code and counts.period_start_date = told.period_start_date
    where counts.counts_hash <> told.counts_hash
),

withheld as (
    select
        measure_code,
        period_start_date
    from revised
    where has_small
    union
    -- One that was never told, beside a whole or a part of it that was told of another version: their difference was not judged then.
    select
        counts.measure_code,
        counts.period_start_date
    from revised
    inner join {{ ref('measure_part') }} as pair on revised.measure_code in (pair.measure_code, pair.part_measure_code)
    inner join {{ ref('open_month_counts') }} as counts
        on
            revised.period_start_date = counts.period_start_date
            and revised.measure_code <> counts.measure_code
            and counts.measure_code in (pair.measure_code, pair.part_measure_code)
    left join {{ ref('open_first_told') }} as told
        on counts.measure_code = told.measure_code and counts.period_start_date = told.period_start_date
    where told.measure_code is null
)

select
    withheld.measure_code || total.suffix as measure_code,
    withheld.period_start_date,
    total.area_code
from withheld
cross join
    lateral (
        values ('', 'INNER'), ('', 'OUTER'), ('', 'LONDON_32'), ('', 'LONDON_33'), ('_london', 'LONDON_PUBLISHED')
    ) as total (suffix, area_code)
