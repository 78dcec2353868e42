with published as (
    select
        _load_id as load_id,
        _row_number as row_number,
        indicator_id,
        -- Names carry line ends and double blanks.
        btrim(regexp_replace(indicator_name, '\s+', ' ', 'g')) as indicator_name,
        nullif(parent_code, '') as parent_code,
        -- Some codes in the publisher's database have a stray n in front.
        regexp_replace(btrim(area_code), '^n(?=[A-Z])', '') as published_area_code,
        nullif(btrim(area_name), '') as published_area_name,
        nullif(btrim(area_type), '') as published_area_type,
        sex as published_sex,
        btrim(age) as published_age,
        coalesce(btrim(category_type), '') as category_type,
        coalesce(btrim(category), '') as category,
        btrim(time_period) as time_period,
        time_period_sortable,
        nullif(btrim(time_period_range), '') as time_period_range,
        -- The API says -1 where there is no value, and some of its files do.
        nullif(nullif(value, '')::numeric, -1) as value,
        nullif(nullif(lower_ci_95_0_limit, '')::numeric, -1) as lower_95_limit,
        nullif(nullif(upper_ci_95_0_limit, '')::numeric, -1) as upper_95_limit,
        nullif(nullif(lower_ci_99_8_limit, '')::numeric, -1) as lower_99_8_limit,
        nullif(nullif(upper_ci_99_8_limit, '')::numeric, -1) as upper_99_8_limit,
        nullif(nullif(count, '')::numeric, -1) as count,
        nullif(nullif(denominator, '')::numeric, -1) as denominator,
        nullif(btrim(value_note), '') as value_note,
        nullif(recent_trend, '') as recent_trend,
        nullif(compared_to_england, '') as compared_to_england,
        nullif(compared_to_parent, '') as compared_to_parent,
        nullif(compared_to_goal, '') as compared_to_goal,
        coalesce(new_data, '') <> '' as is_new_data
    from {{ source('raw_fingertips', 'fingertips__data') }}
)

select
    published.*,
    aliases.area_code,
    -- By the prefix of the code: the text of the area type changes from year to year.
    case
        when published.published_area_code like 'E92%' then 'country'
        when published.published_area_code like 'E12%' then 'region'
        when published.published_area_code ~ '^E(06|07|08|09|10)' then 'local_authority'
        else 'other'
    end as area_class
from published
left join {{ ref('area_aliases') }} as aliases
    on aliases.source = 'fingertips' and published.published_area_code = aliases.published_name
