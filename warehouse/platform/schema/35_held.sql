-- Over which datasets the newest release is held.
create or replace view ops.held_dataset as
with current_release as (
    select
        candidate_id,
        release_id
    from ops.release
    where state in ('published', 'unchanged')
    order by release_id desc limit 1
),

newest_verdict as (
    select
        release_id,
        candidate_id,
        verdict,
        state,
        verdict_reason,
        judged_at
    from ops.release
    order by release_id desc limit 1
),

blocked as (
    select
        release_id,
        candidate_id,
        judged_at,
        verdict_reason
    from newest_verdict
    where state = 'held' and verdict = 'blocked'
),

-- What a blocked build has otherwise than the marts: files of these datasets came, or went.
news as (
    select distinct
        l.source,
        l.dataset
    from blocked as b
    inner join ops.candidate_load as cl on b.candidate_id = cl.candidate_id
    inner join ops.load as l on cl.load_id = l.load_id
    where
        cl.load_id not in (
            select p.load_id from ops.candidate_load as p, current_release as c
            where p.candidate_id = c.candidate_id
        )
    union distinct
    select
        l.source,
        l.dataset
    from current_release as c
    inner join ops.candidate_load as cl on c.candidate_id = cl.candidate_id
    inner join ops.load as l on cl.load_id = l.load_id
    where
        exists (select from blocked)
        and cl.load_id not in (
            select n.load_id from ops.candidate_load as n, blocked as b
            where n.candidate_id = b.candidate_id
        )
),

-- A suite of deliveries is named landing/<source>/<what it is about>, and that is a dataset where one is called so.
failed_check as (
    select
        q.check_name,
        q.suite,
        q.quality_result_id,
        case when q.suite like 'landing/%' then split_part(q.suite, '/', 2) end as source,
        (
            select d.dataset from ops.dataset as d
            where q.suite = format('landing/%s/%s', d.source, d.dataset)
        ) as dataset
    from ops.quality_result as q
    inner join blocked as b on q.candidate_id = b.candidate_id
    where q.severity = 'critical' and q.outcome <> 'passed'
),

-- The datasets that caused it: of those with news the ones that a failed check of deliveries is about; where none is, all with news; where no
-- file is new, it is the code that is, and it may be any.
cause as (
    select
        d.source,
        d.dataset
    from ops.dataset as d
    left join news as n on d.source = n.source and d.dataset = n.dataset
    where
        exists (select from blocked)
        and case
            when
                exists (
                    select from failed_check as f inner join news as m on f.source = m.source and m.dataset = coalesce(f.dataset, m.dataset)
                )
                then
                    n.dataset is not null
                    and exists (
                        select from failed_check as f
                        where f.source = d.source and d.dataset = coalesce(f.dataset, d.dataset)
                    )
            when exists (select from news) then n.dataset is not null
            else true
        end
),

-- Names alone: what each check found would fill a page, beside each dataset.
held_because as (
    select
        b.judged_at as since,
        coalesce(
            (
                select
                    format('the gate holds release %s: ', b.release_id)
                    || string_agg(format('%s (%s)', f.check_name, f.suite), ', ' order by f.quality_result_id)
                    || case when max(f.checks) > 3 then format(' and %s more', max(f.checks) - 3) else '' end
                from (
                    select
                        f.*,
                        row_number() over (order by f.quality_result_id) as place,
                        count(*) over () as checks
                    from failed_check as f
                ) as f
                where f.place <= 3
            ),
            case when length(b.verdict_reason) > 200 then left(b.verdict_reason, 199) || '…' else b.verdict_reason end
        ) as why
    from blocked as b
)

select
    c.source,
    c.dataset,
    h.why,
    h.since
from cause as c
cross join held_because as h;
comment on view ops.held_dataset is
'Grain: one row a dataset that caused the gate to block the newest release; none where it stands. why names the first checks that failed.';
comment on column ops.held_dataset.since is 'When the gate blocked it (UTC).';
