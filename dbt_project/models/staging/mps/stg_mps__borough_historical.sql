{{ mps_borough_cells(source('raw', 'mps__borough_historical')) }}
