{% macro mps_borough_cells(relation) -%}
    {#-
        Both borough files have one layout, so one body serves both views.
        Labels are normalised once per spelling and not once per cell: a file has two hundred thousand cells and 34 spellings.
    -#}
    with cells as (
        select
            _load_id as load_id,
            _row_number as row_number,
            major_text as published_major,
            minor_text as published_minor,
            borough_name as published_area_name,
            {{ mps_month('month_header') }} as month_start_date,
            cell::numeric::integer as offence_count
        from {{ relation }}
    ),

    spellings as (
        select distinct borough_name as published_area_name from {{ relation }}
    ),

    areas as (
        select
            spellings.published_area_name,
            aliases.area_code
        from spellings
        inner join {{ ref('area_aliases') }} as aliases
            on {{ normalised_label('spellings.published_area_name') }} = {{ normalised_label('aliases.published_name') }}
        where aliases.source = 'mps'
    )

    select
        cells.load_id,
        cells.row_number,
        cells.published_major,
        cells.published_minor,
        cells.published_area_name,
        areas.area_code,
        cells.month_start_date,
        cells.offence_count
    from cells
    left join areas on cells.published_area_name = areas.published_area_name
{%- endmacro %}
