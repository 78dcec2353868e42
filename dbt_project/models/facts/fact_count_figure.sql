with guarded as (
    select * from {{ ref('fact_count_window') }}
),

-- Of a ruled measure from the counts as they are let out, which tell nothing more together; none where one of the boroughs is withheld.
similar_areas as (
    select
        similar_to.borough_code,
        own.measure_code,
        case
            when count(*) = count(other.told_now) and count(*) = count(other.denominator)
                then sum(other.told_now)::double precision / nullif(sum(other.denominator), 0)
        end as told_rate_of_one
    from guarded as own
    inner join {{ ref('dim_similar_area') }} as similar_to on own.area_code = similar_to.borough_code
    left join guarded as other on similar_to.similar_area_code = other.area_code and own.measure_code = other.measure_code
    group by similar_to.borough_code, own.measure_code
)

select
    guarded.measure_code,
    guarded.area_code,
    guarded.area_name,
    guarded.area_type,
    guarded.window_kind,
    guarded.month_start_date,
    guarded.window_start_date,
    guarded.window_end_date,
    guarded.window_count,
    guarded.denominator,
    guarded.denominator_year,
    guarded.denominator_population,
    guarded.rate,
    guarded.rate_per,
    guarded.rate_lower_95,
    guarded.rate_upper_95,
    guarded.count_year_before,
    guarded.change_on_year_before_percent,
    guarded.change_on_2019_percent,
    guarded.share_of_london_percent,
    guarded.london_rate,
    guarded.similar_areas_rate,
    guarded.rank_in_london,
    guarded.significance_against_london,
    guarded.status,
    guarded.residents_caveat,
    guarded.break_reason,
    guarded.break_label,
    guarded.source_release,
    guarded.is_provisional,
    guarded.unit,
    guarded.publish_rule,
    guarded.place,
    guarded.is_comparable,
    guarded.is_london_comparable,
    guarded.does_total_tell,
    guarded.told_now,
    guarded.told_before,
    guarded.london_now,
    asked.fact_code,
    asked.template,
    asked.rate_per as told_per,
    asked.name,
    asked.noun,
    asked.noun_of_one,
    guarded.told_now::double precision * asked.rate_per / guarded.denominator as told_rate,
    case
        when not guarded.does_total_tell then guarded.london_now::double precision * asked.rate_per / guarded.london_denominator
    end as told_london_rate,
    case
        when guarded.publish_rule = 'open' then guarded.similar_areas_rate / guarded.rate_per * asked.rate_per
        else similar_areas.told_rate_of_one * asked.rate_per
    end as told_similar_rate,
    case
        when guarded.area_type = 'borough'
            then marts.funnel_label(guarded.window_count, guarded.similar_areas_rate / guarded.rate_per * guarded.denominator)
    end as significance_against_similar,
    {{ change_verdict('guarded.told_now', 'guarded.told_before') }} as change_verdict,
    {{ change_verdict('guarded.london_now', 'guarded.london_before') }} as london_verdict,
    case
        when guarded.told_before >= 10 and guarded.told_now >= 10
            then 100.0 * (guarded.told_now - guarded.told_before) / guarded.told_before
    end as told_change,
    case
        when guarded.london_before >= 10 and guarded.london_now >= 10
            then 100.0 * (guarded.london_now - guarded.london_before) / guarded.london_before
    end as london_change
from guarded
inner join {{ ref('fact_count_asked') }} as asked
    on
        guarded.measure_code = asked.measure_code
        and case guarded.area_code
            when 'LONDON_PUBLISHED' then asked.area_kind = 'london'
            when 'LONDON_32' then asked.area_kind = 'all'
            else asked.area_kind <> 'london'
        end
left join similar_areas
    on guarded.area_code = similar_areas.borough_code and guarded.measure_code = similar_areas.measure_code
where
    -- A level and a rank of London are not told where they would tell what a borough withholds.
    (guarded.area_code <> 'LONDON_32' or not guarded.does_total_tell)
    and (asked.template <> 'change' or guarded.count_year_before is not null)
    -- A rank of what is withheld would be told beside its rate of London.
    and (
        asked.template <> 'rank'
        or (guarded.rank_basis = 'rate' and guarded.rate is not null and guarded.publish_rule = 'open')
        or (guarded.area_code = 'LONDON_32' and guarded.rate is not null and guarded.publish_rule = 'open')
    )
