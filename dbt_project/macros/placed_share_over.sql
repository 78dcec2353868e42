{% macro placed_share_over(frame, months) -%}
    {#-
        What is placed of what there is in the months of a frame of int_placed_share, where all `months` of them are there: less what has no borough,
        less the airports in the months that list them apart.
    -#}
    case
        when count(*) over {{ frame }} = {{ months }}
            then
                (1 - sum(unplaced_count) over {{ frame }} / nullif(sum(counted_count) over {{ frame }}, 0))
                * (1 - airport_share * avg(are_airports_listed::integer) over {{ frame }})
    end::double precision
{%- endmacro %}
