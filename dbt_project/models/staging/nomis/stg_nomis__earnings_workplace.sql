{{ nomis_observations(source('raw_nomis', 'nomis__earnings_workplace'), ['sex', 'item', 'pay']) }}
