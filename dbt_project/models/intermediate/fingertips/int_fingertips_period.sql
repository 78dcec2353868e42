-- What a period's text, its sortable form and the year type of its indicator say together. The sortable form gives the first year
-- and nothing of the length; 2020/21 is a financial or an academic year, which only the year type tells.
with texts as (
    select distinct
        data.indicator_id,
        data.time_period,
        data.time_period_sortable,
        data.time_period_range,
        coalesce(definition.year_type, catalogue.expected_year_type, '') as year_type
    from {{ ref('stg_fingertips__data') }} as data
    inner join {{ ref('int_fingertips_winner') }} as winner
        on data.load_id = winner.load_id and data.indicator_id = winner.indicator_id
    left join {{ ref('int_fingertips_definition') }} as definition on data.indicator_id = definition.indicator_id
    left join {{ ref('fingertips_indicator') }} as catalogue on data.indicator_id = catalogue.indicator_id
),

parts as (
    select
        *,
        left(time_period_sortable, 4)::integer as first_year,
        substr(time_period_sortable, 5, 2)::integer as quarter,
        substr(time_period_sortable, 7, 2)::integer as month,
        regexp_match(time_period, '^(\d{4})(?:/\d{2,4})? *[-–] *(\d{2,4})(?:/\d{2,4})?$') as years,
        regexp_match(time_period, 'Q([1-4]) *[-–] *(\d{4}).*Q([1-4])$') as quarters,
        regexp_match(time_period, '^([A-Z][a-z]{2}) (\d{4})(?: *[-–] *([A-Z][a-z]{2}) (\d{4}))?$') as months,
        time_period ~ '^\d{4}/\d{2}' as is_named_by_two_years
    from texts
),

begun as (
    select
        *,
        case
            when time_period_range ~ '^\d+m$' then left(time_period_range, -1)::integer
            when time_period_range ~ '^\d+y$' then left(time_period_range, -1)::integer * 12
            when months is not null and months[3] is null then 1
            when months is not null
                then (
                    extract(year from age(to_date(months[3] || months[4], 'MonYYYY'), to_date(months[1] || months[2], 'MonYYYY'))) * 12
                    + extract(month from age(to_date(months[3] || months[4], 'MonYYYY'), to_date(months[1] || months[2], 'MonYYYY'))) + 1
                )::integer
            when quarters is not null
                then ((quarters[2]::integer - first_year) * 4 + quarters[3]::integer - quarters[1]::integer + 1) * 3
            when quarter > 0 then 3
            when month > 0 then 1
            when years is not null then ((right(years[2], 2)::integer - first_year % 100 + 100) % 100 + 1) * 12
            else 12
        end as length_in_months,
        case
            when year_type ilike 'Financial year end point%' then 3
            when year_type ilike 'Financial%' then 4
            when year_type ilike 'Academic%' then 9
            when year_type ilike 'Yearly%' or year_type ilike 'November%' then 11
            when year_type = '' and is_named_by_two_years then 4
            else 1
        end as first_month_of_year
    from parts
),

dated as (
    select
        *,
        case
            when months is not null then to_date(months[1] || months[2], 'MonYYYY')
            when month > 0 then make_date(first_year, month, 1)
            when year_type ilike 'Financial year end point%' then make_date(first_year + is_named_by_two_years::integer, 3, 1)
            else
                (
                    make_date(first_year, first_month_of_year, 1)
                    + make_interval(months => case when quarter > 0 then (quarter - 1) * 3 else 0 end)
                )::date
        end as period_start_date
    from begun
)

select
    indicator_id,
    time_period,
    time_period_sortable,
    coalesce(time_period_range, '') as time_period_range,
    period_start_date,
    (
        period_start_date
        + make_interval(months => case when year_type ilike 'Financial year end point%' then 1 else length_in_months end)
        - interval '1 day'
    )::date as period_end_date,
    case
        when year_type ilike 'Financial year end point%' then 'on_31_march'
        when length_in_months = 1 then 'month'
        when length_in_months = 3 then 'quarter'
        when length_in_months % 12 <> 0 then 'months_' || length_in_months
        else
            case
                when months is not null then 'rolling_year'
                when year_type = '' and is_named_by_two_years then 'financial_or_academic_year'
                when first_month_of_year = 4 then 'financial_year'
                when first_month_of_year = 9 then 'academic_year'
                when first_month_of_year = 11 then 'november_year'
                else 'calendar_year'
            end
            || case when length_in_months > 12 then 's_' || length_in_months / 12 else '' end
    end as period_kind
from dated
