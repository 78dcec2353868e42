-- Where a declared break lies where two editions meet, and the one that stands before it goes on beyond it: the same months counted both ways.
with edge as (
    select distinct
        breaks.measure_code,
        breaks.break_month,
        before_it.load_id
    from {{ ref('series_breaks') }} as breaks
    inner join {{ ref('int_mps_winner') }} as before_it
        on
            breaks.measure_code = before_it.measure_code
            and (breaks.break_month - interval '1 month')::date = before_it.month_start_date
    inner join {{ ref('int_mps_winner') }} as from_it_on
        on
            breaks.measure_code = from_it_on.measure_code
            and breaks.break_month = from_it_on.month_start_date
            and before_it.load_id <> from_it_on.load_id
    where breaks.area_code is null and breaks.break_kind <> 'restated'
),

-- Of an edition that is neither the one before the newest nor the first, the counts are not kept.
counted_twice as (
    select
        edge.measure_code,
        edge.break_month,
        claim.month_start_date,
        case when claim.claim_number = 2 then 'previous' else 'first' end as compared_with
    from edge
    inner join {{ ref('int_mps_claim') }} as claim
        on
            edge.measure_code = claim.measure_code
            and edge.load_id = claim.load_id
            and claim.month_start_date between edge.break_month and (edge.break_month + interval '11 months')::date
    where claim.claim_number = 2 or claim.claim_number = claim.claim_count
),

london as (
    select
        counted_twice.measure_code,
        counted_twice.break_month,
        counted_twice.month_start_date,
        counted_twice.compared_with,
        sum(counted.month_count) as month_count
    from counted_twice
    inner join {{ ref('int_mps_borough_month') }} as counted
        on counted_twice.measure_code = counted.measure_code and counted_twice.month_start_date = counted.month_start_date
    inner join {{ ref('boroughs') }} as borough on counted.area_code = borough.borough_code
    group by counted_twice.measure_code, counted_twice.break_month, counted_twice.month_start_date, counted_twice.compared_with
)

select
    london.measure_code,
    london.break_month,
    round(100.0 * sum(coalesce(revision.month_count - revision.earlier_count, 0)) / nullif(sum(london.month_count), 0), 2)::double precision
        as size_percent,
    round(avg(coalesce(revision.month_count - revision.earlier_count, 0)))::double precision as size_count
from london
left join {{ ref('int_mps_borough_revision') }} as revision
    on
        london.measure_code = revision.measure_code
        and london.month_start_date = revision.month_start_date
        and london.compared_with = revision.compared_with
        and revision.area_code = 'LONDON_32'
group by london.measure_code, london.break_month
