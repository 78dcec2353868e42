{% macro breaks_in_words(breaks) -%}
    {#-
        The breaks among rows of series_break, oldest first, as `2024-02 CONNECT; 2025-04 ...`; null where there is none. A restated series
        was counted anew back to its beginning, and has no break.
    -#}
    string_agg(
        to_char({{ breaks }}.break_month, 'YYYY-MM') || ' ' || {{ breaks }}.break_label, '; '
        order by {{ breaks }}.break_month, {{ breaks }}.break_label
    ) filter (where {{ breaks }}.break_kind <> 'restated')
{%- endmacro %}
