select source, dataset, title, newest_period_start_date, state
from marts_open.data_status
order by source, title
