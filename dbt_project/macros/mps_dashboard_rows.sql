{% macro mps_dashboard_rows(relation) -%}
    {#- The three files of the monthly dashboard have one layout. A borough's row may name the place more closely in the area's name. -#}
    with published as (
        select
            _load_id as load_id,
            _row_number as row_number,
            {{ mps_day('month_year') }} as month_start_date,
            lower(btrim(area_type)) like 'borough%' as is_borough_row,
            lower(area_type) like '%not known%' as has_no_area,
            coalesce(nullif(btrim(area_name), ''), borough_snt) as published_area_name,
            area_code as published_area_code,
            crime_type as published_type,
            crime_subtype as published_subtype,
            measure as published_measure,
            count::numeric::integer as recorded_count,
            {{ mps_day('refresh_date') }} as refresh_date
        from {{ relation }}
    ),

    areas as (
        {{ mps_area_of('published', 'published_area_name') }} and spelling.label is not null
    )

    select
        published.load_id,
        published.row_number,
        published.month_start_date,
        published.is_borough_row,
        published.published_area_name,
        published.published_area_code,
        case
            when not published.is_borough_row then null
            when published.has_no_area then 'UNALLOCATED'
            else areas.area_code
        end as area_code,
        published.published_type,
        published.published_subtype,
        published.published_measure,
        published.recorded_count,
        published.refresh_date
    from published
    left join areas on published.published_area_name = areas.label
{%- endmacro %}
