with newest as (
    select
        dataset,
        max(last_month_start_date) as last_month_start_date
    from {{ ref('stg_ops__load') }}
    where source = 'mps'
    group by dataset
)

select distinct on (load.dataset, covered.month_start_date)
    load.dataset,
    covered.month_start_date::date as month_start_date,
    load.load_id,
    load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release,
    -- A death may become a homicide, or cease to be one; in a case of some years ago hardly ever.
    covered.month_start_date > newest.last_month_start_date - interval '{{ var('revised_months') }} months' as is_provisional
from {{ ref('stg_ops__load') }} as load
cross join
    lateral generate_series(
        load.first_month_start_date::timestamp, load.last_month_start_date::timestamp, interval '1 month'
    )
        as covered (month_start_date)
inner join newest on load.dataset = newest.dataset
where load.source = 'mps' and load.dataset in ('homicide_victims', 'homicide_accused')
order by
    load.dataset asc,
    covered.month_start_date asc,
    load.release_date desc,
    load.landed_at desc,
    load.load_id desc
