{{ mps_small_area_month('lsoa', 'lsoa_code', 'lsoa_name') }}
