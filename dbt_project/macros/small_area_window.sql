{% macro small_area_measures(level) -%}
    {#- Column of the monthly counts and its measure. Homicide is left out: a place with one is no hotspot. -#}
    {%- set measures = [
        ('all_offences_count', 'mps_all_offences'),
        ('violence_with_injury_count', 'mps_violence_with_injury'),
        ('violence_without_injury_incl_stalking_count', 'mps_violence_without_injury_incl_stalking'),
        ('personal_robbery_count', 'mps_robbery_personal'),
        ('weapons_possession_count', 'mps_weapons_possession'),
        ('theft_from_person_count', 'mps_theft_from_person'),
        ('drug_offences_count', 'mps_drug_offences'),
    ] -%}
    {%- if level == 'ward' -%}
        {%- set measures = measures + [
            ('rape_count', 'mps_rape'),
            ('other_sexual_offences_count', 'mps_other_sexual_offences'),
        ] -%}
    {%- endif -%}
    {{ return(measures) }}
{%- endmacro %}

{% macro small_area_window(level, code, name) -%}
    {#-
        Counts of the newest 12 months and of the 12 before, by ward or LSOA and measure. A place that a file does not name had no offence
        in its months; a measure that a file's categories cannot say makes the sum null.
    -#}
    {%- set measures = small_area_measures(level) -%}
    select
        '{{ level }}' as area_level,
        places.small_area_code,
        places.small_area_name,
        places.area_code,
        measure.measure_code,
        measure.window_count,
        measure.previous_window_count
    from (
        select
            counted.{{ code }} as small_area_code,
            (array_agg(counted.{{ name }} order by counted.month_start_date desc))[1] as small_area_name,
            counted.area_code,
            {% for column, measure in measures %}
            case
                when not coalesce(bool_or(counted.{{ column }} is null) filter (where counted.month_start_date >= span.window_start_date), false)
                    then coalesce(sum(counted.{{ column }}) filter (where counted.month_start_date >= span.window_start_date), 0)
            end as count_{{ loop.index }},
            case
                when
                    span.has_previous
                    and not coalesce(bool_or(counted.{{ column }} is null) filter (where counted.month_start_date < span.window_start_date), false)
                    then coalesce(sum(counted.{{ column }}) filter (where counted.month_start_date < span.window_start_date), 0)
            end as previous_count_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_mps_' ~ level ~ '_month') }} as counted
        inner join span on span.area_level = '{{ level }}' and counted.month_start_date >= span.previous_start_date
        where counted.area_code in (select borough.borough_code from {{ ref('boroughs') }} as borough)
        group by counted.{{ code }}, counted.area_code, span.has_previous
    ) as places
    cross join
        lateral (
            values
            {% for column, measure in measures %}
            ('{{ measure }}', places.count_{{ loop.index }}, places.previous_count_{{ loop.index }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as measure (measure_code, window_count, previous_window_count)
{%- endmacro %}
