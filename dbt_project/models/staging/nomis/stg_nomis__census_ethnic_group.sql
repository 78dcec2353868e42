{{ nomis_observations(source('raw_nomis', 'nomis__census_ethnic_group'), ['c2021_eth_20']) }}
