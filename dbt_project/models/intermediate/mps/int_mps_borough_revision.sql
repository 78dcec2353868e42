with counted as (
    {{ mps_borough_counts(ref('int_mps_claim'), is_earlier_release()) }}
),

{{ revised_counts('counted', ref('int_mps_claim'), ref('int_mps_borough_month')) }}
