select
    source, dataset, site_code, month_start_date, quality_code, numerator, denominator, value, unit
from marts.rpt_data_quality
where
    quality_code in ('submitted', 'unplaced') and field_name = 'all'
    and month_start_date > (select max(month_start_date) - interval '24 months' from marts.rpt_data_quality)
order by source, dataset, site_code, quality_code, month_start_date
