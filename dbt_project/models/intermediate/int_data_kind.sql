select case when coalesce(bool_or(is_synthetic), false) then 'synthetic: invented, for no decision' else 'real' end as data_kind
from {{ ref('stg_ops__load') }}
