{% macro normalised_label(column) -%}
    {#- The same rule as the loader's: strip, collapse white space (the non-breaking one too), fold case. -#}
    lower(btrim(regexp_replace({{ column }}, '[\s\u00a0]+', ' ', 'g')))
{%- endmacro %}
