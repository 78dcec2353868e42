-- Of the residents PostgreSQL has no statistics here and takes them for a handful: it would compare every row with every area's. It takes the
-- ranked rows for a handful, too, and would look up the placed shares of a million rows one by one.
{{ config(pre_hook='set local enable_mergejoin to off; set local enable_nestloop to off') }}
{% set windows = ['month', 'rolling_3', 'rolling_6', 'rolling_12', 'financial_year_to_date'] %}
{%- set months = {'month': 1, 'rolling_3': 3, 'rolling_6': 6, 'rolling_12': 12, 'financial_year_to_date': 'months_of_year'} %}
with counted as (
    select
        fact.area_code,
        fact.measure_code,
        fact.sex,
        fact.age_band,
        fact.period_start_date as month_start_date,
        extract(year from fact.period_start_date)::integer as year,
        (extract(year from fact.period_start_date) * 12 + extract(month from fact.period_start_date))::integer as month_index,
        -- The middle of twelve months that end before July lies in the year before.
        extract(year from fact.period_start_date - interval '6 months')::integer as middle_year,
        -- April is the first month of a financial year.
        ((extract(month from fact.period_start_date)::integer + 8) % 12) + 1 as months_of_year,
        extract(day from fact.period_end_date)::integer as days,
        fact.value::bigint as month_count,
        fact.value_note,
        fact.source_release,
        fact.is_provisional,
        area.is_in_london_32 as is_borough,
        case
            when fact.sex = 'all' and fact.age_band = 'all' then split_part(measure.denominator_population, ':', 1)
            when measure.denominator_population is not null then fact.sex
        end as residents_sex,
        case
            when fact.sex = 'all' and fact.age_band = 'all' then split_part(measure.denominator_population, ':', 2)
            when measure.denominator_population is not null then fact.age_band
        end as residents_age_band
    from {{ ref('fct_measure') }} as fact
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    inner join {{ ref('dim_area') }} as area on fact.area_code = area.area_code
    where fact.period_kind = 'month' and fact.ethnicity = 'all' and measure.is_summable_over_time
),

-- A running sum, so that every window is the difference of two; and the newest break up to each month: of any kind, of recording, and of
-- those that restart the chart; and the newest month without a figure. A month that stands apart has no point on the chart.
running as (
    select
        counted.*,
        sum(coalesce(counted.month_count, 0)) over series as count_to_date,
        max(case when counted.month_count is null then counted.month_index end) over series as unknown_month_index,
        max(case when counted.month_count is null then counted.month_start_date end) over series as unknown_month_start_date,
        max(coalesce(own.break_month, everywhere.break_month)) over series as break_month_start_date,
        max(counted.month_start_date) filter (where own.is_hard or everywhere.is_hard) over series as hard_break_month_start_date,
        max(counted.month_start_date) filter (where own.restarts_chart or everywhere.restarts_chart) over series as chart_start_date,
        case
            when not coalesce(own.stands_apart, false) and not coalesce(everywhere.stands_apart, false)
                then counted.month_count::double precision / counted.days
        end as per_day
    from counted
    left join {{ ref('int_series_step') }} as everywhere
        on
            counted.measure_code = everywhere.measure_code
            and counted.month_start_date = everywhere.break_month
            and everywhere.scope_area_code = 'all'
    left join {{ ref('int_series_step') }} as own
        on
            counted.measure_code = own.measure_code
            and counted.month_start_date = own.break_month
            and counted.area_code = own.scope_area_code
    window series as (
        partition by counted.measure_code, counted.area_code, counted.sex, counted.age_band order by counted.month_start_date
    )
),

-- Windows count rows, so one is trusted only where the row so many places back is the month so many months back, and no month of it unknown.
summed as (
    select
        *,
        {% for window in windows if window != 'month' %}
        {% set length = months[window] %}
        case
            when
                lag(month_index, {{ length }} - 1) over series = month_index - ({{ length }} - 1)
                and coalesce(unknown_month_index < month_index - ({{ length }} - 1), true)
                then (count_to_date - lag(count_to_date, {{ length }}, 0::numeric) over series)::bigint
        end as {{ window }}_count,
        {% endfor %}
        -- The step from the month before, but never the step that a break makes.
        abs(
            per_day
            - case
                when
                    lag(month_index) over series = month_index - 1
                    and lag(chart_start_date) over series is not distinct from chart_start_date
                    then lag(per_day) over series
            end
        ) as moving_range
    from running
    window series as (partition by measure_code, area_code, sex, age_band order by month_start_date)
),

