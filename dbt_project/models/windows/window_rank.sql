{%- set windows = ['month', 'rolling_3', 'rolling_6', 'rolling_12', 'financial_year_to_date'] %}
-- Where residents of any borough are known, boroughs are ranked by rate and one without has no rank; where of none, by count. So no ranking
-- mixes the two, and rank_basis says which it is.
with divided as (
    select
        series.series_id,
        series.ranking_id,
        counted.month_index,
        series.is_borough,
        {% for window in windows %}
        counted.{{ window }}_count,
        counted.previous_{{ window }}_count,
        {% endfor %}
        resident.residents,
        resident.residents_year,
        middle.residents as rolling_12_residents,
        middle.residents_year as rolling_12_residents_year,
        resident.year is not null as is_rate,
        middle.year is not null as is_rolling_12_rate,
        extract(month from counted.month_start_date) = 3 as is_whole_financial_year
    from {{ ref('window_count') }} as counted
    inner join {{ ref('window_series') }} as series on counted.series_id = series.series_id
    left join {{ ref('window_residents') }} as resident
        on
            series.area_code = resident.area_code
            and series.residents_sex = resident.sex
            and series.residents_age_band = resident.age_band
            and extract(year from counted.month_start_date)::integer = resident.year
    -- The middle of twelve months that end before July lies in the year before.
    left join {{ ref('window_residents') }} as middle
        on
            series.area_code = middle.area_code
            and series.residents_sex = middle.sex
            and series.residents_age_band = middle.age_band
            and extract(year from counted.month_start_date - interval '6 months')::integer = middle.year
),

ranked as (
    select
        series_id,
        ranking_id,
        month_index,
        residents,
        residents_year,
        rolling_12_residents,
        rolling_12_residents_year,
        case when is_borough then case when is_rate then 'rate' else 'count' end end as rank_basis,
        case when is_borough then case when is_rolling_12_rate then 'rate' else 'count' end end as rolling_12_rank_basis,
        {% for window in windows %}
        case
            when is_borough
                then
                    {{ window }}_count::double precision
                    / case
                        {% if window == 'rolling_12' %}
                        when is_rolling_12_rate then rolling_12_residents
                        {% elif window == 'financial_year_to_date' %}
                        when is_whole_financial_year and is_rolling_12_rate then rolling_12_residents
                        when not is_whole_financial_year and is_rate then residents
                        {% else %}
                        when is_rate then residents
                        {% endif %}
                        else 1
                    end
        end as {{ window }}_level,
        case
            when is_borough and previous_{{ window }}_count > 0
                then {{ window }}_count::double precision / previous_{{ window }}_count
        end as {{ window }}_change,
        {% endfor %}
        case when is_borough then rolling_12_count end as ranked_count
    from divided
),

-- What the boroughs are ranked by, from the least on: eleven rankings of one sorting, not eleven sortings of whole rows.
ranking as (
    select
        ranking_id,
        month_index,
        {% for window in windows %}
        {{ ordered(window ~ '_level') }} as {{ window }}_levels,
        {{ ordered(window ~ '_change') }} as {{ window }}_changes,
        {% endfor %}
        {{ ordered('ranked_count') }} as rolling_12_counts
    from ranked
    group by ranking_id, month_index
)

select
    ranked.series_id,
    ranked.month_index,
    ranked.residents,
    ranked.residents_year,
    ranked.rolling_12_residents,
    ranked.rolling_12_residents_year,
    ranked.rank_basis,
    ranked.rolling_12_rank_basis,
    {% for window in windows %}
    {{ rank_in('ranking.' ~ window ~ '_levels', 'ranked.' ~ window ~ '_level') }}::smallint as {{ window }}_rank,
    {{ quarter_in('ranking.' ~ window ~ '_levels', 'ranked.' ~ window ~ '_level') }} as {{ window }}_quartile,
    {{ quarter_in('ranking.' ~ window ~ '_changes', 'ranked.' ~ window ~ '_change') }} as {{ window }}_change_quartile,
    {% endfor %}
    {{ rank_in('ranking.rolling_12_counts', 'ranked.ranked_count') }}::smallint as rolling_12_rank_by_count
from ranked
inner join ranking on ranked.ranking_id = ranking.ranking_id and ranked.month_index = ranking.month_index
