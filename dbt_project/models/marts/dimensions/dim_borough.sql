select
    borough_code,
    borough_name,
    official_name,
    ons_inner_outer,
    statutory_inner_outer,
    bcu_code,
    bcu_name,
    icb_code,
    icb_ons_code,
    icb_name,
    mps_ocu_code,
    csp_code,
    london_plan_sub_region
from {{ ref('boroughs') }}
