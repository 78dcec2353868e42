{{ mps_borough_counts(ref('int_mps_winner')) }}
