{#- Figures as a sentence prints them: thousands separated, rates and percentages to one decimal. -#}

{#- A count under its owner's rule: `1,065`, `about 1,065`, `1 to 7`; null for a rule that is not known. -#}
{% macro count_in_words(count, rule) -%}
    marts_open.publishable_in_words({{ count }}, {{ rule }})
{%- endmacro %}

{% macro one_decimal(figure) -%}
    to_char(round(({{ figure }})::numeric, 1), 'FM999,999,990.0')
{%- endmacro %}

{% macro percent_in_words(figure) -%}
    {{ one_decimal(figure) }} || '%'
{%- endmacro %}

{#- 1st, 2nd, 3rd, 4th, 11th. -#}
{% macro ordinal(number) -%}
    ltrim(to_char({{ number }}, '99th'))
{%- endmacro %}

{#- `two`, `ten`, `11`. -#}
{% macro years_in_words(years) -%}
    coalesce((array['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'])[({{ years }})::integer], ({{ years }})::integer::text)
{%- endmacro %}

{#- `October 2026`, `the 12 months to October 2026`, `the three years to October 2026`. -#}
{% macro months_in_words(first_day, last_day) -%}
    (
        select
            case
                when span.months = 1 then ''
                when span.months > 12 and span.months % 12 = 0 then 'the ' || {{ years_in_words('span.months / 12') }} || ' years to '
                else 'the ' || span.months || ' months to '
            end
        from (
            select
                extract(year from age({{ last_day }} + 1, {{ first_day }})) * 12
                + extract(month from age({{ last_day }} + 1, {{ first_day }})) as months
        ) as span
    ) || to_char({{ last_day }}, 'FMMonth YYYY')
{%- endmacro %}

{#- The period of a published indicator with its preposition: `in 2024/25`, `in 2022/23 to 2024/25`, `in 2025`, `on 31 March 2026`. -#}
{% macro published_period_in_words(kind, first_day, last_day) -%}
    case
        when {{ kind }} like 'on\_%' then 'on ' || to_char({{ last_day }}, 'FMDD FMMonth YYYY')
        when to_char({{ first_day }}, 'MMDD') = '0401' and to_char({{ last_day }}, 'MMDD') = '0331' and {{ last_day }} - {{ first_day }} > 366
            then
                'in the years ' || to_char({{ first_day }}, 'YYYY') || '/' || to_char({{ first_day }} + interval '1 year', 'YY')
                || ' to ' || to_char({{ last_day }} - interval '1 year', 'YYYY') || '/' || to_char({{ last_day }}, 'YY')
        when to_char({{ first_day }}, 'MMDD') = '0401' and to_char({{ last_day }}, 'MMDD') = '0331'
            then 'in ' || to_char({{ first_day }}, 'YYYY') || '/' || to_char({{ last_day }}, 'YY')
        when to_char({{ first_day }}, 'MMDD') = '0101' and to_char({{ last_day }}, 'MMDD') = '1231' and {{ last_day }} - {{ first_day }} > 366
            then 'in ' || to_char({{ first_day }}, 'YYYY') || ' to ' || to_char({{ last_day }}, 'YYYY')
        when to_char({{ first_day }}, 'MMDD') = '0101' and to_char({{ last_day }}, 'MMDD') = '1231'
            then 'in ' || to_char({{ last_day }}, 'YYYY')
        when {{ kind }} = 'academic_year'
            then 'in the school year ' || to_char({{ first_day }}, 'YYYY') || '/' || to_char({{ last_day }}, 'YY')
        else 'in ' || {{ months_in_words(first_day, last_day) }}
    end
{%- endmacro %}

{#-
  `above London (6.4)`, null without a verdict. `verdict` is High…, Low… or Not significant (marts.funnel_label), higher, lower or similar;
  equal where two figures that cannot be tested are printed alike.
-#}
{% macro compared_in_words(verdict, other, figure) -%}
    case
        when {{ verdict }} ilike 'high%' then 'above '
        when {{ verdict }} ilike 'low%' then 'below '
        when {{ verdict }} = 'equal' then 'the same as '
        when {{ verdict }} is not null then 'in line with '
    end || {{ other }} || coalesce(' (' || {{ figure }} || ')', '')
{%- endmacro %}

{#- What two counts of equal length say of a change: it rose or fell only where the 95 % interval of its share of both leaves one half out. -#}
{% macro change_verdict(now, before) -%}
    case
        when marts.wilson_lower({{ now }}::double precision, ({{ now }} + {{ before }})::double precision, 0.95) > 0.5 then 'rose'
        when marts.wilson_upper({{ now }}::double precision, ({{ now }} + {{ before }})::double precision, 0.95) < 0.5 then 'fell'
        when {{ now }} + {{ before }} > 0 then 'no_change'
    end
{%- endmacro %}
