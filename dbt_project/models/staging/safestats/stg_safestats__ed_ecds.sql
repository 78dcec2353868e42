{{ safestats_events(source('raw_safestats', 'safestats__ed_ecds'), 'ed_ecds') }}
