{{ mps_dashboard_counts(ref('int_mps_dashboard_claim'), 'claim_number = 1') }}
