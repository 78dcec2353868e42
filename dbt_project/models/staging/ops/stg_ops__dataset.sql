select
    source,
    dataset,
    title,
    publisher,
    page_url,
    licence,
    licence_url,
    attribution,
    cadence,
    classification,
    owner,
    legal_gateway,
    publish_rule,
    stale_after_days
from {{ source('ops', 'dataset') }}
