-- XmR chart of the events of a day: the two years before the month, since the newest break that matters to it, say what is to be expected of it.
with stepped as (
    select
        series_id,
        month_index,
        chart_start_date,
        days,
        per_day,
        -- The step from the month before, but never the step that a break makes.
        case
            when lag(month_index) over since_break = month_index - 1 then abs(per_day - lag(per_day) over since_break)
        end as step_size
    from {{ ref('window_count') }}
    window since_break as (partition by series_id, chart_start_date order by month_index)
),

expected as (
    select
        series_id,
        month_index,
        chart_start_date,
        days,
        per_day,
        case when per_day is not null and count(per_day) over before_it >= 12 then avg(per_day) over before_it end as centre,
        2.66 * avg(step_size) over before_it as distance
    from stepped
    window
        before_it as (
            partition by series_id, chart_start_date order by month_index rows between 24 preceding and 1 preceding
        )
),

eight as (
    select
        *,
        sum(sign(per_day - centre)) over last_eight as side_of_eight,
        count(centre) over last_eight as charted_of_eight
    from expected
    window
        last_eight as (
            partition by series_id, chart_start_date order by month_index rows between 7 preceding and current row
        )
)

select
    series_id,
    month_index,
    round((centre * days)::numeric, 2)::double precision as chart_centre,
    round((greatest(centre - distance, 0) * days)::numeric, 2)::double precision as chart_lower,
    round(((centre + distance) * days)::numeric, 2)::double precision as chart_upper,
    case
        when per_day > centre + distance then 'above_upper_limit'
        when per_day < greatest(centre - distance, 0) then 'below_lower_limit'
        when charted_of_eight = 8 and side_of_eight = 8 then 'eight_above_centre'
        when charted_of_eight = 8 and side_of_eight = -8 then 'eight_below_centre'
        else 'none'
    end as chart_signal
from eight
where centre is not null
