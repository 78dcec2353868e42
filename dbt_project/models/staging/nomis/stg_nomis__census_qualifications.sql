{{ nomis_observations(source('raw_nomis', 'nomis__census_qualifications'), ['c2021_hiqual_8']) }}
