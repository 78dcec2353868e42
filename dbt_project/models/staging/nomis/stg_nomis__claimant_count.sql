{{ nomis_observations(source('raw_nomis', 'nomis__claimant_count'), ['gender', 'age', 'measure']) }}
