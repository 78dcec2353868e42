{% set profile_sentence %}
case
    when told.share_words is null
        then
            'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to give the share who were ' || told.phrase
            || coalesce(' (' || told.known_words || ' in all)', '') || '.'
    else
        'Of the ' || told.known_words || ' ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || told.known_by || ', '
        || told.share_words || ' were ' || told.phrase
        || case
            when told.residents_words is null or told.ratio_verdict is null then ''
            when told.ratio_verdict = 'similar' then ', not significantly different from the share of ' || told.residents_words
            else ', ' || told.ratio_words || ' times the share of ' || told.residents_words
        end || '.'
end
{% endset %}

with asked as (
    select
        *,
        split_part(item, '/', 1) as sex,
        split_part(item, '/', 2) as age_band,
        split_part(item, '/', 3) as ethnicity
    from {{ ref('fact_pack') }}
    where template = 'profile'
),

newest as (
    select
        measure_code,
        period_kind,
        max(period_end_date) as period_end_date
    from {{ ref('rpt_victim_profile') }}
    where period_kind like 'rolling%'
    group by measure_code, period_kind
),

-- A group of which nobody is counted has no row: every area that has the whole has the fact.
whole as (
    select
        asked.*,
        -- Of those a source has, the one that comes first.
        profile.ethnicity_basis,
        found.area_code,
        found.period_kind,
        found.period_start_date,
        found.period_end_date,
        found.person_count as all_count,
        found.classification,
        found.publish_rule,
        found.source_release,
        found.has_series_break,
        found.break_reason
    from asked
    inner join {{ ref('victim_profile_measure') }} as profile on asked.measure_code = profile.measure_code
    inner join {{ ref('rpt_victim_profile') }} as found
        on
            asked.measure_code = found.measure_code
            and found.sex = 'all'
            and found.age_band = 'all'
            and found.ethnicity = 'all'
    inner join newest
        on
            found.measure_code = newest.measure_code
            and found.period_kind = newest.period_kind
            and found.period_end_date = newest.period_end_date
),

shared as (
    select
        whole.*,
        part.person_count,
        part.known_count,
        part.share_of_known_percent,
        part.share_lower_95_percent,
        part.share_upper_95_percent,
        part.residents_share_percent,
        part.residents_basis,
        part.residents_caveat,
        part.disproportionality,
        part.disproportionality_lower_95,
        part.disproportionality_upper_95
    from whole
    left join {{ ref('rpt_victim_profile') }} as part
        on
            whole.measure_code = part.measure_code
            and whole.area_code = part.area_code
            and whole.period_kind = part.period_kind
            and whole.period_start_date = part.period_start_date
            and whole.sex = part.sex
            and whole.age_band = part.age_band
            and whole.ethnicity = part.ethnicity
            and (whole.ethnicity = 'all' or whole.ethnicity_basis = part.ethnicity_basis)
),

told as (
    select
        shared.*,
        case when area.area_type = 'borough' then area.area_name else 'London''s 32 boroughs' end as place,
        {{ months_in_words('shared.period_start_date', 'shared.period_end_date') }} as window_name,
        {{ count_in_words('coalesce(shared.known_count, shared.all_count)', 'shared.publish_rule') }} as known_words,
        case
            when shared.ethnicity <> 'all' and shared.ethnicity_basis = 'self_defined' then ' who gave their ethnic group'
            when shared.ethnicity <> 'all' then ' whose ethnic group is known'
            when shared.age_band <> 'all' then ' whose age is known'
            else ' whose sex is known'
        end as known_by,
        -- An exact share of a known whole would tell a count that its rule keeps.
        case
            when shared.known_count >= 10 and shared.publish_rule = 'open'
                then {{ percent_in_words('shared.share_of_known_percent') }}
        end as share_words,
        'residents' || case shared.residents_basis when 'all_ages_both_sexes' then ' of all ages' else '' end
        || ' (' || {{ percent_in_words('shared.residents_share_percent') }} || ')' as residents_words,
        {{ one_decimal('shared.disproportionality') }} as ratio_words,
        case
            when shared.disproportionality_lower_95 > 1 then 'higher'
            when shared.disproportionality_upper_95 < 1 then 'lower'
            when shared.disproportionality is not null then 'similar'
        end as ratio_verdict
    from shared
    inner join {{ ref('dim_area') }} as area
        on shared.area_code = area.area_code and (area.area_type = 'borough' or area.area_code = 'LONDON_32')
)

select
    {{ fact_row({
        'area_code': 'told.area_code',
        'fact_code': 'told.fact_code',
        'window_kind': 'told.period_kind',
        'period_start_date': 'told.period_start_date',
        'period_end_date': 'told.period_end_date',
        'numerator': 'told.person_count',
        'denominator': 'coalesce(told.known_count, told.all_count)',
        'value': 'told.share_of_known_percent',
        'status': "case when told.has_series_break then 'break_in_window' else 'final' end",
        'caveat': "concat_ws(' ', " ~ break_caveat('told.break_reason') ~ ", told.residents_caveat)",
        'is_significant': "told.share_words is not null and told.ratio_verdict in ('higher', 'lower')",
        'effect_percent': '100 * (told.disproportionality - 1)',
        'sentence': profile_sentence,
        'source_release': 'told.source_release',
        'is_provisional': 'false',
    }) }}
from told
