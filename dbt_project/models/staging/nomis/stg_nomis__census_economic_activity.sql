{{ nomis_observations(source('raw_nomis', 'nomis__census_economic_activity'), ['c2021_eastat_20']) }}
