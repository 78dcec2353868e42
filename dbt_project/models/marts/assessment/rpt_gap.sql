{#- Where the rows of an answer stand: a mart, the column of its measure (none where it has no measure of its own), the day a row is of. -#}
{% set places = {
    'rpt_borough_measure': [ref('fct_window'), 'measure_code', 'place.month_start_date'],
    'fct_measure': [ref('fct_measure'), 'measure_code', 'case when place.value is not null then place.period_end_date end'],
    'fct_ward_month': [ref('fct_ward_month'), none, 'place.month_start_date'],
    'fct_indicator': [ref('fct_indicator'), 'measure_code', 'case when place.value is not null then place.period_end_date end'],
    'rpt_success_measures': [ref('rpt_success_measures'), 'measure_code', 'place.period_end_date'],
    'rpt_victim_profile': [ref('rpt_victim_profile'), 'measure_code', 'place.period_end_date'],
    'rpt_temporal_profile': [ref('rpt_temporal_profile'), 'measure_code', 'place.period_end_date'],
    'rpt_hotspots': [ref('rpt_hotspots'), 'measure_code', 'place.window_end_date'],
    'rpt_deprivation': [ref('rpt_deprivation'), 'measure_code', 'place.window_end_date'],
    'rpt_drivers': [ref('rpt_drivers'), 'measure_code', 'case when place.value is not null then place.period_end_date end'],
    'rpt_priority_index': [ref('rpt_priority_index'), none, 'place.period_end_date'],
    'rpt_police_health': [ref('rpt_police_health'), 'health_measure_code', 'place.period_end_date'],
    'rpt_ambulance_month': [ref('rpt_ambulance_month'), 'measure_code', 'place.month_start_date'],
    'rpt_ed_attendance': [ref('rpt_ed_attendance'), 'measure_code', 'place.month_start_date'],
    'rpt_crime_outcome': [ref('rpt_crime_outcome'), 'measure_code', 'place.month_start_date'],
    'rpt_data_quality': [ref('rpt_data_quality'), none, 'place.month_start_date'],
    'rpt_revision_release': [ref('rpt_revision_release'), none, 'place.source_release'],
    'rpt_sna_facts': [ref('rpt_sna_facts'), none, 'place.period_end_date'],
} %}

with asked as (
    select
        answer.question_number,
        answer.part_number,
        answer.mart,
        answer.measure_code,
        measure.measure_name,
        coalesce(answer.source, measure.source) as source,
        string_to_array(replace(coalesce(answer.datasets, measure.datasets), ' ', ''), ',') as datasets
    from {{ ref('assessment_answer') }} as answer
    left join {{ ref('dim_measure') }} as measure on answer.measure_code = measure.measure_code
),

stands as (
    {% for mart, (relation, measure, day) in places.items() %}
    select
        asked.*,
        (
            select max({{ day }}) from {{ relation }} as place
            {%- if measure %} where asked.measure_code = place.{{ measure }}{% endif %}
        ) is not null as has_rows
    from asked
    where asked.mart = '{{ mart }}'
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- Loaded, and yet nothing stands of any measure that it is declared to give (a file of four boroughs): a gap of the question about feeds.
figure as (
    {% for relation in [ref('fct_measure'), ref('rpt_temporal_profile'), ref('rpt_victim_profile')] %}
    select measure_code from {{ relation }}
    {% if loop.first %}where value is not null{% endif %}
    {% if not loop.last %}union{% endif %}
    {% endfor %}
),

silent as (
    select
        holding.title,
        holding.publisher,
        holding.newest_month
    from {{ ref('int_dataset_holding') }} as holding
    inner join {{ ref('dim_measure') }} as measure
        on holding.source = measure.source and holding.dataset = any(string_to_array(replace(measure.datasets, ' ', ''), ','))
    left join figure on measure.measure_code = figure.measure_code
    where holding.is_loaded
    group by holding.source, holding.dataset, holding.title, holding.publisher, holding.newest_month
    having count(figure.measure_code) = 0
),

-- The feeds of an answer together: a measure of two files is there by either, and as new as the newer.
fed as (
    select
        stands.question_number,
        stands.part_number,
        stands.mart,
        stands.measure_name,
        stands.has_rows,
        coalesce(bool_or(holding.is_loaded), true) as is_loaded,
        coalesce(bool_and(holding.is_old) filter (where holding.is_loaded), false) as is_old,
        max(holding.newest_month) as newest_month,
        -- What is loaded is named by its newest file, what is not by each that would do.
        coalesce(
            (array_agg(holding.title order by holding.newest_month desc nulls last, holding.title asc) filter (where holding.is_loaded))[1],
            string_agg(distinct holding.title, ' or '),
            'This warehouse'
        ) as feed,
        coalesce(max(holding.publisher), 'This warehouse') as holder
    from stands
    left join {{ ref('int_dataset_holding') }} as holding
        on stands.source = holding.source and holding.dataset = any(stands.datasets)
    group by stands.question_number, stands.part_number, stands.mart, stands.measure_code, stands.measure_name, stands.has_rows
),

found as (
    select
        question_number,
        part_number,
        has_rows,
        is_old,
        holder,
        case
            when not is_loaded then feed || ': not loaded'
            when not has_rows
                then
                    feed || coalesce(', loaded to ' || to_char(newest_month, 'YYYY-MM'), '') || ': no rows'
                    || coalesce(' of ' || measure_name, '') || ' in ' || mart
            when is_old then feed || ': newest ' || to_char(newest_month, 'YYYY-MM')
        end as gap
    from fed
    union all
    select
        asked.question_number,
        asked.part_number,
        false as has_rows,
        false as is_old,
        silent.publisher as holder,
        silent.title || coalesce(', loaded to ' || to_char(silent.newest_month, 'YYYY-MM'), '')
        || ': no figure of it stands in any table' as gap
    from asked
    cross join silent
    where asked.mart = 'rpt_data_quality'
),

part as (
    select
        question_number,
        part_number,
        bool_or(has_rows) as has_any,
        bool_and(has_rows) as has_all,
        bool_or(has_rows and not is_old) as has_current,
        bool_or(is_old) as has_old,
        string_agg(distinct gap, '; ') as feed_gap,
        string_agg(distinct holder, '; ') filter (where gap is not null) as feed_gap_holder
    from found
    group by question_number, part_number
)

select
    gap.question_number,
    gap.part_number,
    gap.question,
    gap.part,
    case when coalesce(part.has_any, false) then gap.status else 'not_available' end as status,
    case
        when gap.status = 'not_available' then 'not_available'
        when not coalesce(part.has_any, false) then 'not_loaded'
        when not part.has_current then 'old'
        when gap.status = 'partly' or not part.has_all or part.has_old then 'partly'
        else 'answered'
    end as state,
    part.feed_gap,
    part.feed_gap_holder,
    gap.answered_by,
    gap.answered,
    gap.missing,
    gap.missing_feed,
    gap.feed_holder,
    gap.legal_gateway
from {{ ref('assessment_gap') }} as gap
left join part on gap.question_number = part.question_number and gap.part_number = part.part_number
