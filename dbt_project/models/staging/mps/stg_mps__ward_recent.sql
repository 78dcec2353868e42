{{ mps_small_area_rows(source('raw', 'mps__ward_recent'), ['ward_code', 'ward_name']) }}
