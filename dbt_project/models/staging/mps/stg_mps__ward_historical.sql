{{ mps_small_area_rows(source('raw', 'mps__ward_historical'), ['ward_code', 'ward_name']) }}
