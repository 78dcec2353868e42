{% set effect = break_effect_percent('win.rolling_12_placed_share', 'before.rolling_12_placed_share') %}
select
    win.area_code,
    area.area_name,
    win.month_start_date,
    win.measure_code,
    measure.measure_name,
    win.month_count,
    win.rolling_12_count as rolling_12_month_count,
    before.rolling_12_count as previous_rolling_12_month_count,
    round(
        100.0 * (win.rolling_12_count - before.rolling_12_count) / nullif(before.rolling_12_count, 0), 2
    )::numeric(12, 2) as change_on_year_percent,
    round(100.0 * win.month_count / nullif(london.month_count, 0), 3)::numeric(7, 3) as share_of_london_percent,
    round(100.0 * win.rolling_12_count / nullif(london.rolling_12_count, 0), 3)::numeric(7, 3)
        as rolling_12_month_share_of_london_percent,
    win.rolling_12_rank_by_count::integer as rank_in_london,
    case when win.rolling_12_rank_by_count is not null then 'count' end as rank_basis,
    -- A break that opens the 24 months compared lies before all of them.
    coalesce(win.break_month_start_date > (win.month_start_date - interval '23 months')::date, false) as has_series_break,
    {{ is_comparable(
        'win.hard_break_month_start_date', "(win.month_start_date - interval '23 months')::date", 'win.rolling_12_count',
        'before.rolling_12_count', 'win.rolling_12_placed_share', 'before.rolling_12_placed_share'
    ) }} as is_comparable_on_year_before,
    round(({{ effect }})::numeric, 2)::numeric(14, 2) as break_effect_percent,
    nullif(concat_ws(
        '; ',
        (
            select {{ breaks_in_words('breaks') }}
            from {{ ref('series_break') }} as breaks
            where
                breaks.measure_code = win.measure_code
                and (breaks.area_code is null or breaks.area_code = win.area_code)
                and breaks.break_month > (win.month_start_date - interval '23 months')::date
                and breaks.break_month <= win.month_start_date
        ),
        {{ break_effect_in_words('(' ~ effect ~ ')') }}
    ), '') as break_reason,
    win.value_note,
    win.source_release,
    win.is_provisional,
    win.typical_revision_percent,
    win.typical_revision_editions,
    (select kind.data_kind from {{ ref('dim_data_kind') }} as kind) as data_kind
from {{ ref('fct_window') }} as win
inner join {{ ref('dim_area') }} as area on win.area_code = area.area_code
inner join {{ ref('dim_measure') }} as measure on win.measure_code = measure.measure_code
left join {{ ref('fct_window') }} as before
    on
        win.measure_code = before.measure_code
        and win.area_code = before.area_code
        and (win.month_start_date - interval '1 year')::date = before.month_start_date
        and before.sex = 'all'
        and before.age_band = 'all'
left join {{ ref('fct_window') }} as london
    on
        win.measure_code = london.measure_code
        and london.area_code = 'LONDON_32'
        and win.month_start_date = london.month_start_date
        and london.sex = 'all'
        and london.age_band = 'all'
where win.sex = 'all' and win.age_band = 'all' and (area.is_in_london_32 or win.area_code = 'LONDON_32')
