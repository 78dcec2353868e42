with counted as (
    {{ mps_dashboard_counts(ref('int_mps_dashboard_claim'), is_earlier_release()) }}
),

{{ revised_counts('counted', ref('int_mps_dashboard_claim'), ref('int_mps_dashboard_month')) }}
