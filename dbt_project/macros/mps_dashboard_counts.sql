{% macro mps_dashboard_counts(claims, condition) -%}
    {#- Counts by measure, area and month of the releases that `claims` names where the condition holds. -#}
    with claim as (
        select
            measure_code,
            month_start_date,
            load_id,
            source_release
        from {{ claims }}
        where {{ condition }}
    ),

    -- The files are sparse: a borough without a row had none.
    covered_area as (
        select
            release.load_id,
            boroughs.borough_code as area_code
        from {{ ref('int_mps_dashboard_release') }} as release
        cross join {{ ref('boroughs') }} as boroughs
        union
        select
            load_id,
            area_code
        from {{ ref('int_mps_dashboard_cell') }}
    )

    select
        claim.measure_code,
        covered_area.area_code,
        claim.month_start_date,
        claim.load_id,
        claim.source_release,
        -- Each of the four years or so in a file may be revised by the next.
        release.is_newest as is_provisional,
        coalesce(cell.recorded_count, 0)::bigint as month_count
    from claim
    inner join {{ ref('int_mps_dashboard_release') }} as release on claim.load_id = release.load_id
    inner join covered_area on claim.load_id = covered_area.load_id
    left join {{ ref('int_mps_dashboard_cell') }} as cell
        on
            claim.load_id = cell.load_id
            and claim.measure_code = cell.measure_code
            and claim.month_start_date = cell.month_start_date
            and covered_area.area_code = cell.area_code
{%- endmacro %}
