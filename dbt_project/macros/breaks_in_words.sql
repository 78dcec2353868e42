{% macro break_in_words(break_month, break_label) -%}
    {#- `CONNECT replaced CRIS (March 2024)`. -#}
    {{ break_label }} || to_char({{ break_month }}, ' "("FMMonth YYYY")"')
{%- endmacro %}

{% macro breaks_in_words(breaks) -%}
    {#-
        The breaks among rows of series_break, oldest first, as `CONNECT replaced CRIS (March 2024); ...`; null where there is none. A restated
        series was counted anew back to its beginning, and has no break.
    -#}
    string_agg(
        {{ break_in_words(breaks ~ '.break_month', breaks ~ '.break_label') }}, '; '
        order by {{ breaks }}.break_month, {{ breaks }}.break_label
    ) filter (where {{ breaks }}.break_kind <> 'restated')
{%- endmacro %}

{% macro break_caveat(reason) -%}
    {#- What breaks_in_words() gives, as a sentence. -#}
    'Breaks of the series: ' || {{ reason }} || '.'
{%- endmacro %}
