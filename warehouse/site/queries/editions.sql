select
    source, dataset, title, publisher, source_release, release_date, part, address, sha256, fetched_at, loaded_at, first_period_date,
    last_period_date, row_count, quarantined_row_count, state, licence, licence_url, attribution, classification
from marts.edition
where is_in_release
order by source, dataset, release_date desc nulls last, part, sha256
