select
    question_number,
    part_number,
    question,
    part,
    status,
    answered_by,
    answered,
    missing,
    missing_feed,
    feed_holder,
    legal_gateway
from {{ ref('assessment_gap') }}
