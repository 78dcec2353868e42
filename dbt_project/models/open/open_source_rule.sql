select
    source,
    min(publish_rule) as publish_rule
from {{ ref('dim_source') }}
group by source
having count(distinct publish_rule) = 1
