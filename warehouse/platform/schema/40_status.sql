-- What analysts read about the data itself. Views over the ledgers: true at the moment they are read, also on a night when nothing ran.
create or replace function ops.today() returns date
language sql stable
return coalesce(nullif(current_setting('vru.today', true), '')::date, (now() at time zone 'Europe/London')::date);
comment on function ops.today() is 'The day in London; the setting vru.today replaces it in tests.';

create or replace view marts.publication as
select
    r.release_id,
    r.published_at,
    r.verdict,
    r.verdict_reason,
    r.data_kind,
    r.code_version,
    r.candidate_id,
    r.rolled_back_to as rolled_back_to_release_id,
    (select sum(n.value::bigint) from jsonb_each_text(r.row_counts) as n)::bigint as row_count,
    r.row_counts::text as row_counts,
    r.row_changes::text as row_changes,
    r.release_id = max(r.release_id) over () as is_current
from ops.release as r
where r.state = 'published';
comment on view marts.publication is 'Grain: one row a published release, newest with is_current. data_kind says real or synthetic.';
comment on column marts.publication.release_id is 'Number of the release; marts_history rows point at it.';
comment on column marts.publication.published_at is 'When readers first saw it (UTC).';
comment on column marts.publication.verdict is 'passed, or warned: published although a check of lesser severity failed.';
comment on column marts.publication.verdict_reason is 'The checks that warned, in words.';
comment on column marts.publication.data_kind is 'real: from the publishers. synthetic: from the stand-in publishers, invented, for no decision.';
comment on column marts.publication.code_version is 'Version of the code that built it.';
comment on column marts.publication.candidate_id is 'The build that was judged.';
comment on column marts.publication.rolled_back_to_release_id is 'Set where this release restores an earlier one.';
comment on column marts.publication.row_count is 'Rows of all marts together.';
comment on column marts.publication.row_counts is 'Rows a mart, as JSON text.';
comment on column marts.publication.row_changes is 'Rows inserted, updated and deleted a mart against the release before, as JSON text.';
comment on column marts.publication.is_current is 'Whether the marts hold this release now.';

create or replace view marts.data_status as
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

-- Going back holds every dataset where it was; going forward again to the newest build lets go.
rollback as (
    select
        r.published_at,
        format(
            'the marts were rolled back to release %s; they stay there until new files arrive or `vru build` is run',
            r.rolled_back_to
        ) as why
    from ops.release as r
    where
        r.state = 'published' and r.rolled_back_to is not null
        and r.release_id = (select c.release_id from current_release as c)
        and r.candidate_id <> (
            select o.candidate_id from ops.release as o
            where o.state in ('published', 'unchanged') and o.rolled_back_to is null
            order by o.release_id desc limit 1
        )
),

loaded as (
    select
        l.source,
        l.dataset,
        -- A file of events knows its last day.
        date_trunc('month', max(l.last_period) filter (where l.state <> 'withdrawn'))::date as newest_loaded,
        max(l.landed_at) filter (where l.state <> 'withdrawn') as fetched_at,
        date_trunc('month', max(l.last_period) filter (where cl.load_id is not null))::date as newest_published
    from ops.load as l
    left join current_release as c on true
    left join ops.candidate_load as cl on l.load_id = cl.load_id and c.candidate_id = cl.candidate_id
    -- Until the next build the marts hold what was withdrawn since they were built.
    where l.state in ('loaded', 'superseded', 'set_aside') or (l.state = 'withdrawn' and cl.load_id is not null)
    group by l.source, l.dataset
),

-- The newest file that was fetched. One landed by hand says nothing about what the publisher serves.
newest_fetched as (
    select distinct on (source, dataset)
        source,
        dataset,
        loaded_at,
        case when state = 'refused' then reason end as reason,
        code
    from ops.load
    where url is not null
    order by source asc, dataset asc, load_id desc
),

refusal as (
    select
        source,
        dataset,
        loaded_at,
        reason,
        code
    from newest_fetched
    where reason is not null
),

-- What no build takes until what stands beside it says otherwise.
set_aside as (
    select
        source,
        dataset,
        string_agg(format('load %s was set aside: %s', load_id, reason), '; ' order by load_id) as why,
        (array_agg(code order by load_id))[1] as code,
        min(loaded_at) as since
    from ops.load
    where state = 'set_aside'
    group by source, dataset
),

seen as (
    select
        d.source,
        d.dataset,
        d.stale_after_days,
        l.newest_loaded,
        (
            greatest(case when d.last_check_failed_because is null then d.last_checked_at end, l.fetched_at)
            at time zone 'Europe/London'
        )::date as last_seen
    from ops.dataset as d
    left join loaded as l on d.source = l.source and d.dataset = l.dataset
),

-- By the newest month it has; one whose files say no month, by when its publisher last answered or a file of it was landed.
overdue as (
    select
        d.source,
        d.dataset,
        d.last_seen,
        coalesce((d.newest_loaded + interval '1 month')::date, d.last_seen) + d.stale_after_days as overdue_from
    from seen as d
),

