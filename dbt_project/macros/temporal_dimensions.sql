{% macro temporal_month_dimensions() -%}
    {#- What a month is, of a relation `moment`: (dimension, value). -#}
    ('month_of_year', lpad(extract(month from moment.month_start_date)::text, 2, '0')),
    (
        'season',
        (array['winter', 'spring', 'summer', 'autumn'])[extract(month from moment.month_start_date)::integer % 12 / 3 + 1]
    )
{%- endmacro %}

{% macro temporal_hour_dimensions() -%}
    {#- What a day and an hour are, of a relation `moment`: (dimension, value). Null where it is not known. -#}
    {% set names = "array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']" %}
    {% set weekday = "moment.weekday || ' ' || (" ~ names ~ ")[moment.weekday]" %}
    ('weekday', {{ weekday }}),
    ('day_kind', moment.day_kind),
    ('hour', lpad(moment.local_hour::text, 2, '0')),
    (
        'weekday_4_hours',
        {{ weekday }} || ' ' || lpad((moment.local_hour / 4 * 4)::text, 2, '0') || '-' || lpad((moment.local_hour / 4 * 4 + 3)::text, 2, '0')
    ),
    ('weekday_hour', {{ weekday }} || ' ' || lpad(moment.local_hour::text, 2, '0')),
    ('school_day_hour', case when moment.day_kind = 'school_day' then lpad(moment.local_hour::text, 2, '0') end),
    ('night_time_economy', case when moment.is_night_time_economy then 'Friday to Sunday 20:00-04:59' else 'all other hours' end)
{%- endmacro %}
