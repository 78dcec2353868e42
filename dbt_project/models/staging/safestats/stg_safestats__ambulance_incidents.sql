{{ safestats_events(source('raw_safestats', 'safestats__ambulance_incidents'), 'ambulance_incidents') }}
