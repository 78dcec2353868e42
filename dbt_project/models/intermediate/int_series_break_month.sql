-- Apart from the report so that it has statistics: without them the planner joins it month by month, at ten times the cost.
with stepping as (
    select
        measure_code,
        area_code,
        break_month,
        break_label
    from {{ ref('int_series_break') }}
    where break_kind <> 'restated' -- the new meaning stands in every month: nothing steps inside the series
),

own_list as (
    select distinct
        measure_code,
        area_code
    from stepping
    where area_code is not null
),

-- A break of every area is one of each area that has breaks of its own, too: that area's list must be whole.
scoped as (
    select
        measure_code,
        coalesce(area_code, 'all') as scope_area_code,
        break_month,
        break_label
    from stepping
    union all
    select
        everywhere.measure_code,
        own.area_code as scope_area_code,
        everywhere.break_month,
        everywhere.break_label
    from stepping as everywhere
    inner join own_list as own
        on everywhere.measure_code = own.measure_code
    where everywhere.area_code is null
)

-- A break between two of the 24 months compared. One that opens the window lies before all of them: 23 months, not 24.
select
    scoped.measure_code,
    scoped.scope_area_code,
    (scoped.break_month + make_interval(months => month_number))::date as month_start_date,
    string_agg(
        {{ break_in_words('scoped.break_month', 'scoped.break_label') }}, '; '
        order by scoped.break_month, scoped.break_label
    ) as break_reason
from scoped
cross join generate_series(0, 22) as month_number
group by scoped.measure_code, scoped.scope_area_code, month_start_date
