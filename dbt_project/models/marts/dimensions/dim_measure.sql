with terms as (
    -- Terms are declared for a source as a whole, so any of its datasets tells them.
    select distinct on (source)
        source,
        licence,
        attribution,
        classification,
        publish_rule
    from {{ ref('int_dataset') }}
    order by source, dataset
),

-- Of counts that lie within one another what is withheld of one could be worked out from the rest.
within as (
    select distinct part_measure_code as measure_code from {{ ref('measure_part') }}
    where relation = 'counted'
)

select
    measures.measure_code,
    measures.measure_name,
    measures.measure_kind,
    measures.source,
    measures.datasets,
    measures.unit,
    measures.definition,
    measures.numerator,
    measures.denominator,
    measures.polarity,
    measures.is_summable_over_areas,
    measures.is_summable_over_time,
    measures.caveat,
    terms.licence,
    terms.attribution,
    measures.exactness,
    measures.proxy_of,
    measures.proxy_reason,
    measures.definition_part,
    measures.definition_branch,
    measures.definition_lens,
    measures.rate_per,
    measures.denominator_population,
    terms.classification,
    case when within.measure_code is not null and terms.publish_rule <> 'open' then 'none' else terms.publish_rule end as publish_rule
from {{ ref('measures') }} as measures
left join terms on measures.source = terms.source
left join within on measures.measure_code = within.measure_code
