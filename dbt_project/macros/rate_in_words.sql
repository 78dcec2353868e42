{# A rate to print: two decimals, and of a small one as many as leave two significant figures, so that what is counted is never 0.00. #}
{% macro rate_in_words(rate) -%}
case
    when {{ rate }} = 0 or abs({{ rate }}) >= 0.1 then to_char({{ rate }}, 'FM999,999,990.00')
    else round({{ rate }}::numeric, 1 - floor(log(abs({{ rate }}::numeric)))::integer)::text
end
{%- endmacro %}
