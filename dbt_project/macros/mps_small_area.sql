{% macro mps_small_area_measures(level) -%}
    {#- The counts kept for wards and LSOAs, and the measure of each. No sexual offence is published by LSOA. -#}
    {%- set measures = [
        ('all_offences_count', 'mps_all_offences'),
        ('homicide_count', 'mps_homicide'),
        ('violence_with_injury_count', 'mps_violence_with_injury'),
        ('violence_without_injury_incl_stalking_count', 'mps_violence_without_injury_incl_stalking'),
        ('personal_robbery_count', 'mps_robbery_personal'),
        ('weapons_possession_count', 'mps_weapons_possession'),
        ('theft_from_person_count', 'mps_theft_from_person'),
        ('drug_offences_count', 'mps_drug_offences'),
        ('arson_criminal_damage_count', 'mps_arson_criminal_damage'),
    ] -%}
    {%- if level == 'ward' -%}
        {%- set measures = measures + [
            ('rape_count', 'mps_rape'),
            ('other_sexual_offences_count', 'mps_other_sexual_offences'),
        ] -%}
    {%- endif -%}
    {{ return(measures) }}
{%- endmacro %}

{% macro mps_small_area_rows(relation, columns) -%}
    {#- A row of a ward or LSOA file: its cells from the first month on, as numbers. -#}
    with published as (
        select
            _load_id as load_id,
            _row_number as row_number,
            {% for column in columns %}{{ column }}, {% endfor %}
            major_text as published_major,
            minor_text as published_minor,
            borough_name as published_area_name,
            to_date(first_month, 'YYYYMM') as first_month_start_date,
            case
                -- Few files have a number with an exponent, and by way of numeric the cast takes twice as long.
                when cells ~* 'e' then string_to_array(cells, ',')::numeric []::integer []
                else string_to_array(cells, ',')::integer []
            end as offence_counts
        from {{ relation }}
    ),

    areas as (
        {{ mps_area_of(relation, 'borough_name') }}
    )

    select
        published.load_id,
        published.row_number,
        {% for column in columns %}published.{{ column }}, {% endfor %}
        published.published_major,
        published.published_minor,
        published.published_area_name,
        areas.area_code,
        published.first_month_start_date,
        published.offence_counts
    from published
    left join areas on published.published_area_name = areas.label
{%- endmacro %}

{% macro mps_small_area_month(level, code, name) -%}
    {#- Counts by ward or LSOA and month, each month by the one file that speaks for it. -#}
    {%- set measures = mps_small_area_measures(level) -%}
    with winner as (
        select
            load_id,
            month_start_date,
            category_vintage,
            source_release,
            is_provisional
        from {{ ref('int_mps_small_area_winner') }}
        where area_level = '{{ level }}'
    ),

    -- What each category counts towards, one row a category, so that a cell is read once.
    category as (
        select
            category_vintage,
            major_label,
            minor_label,
            {% for column, measure in measures %}
            bool_or(measure_code = '{{ measure }}') as is_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from {{ ref('int_mps_category_measure') }}
        group by category_vintage, major_label, minor_label
    ),

    -- What a file's vintage can say at all.
    vintage as (
        select
            category_vintage,
            {% for column, measure in measures %}
            bool_or(is_{{ loop.index }}) as has_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from category
        group by category_vintage
    ),

    published as (
        select * from {{ ref('stg_mps__' ~ level ~ '_historical') }} where load_id in (select winner.load_id from winner)
        union all
        select * from {{ ref('stg_mps__' ~ level ~ '_recent') }} where load_id in (select winner.load_id from winner)
    ),

    labels as (
        select distinct
            published_major,
            published_minor
        from published
    ),

    labelled as (
        select
            labels.published_major,
            labels.published_minor,
            category.*
        from labels
        inner join category
            on
                {{ normalised_label('labels.published_major') }} = category.major_label
                and {{ normalised_label('labels.published_minor') }} = category.minor_label
    ),

    load_vintage as (
        select distinct
            load_id,
            category_vintage
        from winner
    ),

    -- Most cells are 0: they say only that the place stands in the file.
    summed as (
        select
            published.load_id,
            published.{{ code }},
            published.{{ name }},
            published.area_code,
            (published.first_month_start_date + make_interval(months => cell.number::integer - 1))::date as month_start_date,
            {% for column, measure in measures %}
            sum(cell.offence_count) filter (where labelled.is_{{ loop.index }}) as count_{{ loop.index }}{{ ',' if not loop.last }}
            {% endfor %}
        from published
        inner join load_vintage on published.load_id = load_vintage.load_id
        left join labelled
            on
                load_vintage.category_vintage = labelled.category_vintage
                and published.published_major = labelled.published_major
                and published.published_minor = labelled.published_minor
        cross join lateral unnest(published.offence_counts) with ordinality as cell (offence_count, number)
        group by published.load_id, published.{{ code }}, published.{{ name }}, published.area_code, month_start_date
    )

    select
        summed.{{ code }},
        summed.{{ name }},
        summed.area_code,
        winner.month_start_date,
        {% for column, measure in measures %}
        case when vintage.has_{{ loop.index }} then coalesce(summed.count_{{ loop.index }}, 0)::integer end as {{ column }},
        {% endfor %}
        winner.load_id,
        winner.source_release,
        winner.is_provisional
    from summed
    inner join winner on summed.load_id = winner.load_id and summed.month_start_date = winner.month_start_date
    inner join vintage on winner.category_vintage = vintage.category_vintage
{%- endmacro %}
