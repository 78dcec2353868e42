select
    area_code, chapter, fact_code, fact_order, importance, topic, measure_code, sentence, caveat, source_line, is_provisional,
    classification, source_release
from marts.rpt_sna_facts
where area_code = any(%(areas)s)
order by area_code, fact_order
