{% macro mps_borough_counts(claims, condition='true') -%}
    {#-
        Counts by measure, area and month of the releases that `claims` names where the condition holds: dense over every area label a file carries,
        zeros written out.
    -#}
    -- A number stands for a winner's measure, month and release: sums over it are grouped several times faster than over their names.
    with winner as materialized (
        select
            row_number() over () as winner_id,
            measure_code,
            month_start_date,
            load_id,
            source_release,
            is_provisional
        from {{ claims }}
        where {{ condition }}
    ),

    -- Which cells a winner is the sum of. All are of one release: groups and totals never mix two.
    -- Materialized, because the planner otherwise takes the join of all three for one row, and loops over a hundred million.
    contribution as materialized (
        select
            winner.winner_id,
            winner.load_id,
            winner.month_start_date,
            category.published_major,
            category.published_minor
        from winner
        inner join {{ ref('int_mps_file_category') }} as category
            on winner.load_id = category.load_id and winner.measure_code = category.measure_code
    ),

    cells as materialized (
        select
            load_id,
            published_major,
            published_minor,
            area_code,
            month_start_date,
            offence_count
        from {{ ref('stg_mps__borough_historical') }}
        where load_id in (select winner.load_id from winner)
        union all
        select
            load_id,
            published_major,
            published_minor,
            area_code,
            month_start_date,
            offence_count
        from {{ ref('stg_mps__borough_recent') }}
        where load_id in (select winner.load_id from winner)
    ),

    counted as (
        select
            contribution.winner_id,
            cells.area_code,
            sum(cells.offence_count) as offence_count
        from cells
        inner join contribution
            on
                cells.load_id = contribution.load_id
                and cells.month_start_date = contribution.month_start_date
                and cells.published_minor = contribution.published_minor
                and cells.published_major = contribution.published_major
        group by contribution.winner_id, cells.area_code
    ),

    covered_area as (
        select distinct
            load_id,
            area_code
        from cells
    )

    select
        winner.measure_code,
        covered_area.area_code,
        winner.month_start_date,
        winner.load_id,
        winner.source_release,
        winner.is_provisional,
        coalesce(counted.offence_count, 0) as month_count
    from winner
    inner join covered_area on winner.load_id = covered_area.load_id
    left join counted
        on winner.winner_id = counted.winner_id and covered_area.area_code = counted.area_code
{%- endmacro %}
