select distinct on (
    data.indicator_id,
    data.area_code,
    data.published_sex,
    data.published_age,
    data.category_type,
    data.category,
    data.time_period_sortable,
    data.time_period
)
    data.indicator_id,
    catalogue.measure_code,
    data.indicator_name,
    data.area_code,
    data.area_class,
    data.published_area_code,
    data.published_area_name,
    data.published_area_type,
    data.published_sex,
    data.published_age,
    data.category_type,
    data.category,
    data.category_type = '' and data.category = '' as is_headline,
    data.time_period,
    data.time_period_sortable,
    period.period_kind,
    period.period_start_date,
    period.period_end_date,
    data.value,
    data.lower_95_limit,
    data.upper_95_limit,
    data.lower_99_8_limit,
    data.upper_99_8_limit,
    data.count,
    data.denominator,
    data.value_note,
    data.recent_trend,
    data.compared_to_england,
    data.compared_to_parent,
    data.compared_to_goal,
    data.is_new_data,
    data.area_code = 'E09000012' and coalesce(data.value_note ilike '%Hackney and City of London%', false) as includes_city_of_london,
    data.area_class = 'local_authority'
    and (
        coalesce(catalogue.is_force_wide, false)
        or coalesce(data.value_note ilike '%police force area%', false)
    ) as is_force_wide,
    winner.source_release
from {{ ref('stg_fingertips__data') }} as data
inner join {{ ref('int_fingertips_winner') }} as winner
    on data.load_id = winner.load_id and data.indicator_id = winner.indicator_id
inner join {{ ref('int_fingertips_period') }} as period
    on
        data.indicator_id = period.indicator_id
        and data.time_period = period.time_period
        and data.time_period_sortable = period.time_period_sortable
        and coalesce(data.time_period_range, '') = period.time_period_range
left join {{ ref('fingertips_indicator') }} as catalogue on data.indicator_id = catalogue.indicator_id
where data.area_code is not null
-- England stands twice where its parent is asked for too, and a borough in two vintages of the area types: the first row speaks.
order by
    data.indicator_id asc,
    data.area_code asc,
    data.published_sex asc,
    data.published_age asc,
    data.category_type asc,
    data.category asc,
    data.time_period_sortable asc,
    data.time_period asc,
    (data.parent_code is null) desc,
    data.row_number asc
