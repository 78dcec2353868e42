select
    source,
    dataset,
    site_code,
    month_start_date,
    quality_code,
    field_name,
    numerator,
    denominator,
    case
        when quality_code = 'released_after' then days::double precision
        when quality_code in ('submitted', 'file_left_out') then numerator::double precision
        else round(100.0 * numerator / nullif(denominator, 0), 2)::double precision
    end as value,
    case quality_code
        when 'released_after' then 'days' when 'submitted' then 'rows' when 'file_left_out' then 'boroughs' else 'percent'
    end as unit
from {{ ref('int_data_quality') }}
