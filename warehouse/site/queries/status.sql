select
    source, dataset, title, newest_period_start_date, newest_loaded_period_start_date, fetched_at, state, why, code
from marts.data_status
order by source, title
