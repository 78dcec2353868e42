{{ safestats_events(source('raw_safestats', 'safestats__btp_crime'), 'btp_crime') }}
