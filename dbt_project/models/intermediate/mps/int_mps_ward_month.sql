{{ mps_small_area_month('ward', 'ward_code', 'ward_name') }}
