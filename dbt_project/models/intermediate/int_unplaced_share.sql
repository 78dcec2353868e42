-- Of the rows of a measure's month, which share lacks what a figure would go by, and whether that is too many. Restricted.
-- The largest series of a delivery stands for all of its rows.
with sized as (
    select
        counted.source,
        counted.dataset,
        counted.scope,
        counted.series_code,
        counted.measure_code,
        counted.month_start_date,
        counted.dimension,
        counted.is_of_measure,
        counted.row_count,
        coalesce(counted.unplaced_count, 0) as unplaced_count,
        limits.limit_percent,
        limits.minimum_rows,
        limits.rows_name,
        limits.lacking,
        first_value(counted.row_count) over delivery as delivery_row_count,
        first_value(coalesce(counted.unplaced_count, 0)) over delivery as delivery_unplaced_count
    from {{ ref('int_unplaced_count') }} as counted
    inner join {{ ref('unplaced_limit') }} as limits
        on counted.source = limits.source and counted.dataset = limits.dataset and counted.dimension = limits.dimension
    window
        delivery as (
            partition by counted.source, counted.dataset, counted.scope, counted.month_start_date, counted.dimension
            order by counted.row_count desc, coalesce(counted.unplaced_count, 0) desc, counted.measure_code asc
        )
),

-- Of a handful of rows one would decide: what is rare is judged by the whole delivery it is a part of.
measured as (
    select
        sized.*,
        case when sized.row_count >= sized.minimum_rows then sized.row_count else sized.delivery_row_count end as of_rows,
        case when sized.row_count >= sized.minimum_rows then sized.unplaced_count else sized.delivery_unplaced_count end as lacking_rows
    from sized
),

judged as (
    select
        measured.*,
        100.0 * measured.lacking_rows > measured.limit_percent * measured.of_rows as is_over_limit
    from measured
),

-- Where the owner's rule lets no small count out, neither does a share that would tell one.
worded as (
    select
        judged.*,
        case
            when not judged.is_over_limit then null
            else
                case
                    when coalesce(dataset.publish_rule, 'none') <> 'open' then 'More than ' || judged.limit_percent
                    else
                        least(
                            round(100.0 * judged.lacking_rows / judged.of_rows),
                            case when judged.lacking_rows < judged.of_rows then 99 else 100 end
                        )::text
                end
                || ' % of '
                || case
                    when judged.source = 'mps' or judged.scope = 'metropolitan' then 'the Metropolitan Police''s '
                    when judged.scope = 'city_of_london' then 'the City of London Police''s '
                    when judged.scope = 'btp' then 'British Transport Police''s '
                    else 'the '
                end
                || judged.rows_name || ' of ' || to_char(judged.month_start_date, 'FMMonth YYYY') || ' have no ' || judged.lacking
                || ': no figure by ' || replace(judged.dimension, '_', ' ') || '.'
        end as note
    from judged
    left join {{ ref('int_dataset') }} as dataset on judged.source = dataset.source and judged.dataset = dataset.dataset
),

-- A sum of forces without one of them is not the sum.
together as (
    select
        worded.*,
        worded.scope = 'together'
        and coalesce(bool_or(worded.is_over_limit) filter (where worded.scope <> 'together') over of_forces, false) as lacks_a_force,
        string_agg(worded.note, ' ') filter (where worded.scope <> 'together') over of_forces as note_of_forces
    from worded
    window
        of_forces as (
            partition by worded.source, worded.dataset, worded.series_code, worded.month_start_date, worded.dimension
        )
)

select
    source,
    dataset,
    scope,
    measure_code,
    month_start_date,
    dimension,
    is_of_measure,
    row_count::bigint as row_count,
    unplaced_count::bigint as unplaced_count,
    round(100.0 * unplaced_count / nullif(row_count, 0), 2)::numeric(5, 2) as unplaced_percent,
    limit_percent,
    coalesce(is_over_limit, false) or lacks_a_force as is_withheld,
    case when lacks_a_force then note_of_forces else note end as note
from together