-- What is to be said of a dataset, the gravest first.
applies as (
    select
        d.source,
        d.dataset,
        f.gravity,
        f.state,
        f.why,
        f.since,
        f.code
    from ops.dataset as d
    left join loaded as l on d.source = l.source and d.dataset = l.dataset
    left join refusal as r on d.source = r.source and d.dataset = r.dataset
    left join set_aside as s on d.source = s.source and d.dataset = s.dataset
    left join newest_verdict as v on true
    left join ops.held_dataset as h on d.source = h.source and d.dataset = h.dataset
    left join rollback as b on true
    left join overdue as o on d.source = o.source and d.dataset = o.dataset
    cross join
        lateral (
            values
            (
                1,
                l.fetched_at is null,
                'missing',
                coalesce(d.last_check_failed_because, r.reason, 'no file of this dataset has been loaded'),
                d.failing_since,
                coalesce(d.last_check_failed_code, r.code, 'NOTHING_LOADED')
            ),
            (2, d.last_check_failed_because is not null, 'stale', d.last_check_failed_because, d.failing_since, d.last_check_failed_code),
            (3, r.reason is not null, 'stale', r.reason, r.loaded_at, r.code),
            -- It may be what makes the dataset overdue.
            (4, s.why is not null, 'held', s.why, s.since, s.code),
            (
                5,
                ops.today() >= o.overdue_from,
                'stale',
                case
                    when l.newest_loaded is not null
                        then format('newest month is %s and the publisher updates %s', to_char(l.newest_loaded, 'YYYY-MM'), d.cadence)
                    else format('last seen on %s and the publisher updates %s', o.last_seen, d.cadence)
                end,
                o.overdue_from::timestamptz,
                'DATASET_STALE'
            ),
            -- One of these: what stands is the same, whichever of them keeps it so.
            (6, h.why is not null, 'held', h.why, h.since, 'GATE_HELD'),
            (7, b.why is not null and h.why is null, 'held', b.why, b.published_at, 'ROLLED_BACK_FROM'),
            (
                8,
                v.state = 'held' and v.verdict <> 'blocked' and b.why is null,
                'held',
                v.verdict_reason,
                v.judged_at,
                'ROLLED_BACK_FROM'
            )
        ) as f (gravity, applies, state, why, since, code)
    where f.applies
),

-- Several things may be wrong with a dataset: the gravest is its state. Of what is stale all is said, also that a release is held over it, and
-- it has been so since the first of them.
gravest as (
    select distinct on (source, dataset)
        source,
        dataset,
        state,
        since,
        code
    from applies
    order by source asc, dataset asc, gravity asc
),

finding as (
    select
        g.source,
        g.dataset,
        g.state,
        g.code,
        case
            when g.state = 'missing' then (array_agg(a.why order by a.gravity))[1]
            else string_agg(a.why, '; ' order by a.gravity) filter (where g.state = 'stale' or a.state = 'held')
        end as why,
        case when g.state = 'stale' then min(a.since) filter (where a.state = 'stale') else g.since end as since
    from gravest as g
    inner join applies as a on g.source = a.source and g.dataset = a.dataset
    group by g.source, g.dataset, g.state, g.code, g.since
)

select
    d.source,
    d.dataset,
    d.title,
    -- Of a file that was read and left out, nothing is published.
    case
        when d.newest_published_month is not null and l.newest_published is not null
            then least(d.newest_published_month, l.newest_published)
    end as newest_period_start_date,
    l.newest_loaded as newest_loaded_period_start_date,
    l.fetched_at,
    d.last_checked_at as checked_at,
    coalesce(f.state, 'fresh') as state,
    f.why,
    f.since,
    f.code
from ops.dataset as d
left join loaded as l on d.source = l.source and d.dataset = l.dataset
left join finding as f on d.source = f.source and d.dataset = f.dataset
order by d.source, d.position;
comment on view marts.data_status is
'Grain: one row a dataset. fresh; stale: older than the publisher''s rhythm (where its files say no month: not seen for longer), or the last look failed; held: not stale, and the gate blocked the newest release over files of it and the marts stand as they were, the marts were rolled back, or a file was set aside and the marts are built without it; missing: never loaded.';
comment on column marts.data_status.source is 'Source id.';
comment on column marts.data_status.dataset is 'Dataset id within the source.';
comment on column marts.data_status.title is 'Name the publisher gives it.';
comment on column marts.data_status.newest_period_start_date is 'Newest month of this dataset that the marts have a value of (first day); null where they have none, and where its files say no month.';
comment on column marts.data_status.newest_loaded_period_start_date is 'Newest month that has been loaded, published or not (first day).';
comment on column marts.data_status.fetched_at is 'When its newest file was landed (UTC).';
comment on column marts.data_status.checked_at is 'When the publisher was last asked (UTC).';
comment on column marts.data_status.state is 'fresh, stale, held or missing.';
comment on column marts.data_status.why is 'The reasons, in words, unless fresh: a dataset may be stale and held at once.';
comment on column marts.data_status.since is 'Since when (UTC), unless fresh.';
comment on column marts.data_status.code is 'What kind of failure that is, the gravest first: a code that `vru explain` explains. Null where fresh.';
