{{ nomis_observations(source('raw_nomis', 'nomis__annual_population_survey'), ['variable']) }}
