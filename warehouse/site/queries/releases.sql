select release_id, published_at, verdict, verdict_reason, data_kind, code_version, rolled_back_to_release_id, row_count, row_changes
from marts.publication
order by release_id desc
