-- Found on the editions that stand: where the share without a borough, or the listing of the airports, steps from one month to the next.
with step as (
    select
        *,
        unplaced_count::double precision / nullif(counted_count, 0) as unplaced_share,
        previous_unplaced_count::double precision / nullif(previous_counted_count, 0) as previous_unplaced_share,
        (unplaced_count + previous_unplaced_count)::double precision / nullif(counted_count + previous_counted_count, 0) as both_share,
        case
            when source_release = previous_release then source_release
            else previous_release || ', then ' || source_release
        end as evidence
    from {{ ref('int_placed_share') }}
    where previous_counted_count is not null
),

sized as (
    select
        measure_code,
        null as area_code,
        month_start_date as break_month,
        'share without a borough ' || case when unplaced_share > previous_unplaced_share then 'rises' else 'falls' end || ' from '
        || round((100 * previous_unplaced_share)::numeric, 1) || ' to ' || round((100 * unplaced_share)::numeric, 1) || ' %' as break_label,
        unplaced_count || ' of ' || counted_count || ' of this month have no borough, ' || previous_unplaced_count || ' of '
        || previous_counted_count || ' of the month before' as finding,
        100 * (1 - (1 - previous_unplaced_share) / nullif(1 - unplaced_share, 0)) as size_percent,
        placed_count * (1 - (1 - previous_unplaced_share) / nullif(1 - unplaced_share, 0)) as size_count,
        evidence
    from step
    where
        scope_area_code = 'all'
        and abs(unplaced_share - previous_unplaced_share)
        > {{ var('least_break_standard_errors') }}
        * sqrt(both_share * (1 - both_share) * (1.0 / nullif(counted_count, 0) + 1.0 / nullif(previous_counted_count, 0)))
    union all
    select
        measure_code,
        scope_area_code as area_code,
        month_start_date as break_month,
        case when are_airports_listed then 'airports listed apart' else 'airports back in boroughs' end as break_label,
        'The airports have about ' || round(airport_month_count) || ' a month that lie in this area, '
        || case when are_airports_listed then 'listed apart from this month on' else 'counted in it from this month on' end as finding,
        100 * case when are_airports_listed then airport_share / (airport_share - 1) else airport_share end as size_percent,
        airport_month_count * case when are_airports_listed then -1 else 1 end as size_count,
        evidence
    from step
    where scope_area_code <> 'all' and are_airports_listed <> were_airports_listed
)

select
    measure_code,
    area_code,
    break_month,
    break_label || case when size_percent < 0 then ', lowering' else ', raising' end || ' the count by '
    || to_char(abs(size_percent), 'FM999990.0') || ' %' as break_label,
    finding
    || ': for that alone the count is ' || abs(round(size_percent::numeric, 1)) || ' % '
    || case when size_percent < 0 then 'lower' else 'higher' end || '.' as reason,
    evidence,
    round(size_percent::numeric, 2)::double precision as size_percent,
    round(size_count::numeric)::double precision as size_count
from sized
where abs(size_percent) >= {{ var('least_break_percent') }}
