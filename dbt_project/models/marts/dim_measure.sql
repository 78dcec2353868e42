with terms as (
    -- Terms are declared for a source as a whole, so any of its datasets tells them.
    select distinct on (source)
        source,
        licence,
        attribution
    from {{ ref('int_dataset') }}
    order by source, dataset
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
    measures.exactness
from {{ ref('measures') }} as measures
left join terms on measures.source = terms.source
