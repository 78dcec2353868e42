{{ safestats_events(source('raw_safestats', 'safestats__ed_istv'), 'ed_istv') }}
