{% macro is_earlier_release() -%}
    {#- Of the releases that said something of a measure in a month: the one before the newest, and the first that is kept. -#}
    claim_count > 1 and (claim_number = 2 or claim_number = claim_count)
{%- endmacro %}

{% macro revised_counts(counted, claims, now) -%}
    {#-
        Where the counts of an earlier release (`counted`, of the releases is_earlier_release() picks from `claims`) differ from those that stand (`now`),
        London's sum of the 32 boroughs included.
    -#}
    earlier as (
        select
            counted.measure_code,
            counted.area_code,
            counted.month_start_date,
            claims.claim_number,
            claims.claim_count,
            counted.source_release,
            counted.month_count
        from {{ counted }} as counted
        inner join {{ claims }} as claims
            on
                counted.measure_code = claims.measure_code
                and counted.month_start_date = claims.month_start_date
                and counted.load_id = claims.load_id
    ),

    earlier_with_london as (
        select
            measure_code,
            area_code,
            month_start_date,
            claim_number,
            claim_count,
            source_release,
            month_count
        from earlier
        union all
        select
            found.measure_code,
            'LONDON_32' as area_code,
            found.month_start_date,
            found.claim_number,
            found.claim_count,
            found.source_release,
            sum(found.month_count) as month_count
        from earlier as found
        inner join {{ ref('boroughs') }} as borough on found.area_code = borough.borough_code
        group by found.measure_code, found.month_start_date, found.claim_number, found.claim_count, found.source_release
    ),

    now_with_london as (
        select
            measure_code,
            area_code,
            month_start_date,
            source_release,
            month_count
        from {{ now }}
        union all
        select
            found.measure_code,
            'LONDON_32' as area_code,
            found.month_start_date,
            found.source_release,
            sum(found.month_count) as month_count
        from {{ now }} as found
        inner join {{ ref('boroughs') }} as borough on found.area_code = borough.borough_code
        group by found.measure_code, found.month_start_date, found.source_release
    )

    select
        now_with_london.measure_code,
        now_with_london.area_code,
        now_with_london.month_start_date,
        roles.compared_with,
        earlier_with_london.source_release as earlier_release,
        earlier_with_london.month_count::bigint as earlier_count,
        now_with_london.source_release,
        now_with_london.month_count::bigint as month_count
    from now_with_london
    inner join earlier_with_london
        on
            now_with_london.measure_code = earlier_with_london.measure_code
            and now_with_london.month_start_date = earlier_with_london.month_start_date
            and now_with_london.area_code = earlier_with_london.area_code
    -- One release is both where there are two.
    cross join
        lateral (
            values
            ('previous', earlier_with_london.claim_number = 2),
            ('first', earlier_with_london.claim_number = earlier_with_london.claim_count)
        ) as roles (compared_with, is_so)
    where roles.is_so and now_with_london.month_count <> earlier_with_london.month_count
{%- endmacro %}
