with newest_landing as (
    select max(landed_at)::date as landed_on from {{ ref('stg_ops__load') }}
),

held as (
    select
        source,
        dataset,
        max(last_month_start_date) as newest_month
    from {{ ref('stg_ops__load') }}
    group by source, dataset
)

select
    dataset.source,
    dataset.dataset,
    dataset.title,
    dataset.publisher,
    held.source is not null as is_loaded,
    held.newest_month,
    -- By the days its declaration gives the publisher, as of the last day anything was landed: what stands does not age by itself.
    coalesce(
        (held.newest_month + interval '1 month')::date + dataset.stale_after_days <= newest_landing.landed_on, false
    ) as is_old
from {{ ref('int_dataset') }} as dataset
left join held on dataset.source = held.source and dataset.dataset = held.dataset
cross join newest_landing
