-- For which months each force, and all of them together, are published, and from which files.
select
    dataset,
    force_code as scope,
    month_start_date,
    array[force_code] as forces,
    dataset || ' ' || release_date || ' sha256:' || sha as source_release,
    null::text as value_note
from {{ ref('int_police_uk_force_month') }}
where state = 'loaded'
union all
-- Together only where each force published, or is known not to have: a sum that lacks a force unsaid is worse than none.
select
    dataset,
    'together' as scope,
    month_start_date,
    array_agg(force_code) filter (where state = 'loaded') as forces,
    dataset || ' ' || max(release_date) || ' sha256:' || string_agg(sha, '+' order by force_code) as source_release,
    string_agg(gap_note, ' ' order by force_code) as value_note
from {{ ref('int_police_uk_force_month') }}
group by dataset, month_start_date
having
    bool_and(state <> 'missing')
    and bool_or(force_code = 'metropolitan' and state = 'loaded')
