-- Matching is on the normalised label: two spellings that differ only in case or spaces would double every row they match.
select
    source as scope,
    {{ normalised_label('published_name') }} as label
from {{ ref('area_aliases') }}
group by source, {{ normalised_label('published_name') }}
having count(*) > 1
union all
select
    category_vintage as scope,
    {{ normalised_label('published_major') }} || ' / ' || {{ normalised_label('published_minor') }} as label
from {{ ref('mps_category') }}
group by category_vintage, {{ normalised_label('published_major') }}, {{ normalised_label('published_minor') }}
having count(*) > 1
