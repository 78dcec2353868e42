-- The newest file about a month speaks for its quality; a file that names no month is about its last one.
select distinct on (load.source, load.dataset, named.site_code, named.month_start_date)
    load.source,
    load.dataset,
    named.site_code,
    named.month_start_date,
    load.release_date,
    load.rows_in_file,
    load.rows_loaded,
    load.rows_quarantined,
    -- An archive brings earlier months again: how late it is, its newest month says.
    rank() over (
        partition by load.source, load.dataset, load.release_date order by named.month_start_date desc
    ) = 1 as is_newest_of_release
from {{ ref('stg_ops__load') }} as load
cross join
    lateral (
        values (
            case when load.part ~ '^20[0-9]{2}-[0-9]{2}-[a-z]' then replace(substr(load.part, 9), '-', '_') else 'all' end,
            case
                when load.part ~ '^20[0-9]{2}-[0-9]{2}' then to_date(left(load.part, 7), 'YYYY-MM')
                else load.last_month_start_date
            end
        )
    ) as named (site_code, month_start_date)
where named.month_start_date is not null
order by
    load.source asc,
    load.dataset asc,
    named.site_code asc,
    named.month_start_date asc,
    load.release_date desc,
    load.landed_at desc,
    load.sha256 desc
