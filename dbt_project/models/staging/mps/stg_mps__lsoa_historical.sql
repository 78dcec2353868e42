{{ mps_small_area_rows(source('raw', 'mps__lsoa_historical'), ['lsoa_code', 'lsoa_name']) }}
