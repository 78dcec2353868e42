{{ mps_dashboard_rows(source('raw', 'mps__dashboard_tno')) }}
