select
    borough_code,
    similar_area_code,
    rank as similarity_rank
from {{ ref('similar_area') }}
where rank <= 5
