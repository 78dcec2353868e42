{{ safestats_events(source('raw_safestats', 'safestats__fire_incidents'), 'fire_incidents') }}
