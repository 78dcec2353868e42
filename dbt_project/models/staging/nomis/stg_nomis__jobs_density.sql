{{ nomis_observations(source('raw_nomis', 'nomis__jobs_density'), ['item']) }}
