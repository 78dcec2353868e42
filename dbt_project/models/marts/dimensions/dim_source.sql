-- What stands in the marts of a dataset: a file may be loaded and its newest month be left out, or the whole of it.
with published as (
    select
        measure.source,
        split_part(fact.source_release, ' ', 1) as dataset,
        max(fact.period_end_date) as newest_date
    from (
        select
            measure_code,
            source_release,
            max(period_end_date) as period_end_date
        from {{ ref('fct_measure') }}
        where value is not null
        group by measure_code, source_release
    ) as fact
    inner join {{ ref('dim_measure') }} as measure on fact.measure_code = measure.measure_code
    group by measure.source, split_part(fact.source_release, ' ', 1)
    union all
    select
        'mps' as source,
        split_part(source_release, ' ', 1) as dataset,
        max(month_start_date) as newest_date
    from {{ ref('fct_ward_month') }}
    group by split_part(source_release, ' ', 1)
    union all
    select
        measure.source,
        split_part(hotspot.source_release, ' ', 1) as dataset,
        max(hotspot.window_end_date) as newest_date
    from {{ ref('rpt_hotspots') }} as hotspot
    inner join {{ ref('dim_measure') }} as measure on hotspot.measure_code = measure.measure_code
    group by measure.source, split_part(hotspot.source_release, ' ', 1)
),

newest as (
    select
        source,
        dataset,
        max(newest_date) as newest_date
    from published
    group by source, dataset
)

select
    described.source,
    described.dataset,
    described.title,
    described.publisher,
    described.page_url,
    described.licence,
    described.licence_url,
    described.attribution,
    described.cadence,
    described.classification,
    described.owner,
    described.legal_gateway,
    described.publish_rule,
    date_trunc('month', newest.newest_date)::date as newest_published_month
from {{ ref('int_dataset') }} as described
left join newest on described.source = newest.source and described.dataset = newest.dataset
