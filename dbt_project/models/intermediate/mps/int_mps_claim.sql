-- Which editions say something of a measure in a month, the newest first. Decided before any cell is read: cells are many, editions are few.
with present as (
    select distinct
        load_id,
        measure_code
    from {{ ref('int_mps_file_category') }}
),

-- A file that lacks a category had none of it (a row whose months are all 0 is not printed), unless the label was not in use then.
zero as (
    select distinct
        release.load_id,
        category_measure.measure_code
    from {{ ref('int_mps_release') }} as release
    inner join {{ ref('int_mps_category_measure') }} as category_measure
        on release.category_vintage = category_measure.category_vintage
    where
        category_measure.is_zero_when_absent
        -- No file has ever carried it: there is nothing to be zero of.
        and category_measure.measure_code in (select present.measure_code from present)
),

defined as (
    select
        load_id,
        measure_code
    from present
    union
    select
        load_id,
        measure_code
    from zero
)

select
    defined.measure_code,
    covered.month_start_date::date as month_start_date,
    release.load_id,
    release.source_release,
    release.is_provisional,
    (row_number() over newest_first)::integer as claim_number,
    (count(*) over (partition by defined.measure_code, covered.month_start_date))::integer as claim_count
from defined
inner join {{ ref('int_mps_release') }} as release on defined.load_id = release.load_id
cross join
    lateral generate_series(
        release.first_month_start_date::timestamp, release.last_month_start_date::timestamp, interval '1 month'
    )
        as covered (month_start_date)
window newest_first as (
    partition by defined.measure_code, covered.month_start_date
    order by release.release_date desc, release.landed_at desc, release.load_id desc
)
