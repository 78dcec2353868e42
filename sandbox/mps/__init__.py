"""The Metropolitan Police's recorded-crime dataset on the London Datastore, with invented figures."""
