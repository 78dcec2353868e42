-- Which months of which level there are, and where the newest 12 of them and the 12 before lie.
with months as (
    select
        area_level,
        month_start_date,
        source_release,
        is_provisional
    from {{ ref('int_mps_small_area_winner') }}
    union all
    -- The Metropolitan Police alone: what British Transport Police adds is missing for months on end.
    select
        'lsoa_police_uk' as area_level,
        files.month_start_date,
        files.dataset || ' ' || files.release_date as source_release,
        true as is_provisional
    from {{ ref('int_police_uk_force_month') }} as files
    left join {{ ref('int_unplaced_share') }} as unplaced
        on
            unplaced.measure_code = 'police_uk_metropolitan_all_crime'
            and files.month_start_date = unplaced.month_start_date
            and unplaced.dimension = 'area'
    where
        files.dataset = 'street'
        and files.force_code = 'metropolitan'
        and files.state = 'loaded'
        -- A month of which too many crimes have no LSOA is missing.
        and unplaced.is_withheld is not true
),

newest as (
    select
        area_level,
        max(month_start_date) as window_end_month
    from months
    group by area_level
)

select
    newest.area_level,
    (newest.window_end_month - interval '23 months')::date as previous_start_date,
    (newest.window_end_month - interval '11 months')::date as window_start_date,
    (newest.window_end_month + interval '1 month' - interval '1 day')::date as window_end_date,
    count(*) filter (where months.month_start_date < newest.window_end_month - interval '11 months') = 12 as has_previous,
    max(months.source_release) as source_release,
    bool_or(months.is_provisional) as is_provisional
from newest
inner join months
    on newest.area_level = months.area_level and months.month_start_date >= newest.window_end_month - interval '23 months'
group by newest.area_level, newest.window_end_month
-- A window that lacks a month would be taken for a fall.
having count(*) filter (where months.month_start_date >= newest.window_end_month - interval '11 months') = 12
