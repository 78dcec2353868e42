{{ safestats_events(source('raw_safestats', 'safestats__mps_crime'), 'mps_crime') }}