-- XmR chart of the events of a day: the two years before the month, since the newest break that matters to it, say what is to be expected of it.
charted as (
    select
        *,
        {% for window in windows %}
        case
            when lag(month_index, 12) over series = month_index - 12 then lag({{ window }}_count, 12) over series
        end as previous_{{ window }}_count,
        {% endfor %}
        case when per_day is not null and count(per_day) over before_it >= 12 then avg(per_day) over before_it end as centre,
        case when per_day is not null and count(per_day) over before_it >= 12 then avg(moving_range) over before_it end as mean_moving_range
    from summed
    window
        series as (partition by measure_code, area_code, sex, age_band order by month_start_date),
        before_it as (
            partition by measure_code, area_code, sex, age_band, chart_start_date
            order by month_start_date rows between 24 preceding and 1 preceding
        )
),

signed as (
    select
        *,
        case when centre is not null then greatest(centre - 2.66 * mean_moving_range, 0) end as lower_limit,
        centre + 2.66 * mean_moving_range as upper_limit,
        sum(sign(per_day - centre)) over eight as side_of_eight,
        count(centre) over eight as charted_of_eight
    from charted
    window
        eight as (
            partition by measure_code, area_code, sex, age_band, chart_start_date
            order by month_start_date rows between 7 preceding and current row
        )
),

wanted as (
    select distinct
        residents_sex as sex,
        residents_age_band as age_band,
        case when residents_age_band = 'all' then 0 else substring(residents_age_band from '^(\d+)')::integer end as first_age,
        case
            when residents_age_band ~ '^(all|\d+\+)$' then 90
            else substring(residents_age_band from '^\d+-(\d+)$')::integer
        end as last_age
    from counted
    -- A band in words (not recorded, over 34) has no residents that could be told.
    where residents_age_band ~ '^(all|\d+(\+|-\d+))$'
),

population as (
    select
        single.area_code,
        single.year,
        wanted.sex,
        wanted.age_band,
        sum(single.residents)::bigint as residents
    from wanted
    inner join {{ ref('int_population') }} as single
        on
            wanted.sex = single.sex
            and single.age_band ~ '^\d+\+?$'
            and rtrim(single.age_band, '+')::integer between wanted.first_age and wanted.last_age
    group by single.area_code, single.year, wanted.sex, wanted.age_band, wanted.first_age, wanted.last_age
    -- Half a band would be taken for the whole.
    having count(*) = wanted.last_age - wanted.first_age + 1
),

-- Of a year that is not out, the nearest earlier one; of a year before all of them, none.
resident as (
    select distinct on (population.area_code, population.sex, population.age_band, wanted_year.year)
        population.area_code,
        population.sex,
        population.age_band,
        wanted_year.year,
        population.year as residents_year,
        population.residents
    from (
        select distinct year from counted
        union
        select distinct year - 1 as year from counted
    ) as wanted_year
    inner join population on wanted_year.year >= population.year
    order by
        population.area_code asc,
        population.sex asc,
        population.age_band asc,
        wanted_year.year asc,
        population.year desc
),

known as (
    select distinct
        resident.sex,
        resident.age_band,
        resident.year
    from resident
    inner join {{ ref('dim_area') }} as area on resident.area_code = area.area_code and area.is_in_london_32
),

divided as (
    select
        signed.*,
        resident.residents,
        resident.residents_year,
        middle.residents as rolling_12_residents,
        middle.residents_year as rolling_12_residents_year,
        case when signed.is_borough then case when known.year is not null then 'rate' else 'count' end end as rank_basis,
        case when signed.is_borough then case when known_middle.year is not null then 'rate' else 'count' end end as rolling_12_rank_basis,
        {% for window in windows %}
        case
            when signed.is_borough
                then
                    signed.{{ window }}_count::double precision
                    / case
                        {% if window == 'rolling_12' %}
                        when known_middle.year is not null then middle.residents
                        {% elif window == 'financial_year_to_date' %}
                        when signed.months_of_year = 12 and known_middle.year is not null then middle.residents
                        when signed.months_of_year < 12 and known.year is not null then resident.residents
                        {% else %}
                        when known.year is not null then resident.residents
                        {% endif %}
                        else 1
                    end
        end as {{ window }}_level,
        case
            when signed.is_borough and signed.previous_{{ window }}_count > 0
                then signed.{{ window }}_count::double precision / signed.previous_{{ window }}_count
        end as {{ window }}_change,
        {% endfor %}
        case when signed.is_borough then signed.rolling_12_count end as ranked_count
    from signed
    left join resident
        on
            signed.area_code = resident.area_code
            and signed.residents_sex = resident.sex
            and signed.residents_age_band = resident.age_band
            and signed.year = resident.year
    left join resident as middle
        on
            signed.area_code = middle.area_code
            and signed.residents_sex = middle.sex
            and signed.residents_age_band = middle.age_band
            and signed.middle_year = middle.year
    -- Where residents of any borough are known, boroughs are ranked by rate and one without has no rank; where of none, by count. So no
    -- ranking mixes the two, and rank_basis says which it is.
    left join known
        on signed.residents_sex = known.sex and signed.residents_age_band = known.age_band and signed.year = known.year
    left join known as known_middle
        on
            signed.residents_sex = known_middle.sex
            and signed.residents_age_band = known_middle.age_band
            and signed.middle_year = known_middle.year
),

