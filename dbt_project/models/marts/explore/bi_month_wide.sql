-- A measure a column: what is counted twice cannot be added by mistake.
{%- set columns = {
    'all_offences': 'mps_all_offences',
    'serious_violence_core': 'sv_core_separable',
    'serious_violence_broad': 'sv_broad_proxy',
    'homicides': 'mps_homicide',
    'violence_with_injury': 'mps_violence_with_injury',
    'violence_without_injury': 'mps_violence_without_injury',
    'rapes': 'mps_rape',
    'personal_robberies': 'mps_robbery_personal',
    'knife_crimes': 'mps_knife_crime',
    'knife_crimes_with_injury': 'mps_knife_crime_with_injury',
    'gun_crimes': 'mps_gun_crime',
    'domestic_abuse': 'mps_domestic_abuse',
    'ambulance_violence_dispatches': 'safestats_las_violence_dispatches',
    'ambulance_knife_injuries': 'safestats_las_knife_injuries',
} %}
select
    month_start_date,
    area_code,
    area_name,
    {% for name, measure_code in columns.items() %}
    max(month_count) filter (where measure_code = '{{ measure_code }}') as {{ name }},
    {% endfor %}
    bool_or(is_provisional) as is_provisional,
    max(data_kind) as data_kind
from {{ ref('bi_month') }}
where
    measure_code in (
        {% for measure_code in columns.values() %}
        '{{ measure_code }}'{{ ',' if not loop.last }}
        {% endfor %}
    )
group by month_start_date, area_code, area_name
