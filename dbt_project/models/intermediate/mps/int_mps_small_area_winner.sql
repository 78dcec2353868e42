select distinct on (release.area_level, covered.month_start_date)
    release.area_level,
    covered.month_start_date::date as month_start_date,
    release.load_id,
    release.category_vintage,
    release.source_release,
    release.is_provisional
from {{ ref('int_mps_small_area_release') }} as release
cross join
    lateral generate_series(
        release.first_month_start_date::timestamp, release.last_month_start_date::timestamp, interval '1 month'
    )
        as covered (month_start_date)
left join {{ ref('int_mps_partial_month') }} as partial_month
    on release.load_id = partial_month.load_id and covered.month_start_date = partial_month.month_start_date
where partial_month.load_id is null
order by
    release.area_level asc,
    covered.month_start_date asc,
    release.release_date desc,
    release.landed_at desc,
    release.load_id desc
