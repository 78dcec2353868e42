{{ nomis_observations(source('raw_nomis', 'nomis__census_ward_residents'), ['c2021_restype_3']) }}
