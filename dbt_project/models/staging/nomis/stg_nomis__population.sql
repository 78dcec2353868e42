{{ nomis_observations(source('raw_nomis', 'nomis__population'), ['gender', 'c_age']) }}
