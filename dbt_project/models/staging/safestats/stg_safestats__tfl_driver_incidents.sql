{{ safestats_events(source('raw_safestats', 'safestats__tfl_driver_incidents'), 'tfl_driver_incidents') }}
