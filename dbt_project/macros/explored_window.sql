{% macro explored_window(window, count_name, months, only='true') -%}
    {#-
        One window of fct_window for the 32 boroughs, of all people: the narrow views that are explored first (models/marts/explore).

        Args:
            window: the columns of fct_window that hold it: month or rolling_12.
            count_name: what the count is called.
            months: how many months it has.
            only: the condition on `win` for the windows that are wanted.

        Every join is by a key, so that PostgreSQL leaves out those of which no column is asked for; a left one to dim_measure, where each has its row.
    -#}
    {%- set residents = 'rolling_12_residents' if window == 'rolling_12' else 'residents' -%}
    {%- set since = "(win.month_start_date - interval '" ~ (months + 11) ~ " months')::date" -%}
    win.area_code,
    area.area_name,
    win.measure_code,
    measure.measure_name,
    win.{{ window }}_count as {{ count_name }},
    win.{{ residents }} as residents,
    measure.rate_per,
    round((win.{{ window }}_count::double precision / nullif(win.{{ residents }}, 0) * measure.rate_per)::numeric, 2)::numeric(14, 2) as rate,
    {% for side in ['lower', 'upper'] %}
    round((
        marts.poisson_{{ side }}(win.{{ window }}_count, 0.95) / nullif(win.{{ residents }}, 0) * measure.rate_per
    )::numeric, 2)::numeric(14, 2) as rate_{{ side }}_95,
    {% endfor %}
    round((
        london.{{ window }}_count::double precision / nullif(london.{{ residents }}, 0) * measure.rate_per
    )::numeric, 2)::numeric(14, 2) as london_rate,
    round((
        similar_areas.{{ window }}_count::double precision / nullif(similar_areas.{{ residents }}, 0) * measure.rate_per
    )::numeric, 2)::numeric(14, 2) as similar_areas_rate,
    round(100.0 * win.{{ window }}_count / nullif(london.{{ window }}_count, 0), 3)::numeric(7, 3) as share_of_london_percent,
    before.{{ window }}_count as count_year_before,
    round(
        100.0 * (win.{{ window }}_count - before.{{ window }}_count) / nullif(before.{{ window }}_count, 0), 2
    )::numeric(14, 2) as change_on_year_before_percent,
    {{ is_comparable(
        'win.hard_break_month_start_date', since, 'win.' ~ window ~ '_count', 'before.' ~ window ~ '_count',
        'win.' ~ window ~ '_placed_share', 'before.' ~ window ~ '_placed_share'
    ) }} as is_comparable_on_year_before,
    win.{{ window }}_rank as rank_in_london,
    win.month_start_date = newest.month_start_date as is_newest,
    win.is_provisional,
    nullif(concat_ws(
        '; ',
        {% if window == 'month' %}
        win.value_note,
        {% endif %}
        case when win.{{ residents }} is not null then area.residents_caveat end,
        case
            when win.hard_break_month_start_date > {{ since }}
                then
                    'recorded otherwise from ' || to_char(win.hard_break_month_start_date, 'FMMonth YYYY')
                    || ': do not compare across it'
        end,
        case when win.is_provisional then 'provisional: the publisher still revises it' end
    ), '') as caveat,
    (select kind.data_kind from {{ ref('dim_data_kind') }} as kind) as data_kind
from {{ ref('fct_window') }} as win
inner join {{ ref('dim_area') }} as area on win.area_code = area.area_code and area.is_in_london_32
left join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
left join {{ ref('fct_window') }} as london
    on
        win.measure_code = london.measure_code
        and win.month_start_date = london.month_start_date
        and london.area_code = 'LONDON_32'
        and london.sex = 'all'
        and london.age_band = 'all'
left join {{ ref('fct_window') }} as before
    on
        win.measure_code = before.measure_code
        and (win.month_start_date - interval '1 year')::date = before.month_start_date
        and win.area_code = before.area_code
        and before.sex = 'all'
        and before.age_band = 'all'
left join (
    select
        borough_code,
        array_agg(similar_area_code) as area_codes
    from {{ ref('dim_similar_area') }}
    group by borough_code
) as alike on win.area_code = alike.borough_code
left join
    -- Of all of them or of none: the events of a borough whose residents are not known are not divided among the others'. Of the few by their
    -- keys, row for row: grouped for all boroughs at once, it would be worked out for all of them where one is asked for. They lie side by
    -- side in the index of all people (fct_window), so that one search finds them.
    lateral (
        select
            case when count(other.{{ window }}_count) = cardinality(alike.area_codes) then sum(other.{{ window }}_count) end as {{ window }}_count,
            case when count(other.{{ residents }}) = cardinality(alike.area_codes) then sum(other.{{ residents }}) end as {{ residents }}
        from {{ ref('fct_window') }} as other
        where
            win.measure_code = other.measure_code
            and win.month_start_date = other.month_start_date
            and other.area_code = any(alike.area_codes)
            and other.sex = 'all'
            and other.age_band = 'all'
    ) as similar_areas
    on true
left join (
    select
        measure_code,
        max(month_start_date) as month_start_date
    from {{ ref('fct_window') }} as win
    -- London has a figure as soon as a borough has one.
    where area_code = 'LONDON_32' and sex = 'all' and age_band = 'all' and {{ window }}_count is not null and {{ only }}
    group by measure_code
) as newest on win.measure_code = newest.measure_code
where
    win.sex = 'all'
    and win.age_band = 'all'
    {%- if window != 'month' %}
    and win.{{ window }}_count is not null
    {%- endif %}
    {%- if only != 'true' %}
    and {{ only }}
    {%- endif %}
{%- endmacro %}
