select data_kind
from {{ ref('int_data_kind') }}
