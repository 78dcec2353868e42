{% macro break_effect_percent(share, base_share) -%}
    {#-
        How much of a count, in per cent of it, is there only because more of what the publisher counts has a borough than in the window it is compared
        with (negative: is missing, because less has). `share` and `base_share` are what is placed of the two windows; null where one is not known.
    -#}
    100 * (1 - {{ base_share }} / nullif({{ share }}, 0))
{%- endmacro %}

{% macro is_comparable(hard_break, since, count, base_count, share, base_share, one='1') -%}
    {#-
        Whether a count may be compared with the base: no break of recording after `since`, and what is placed differently could not alter the answer
        (vars tolerated_effect_percent, tolerated_share_of_change): an effect of no more than one record never does. `one` is what a record is in the
        unit of `count`. Null where there is no base.
    -#}
    case
        when {{ hard_break }} > {{ since }} then false
        when {{ count }} is null or {{ base_count }} is null then null
        else
            coalesce(
                abs({{ count }} * {{ break_effect_percent(share, base_share) }} / 100) <= greatest(
                    {{ var('tolerated_effect_percent') }} / 100.0 * {{ count }},
                    {{ var('tolerated_share_of_change') }} * abs({{ count }} - {{ base_count }}),
                    {{ one }}
                ),
                true
            )
    end
{%- endmacro %}

{% macro break_effect_in_words(percent) -%}
    {#- What break_effect_percent() says, in words; null where it is smaller than what counts as a break. -#}
    case
        when {{ percent }} >= {{ var('least_break_percent') }}
            then
                round({{ percent }}::numeric, 1)
                || ' % of the count is there only because fewer of the publisher''s records lack a borough than in the window before'
        when {{ percent }} <= -{{ var('least_break_percent') }}
            then
                round(abs({{ percent }})::numeric, 1)
                || ' % of the count is missing because more of the publisher''s records lack a borough than in the window before'
    end
{%- endmacro %}
