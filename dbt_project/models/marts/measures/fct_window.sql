{#- Of all people alone: the narrow views read it in place of the table, and find similar areas side by side in it. -#}
{{ config(post_hook="create index on {{ this }} (measure_code, month_start_date, area_code) include (month_count, residents, rolling_12_count,"
    ~ " rolling_12_residents) where sex = 'all' and age_band = 'all'") }}
{%- set windows = ['month', 'rolling_3', 'rolling_6', 'rolling_12', 'financial_year_to_date'] %}
select
    series.area_code,
    series.measure_code,
    counted.month_start_date,
    series.sex,
    series.age_band,
    {% for window in windows %}
    counted.{{ window }}_count,
    {% endfor %}
    ranked.residents,
    ranked.residents_year,
    ranked.rolling_12_residents,
    ranked.rolling_12_residents_year,
    ranked.rank_basis,
    ranked.rolling_12_rank_basis,
    {% for window in windows %}
    ranked.{{ window }}_rank,
    ranked.{{ window }}_quartile,
    ranked.{{ window }}_change_quartile,
    {% endfor %}
    ranked.rolling_12_rank_by_count,
    counted.break_month_start_date,
    counted.hard_break_month_start_date,
    {% for window in windows %}
    case
        when series.is_borough or series.area_code in ('LONDON_32', 'INNER', 'OUTER')
            then coalesce(own_share.{{ window }}_placed_share, common_share.{{ window }}_placed_share)
    end as {{ window }}_placed_share,
    {% endfor %}
    chart.chart_centre,
    chart.chart_lower,
    chart.chart_upper,
    chart.chart_signal,
    counted.unknown_month_start_date,
    counted.value_note,
    counted.source_release,
    counted.is_provisional,
    case when counted.is_provisional then typical.median_percent end as typical_revision_percent,
    case when counted.is_provisional then typical.month_count end as typical_revision_editions
from {{ ref('window_count') }} as counted
inner join {{ ref('window_series') }} as series on counted.series_id = series.series_id
inner join {{ ref('window_rank') }} as ranked on counted.series_id = ranked.series_id and counted.month_index = ranked.month_index
left join {{ ref('window_chart') }} as chart on counted.series_id = chart.series_id and counted.month_index = chart.month_index
left join {{ ref('int_placed_share') }} as common_share
    on
        series.measure_code = common_share.measure_code
        and counted.month_start_date = common_share.month_start_date
        and common_share.scope_area_code = 'all'
left join {{ ref('int_placed_share') }} as own_share
    on
        series.measure_code = own_share.measure_code
        and counted.month_start_date = own_share.month_start_date
        and series.area_code = own_share.scope_area_code
left join {{ ref('int_typical_revision') }} as typical on series.measure_code = typical.measure_code
