-- The months that each measure of the profile covers: one without a person counts as a month all the same, one of whose people too many have no
-- area is no month of any area.
with covered as (
    select
        measure.measure_code,
        winner.month_start_date,
        winner.source_release
    from {{ ref('int_mps_homicide_winner') }} as winner
    inner join {{ ref('victim_profile_measure') }} as measure
        on winner.dataset = case when measure.role = 'accused' then 'homicide_accused' else 'homicide_victims' end
    where measure.measure_code like 'mps\_homicide\_%'
    union all
    select
        'police_uk_people_searched' as measure_code,
        month_start_date,
        source_release
    from {{ ref('int_police_uk_published') }}
    where dataset = 'stop_and_search' and scope = 'together'
    {% for model in ['int_mps_dashboard_month', 'int_safestats_ambulance_month', 'int_safestats_event_month'] %}
    union all
    select
        counted.measure_code,
        counted.month_start_date,
        max(counted.source_release) as source_release
    from {{ ref(model) }} as counted
    inner join {{ ref('victim_profile_measure') }} as measure on counted.measure_code = measure.measure_code
    group by counted.measure_code, counted.month_start_date
    {% endfor %}
)

select covered.*
from covered
left join {{ ref('int_unplaced_share') }} as unplaced
    on
        -- People searched are placed as their searches are.
        case covered.measure_code when 'police_uk_people_searched' then 'police_uk_stop_and_search' else covered.measure_code end
        = unplaced.measure_code
        and covered.month_start_date = unplaced.month_start_date
        and unplaced.dimension = 'area'
where unplaced.is_withheld is not true
