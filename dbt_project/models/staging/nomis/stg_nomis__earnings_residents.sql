{{ nomis_observations(source('raw_nomis', 'nomis__earnings_residents'), ['sex', 'item', 'pay']) }}
