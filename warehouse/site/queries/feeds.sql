-- A feed counts what was submitted of each month; of a file that holds many months, what it has of each is known by what it could not place.
select
    source, dataset, site_code, month_start_date, quality_code, numerator, denominator, value, unit
from marts.rpt_data_quality
where
    field_name = 'all'
    and (
        quality_code = 'submitted'
        or quality_code = 'unplaced'
        and (source, dataset) not in (select other.source, other.dataset from marts.rpt_data_quality as other where other.quality_code = 'submitted')
    )
    and month_start_date > (select max(month_start_date) - interval '24 months' from marts.rpt_data_quality)
order by source, dataset, site_code, quality_code, month_start_date
