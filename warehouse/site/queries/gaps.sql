select
    question_number, part_number, question, part, state, feed_gap, feed_gap_holder, answered_by, answered, missing, missing_feed, feed_holder,
    legal_gateway
from marts.rpt_gap
where state <> 'answered'
order by question_number, part_number
