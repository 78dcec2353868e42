select
    borough.borough_code as area_code,
    borough.borough_name as area_name,
    borough.ons_inner_outer,
    borough.bcu_name,
    borough.icb_name,
    centroid.latitude,
    centroid.longitude
from {{ ref('dim_borough') }} as borough
left join {{ ref('borough_centroid') }} as centroid on borough.borough_code = centroid.borough_code