-- What the boroughs are ranked by, from the least on: eleven rankings of one sorting, not eleven sortings of whole rows.
ranking as (
    select
        measure_code,
        month_start_date,
        sex,
        age_band,
        {% for window in windows %}
        {{ ordered(window ~ '_level') }} as {{ window }}_levels,
        {{ ordered(window ~ '_change') }} as {{ window }}_changes,
        {% endfor %}
        {{ ordered('ranked_count') }} as rolling_12_counts
    from divided
    group by measure_code, month_start_date, sex, age_band
)

select
    divided.area_code,
    divided.measure_code,
    divided.month_start_date,
    divided.sex,
    divided.age_band,
    {% for window in windows %}
    divided.{{ window }}_count,
    {% endfor %}
    divided.residents,
    divided.residents_year,
    divided.rolling_12_residents,
    divided.rolling_12_residents_year,
    divided.rank_basis,
    divided.rolling_12_rank_basis,
    {% for window in windows %}
    {{ rank_in('ranking.' ~ window ~ '_levels', 'divided.' ~ window ~ '_level') }}::smallint as {{ window }}_rank,
    {{ quarter_in('ranking.' ~ window ~ '_levels', 'divided.' ~ window ~ '_level') }} as {{ window }}_quartile,
    {{ quarter_in('ranking.' ~ window ~ '_changes', 'divided.' ~ window ~ '_change') }} as {{ window }}_change_quartile,
    {% endfor %}
    {{ rank_in('ranking.rolling_12_counts', 'divided.ranked_count') }}::smallint as rolling_12_rank_by_count,
    divided.break_month_start_date,
    divided.hard_break_month_start_date,
    {% for window in windows %}
    case
        when divided.is_borough or divided.area_code in ('LONDON_32', 'INNER', 'OUTER')
            then coalesce(own_share.{{ window }}_placed_share, common_share.{{ window }}_placed_share)
    end as {{ window }}_placed_share,
    {% endfor %}
    round((divided.centre * divided.days)::numeric, 2)::double precision as chart_centre,
    round((divided.lower_limit * divided.days)::numeric, 2)::double precision as chart_lower,
    round((divided.upper_limit * divided.days)::numeric, 2)::double precision as chart_upper,
    case
        when divided.centre is null then null
        when divided.per_day > divided.upper_limit then 'above_upper_limit'
        when divided.per_day < divided.lower_limit then 'below_lower_limit'
        when divided.charted_of_eight = 8 and divided.side_of_eight = 8 then 'eight_above_centre'
        when divided.charted_of_eight = 8 and divided.side_of_eight = -8 then 'eight_below_centre'
        else 'none'
    end as chart_signal,
    divided.unknown_month_start_date,
    divided.value_note,
    divided.source_release,
    divided.is_provisional,
    case when divided.is_provisional then typical.median_percent end as typical_revision_percent,
    case when divided.is_provisional then typical.month_count end as typical_revision_editions
from divided
inner join ranking
    on
        divided.measure_code = ranking.measure_code
        and divided.month_start_date = ranking.month_start_date
        and divided.sex = ranking.sex
        and divided.age_band = ranking.age_band
left join {{ ref('int_placed_share') }} as common_share
    on
        divided.measure_code = common_share.measure_code
        and divided.month_start_date = common_share.month_start_date
        and common_share.scope_area_code = 'all'
left join {{ ref('int_placed_share') }} as own_share
    on
        divided.measure_code = own_share.measure_code
        and divided.month_start_date = own_share.month_start_date
        and divided.area_code = own_share.scope_area_code
left join {{ ref('int_typical_revision') }} as typical on divided.measure_code = typical.measure_code
