{{ nomis_observations(source('raw_nomis', 'nomis__census_household_deprivation'), ['c2021_dep_6']) }}
