-- The tables that hold what nothing else can give again. A home from before migrations were numbered has them already.
create table if not exists ops.warehouse (
    is_the_only_row boolean primary key default true check (is_the_only_row),
    data_kind text check (data_kind in ('real', 'synthetic')),
    decided_by text,
    decided_at timestamptz
);

create table if not exists ops.dataset (
    source text not null,
    dataset text not null,
    position integer not null,
    title text not null,
    publisher text not null,
    page_url text not null,
    licence text not null,
    licence_url text not null,
    attribution text not null,
    cadence text not null,
    stale_after_days integer not null,
    classification text not null,
    owner text not null,
    legal_gateway text not null,
    publish_rule text not null,
    last_checked_at timestamptz,
    last_check_failed_because text,
    failing_since timestamptz,
    primary key (source, dataset)
);

create table if not exists ops.fetched_address (
    source text not null,
    dataset text not null,
    url text not null,
    etag text,
    last_modified text,
    sha256 text not null,
    bytes bigint not null,
    fetched_at timestamptz not null,
    checked_at timestamptz not null,
    primary key (source, dataset, url)
);

create table if not exists ops.load (
    load_id bigint generated always as identity primary key,
    source text not null,
    dataset text not null,
    release_date date,
    sha256 text not null,
    file_name text not null,
    landed_path text not null,
    url text,
    bytes bigint not null,
    landed_at timestamptz not null,
    loaded_at timestamptz not null,
    classification text,
    first_period date,
    last_period date,
    rows_in_file bigint not null,
    rows_loaded bigint not null,
    rows_quarantined bigint not null,
    state text not null check (state in ('loaded', 'superseded', 'refused', 'withdrawn', 'set_aside')),
    reason text,
    drift jsonb not null default '{}',
    is_synthetic boolean not null,
    part text not null default '',
    totals jsonb not null default '{}',
    changes jsonb not null default '{}',
    label_counts jsonb not null default '{}',
    set_aside jsonb not null default '{}',
    awaits_verdict boolean not null default false,
    check (rows_in_file = rows_loaded + rows_quarantined)
);

create table if not exists ops.acceptance (
    source text not null,
    dataset text not null,
    sha256 text not null,
    accepted_at timestamptz not null,
    accepted_by text not null,
    reason text not null,
    primary key (source, dataset, sha256)
);

create table if not exists ops.withdrawal (
    load_id bigint primary key references ops.load,
    withdrawn_at timestamptz not null,
    withdrawn_by text not null,
    reason text not null
);

create table if not exists ops.candidate (
    candidate_id text primary key,
    input_fingerprint text not null,
    code_version text not null,
    data_kind text not null check (data_kind in ('real', 'synthetic')),
    begun_at timestamptz not null default clock_timestamp(),
    built_at timestamptz
);

create table if not exists ops.candidate_load (
    candidate_id text not null references ops.candidate on delete cascade,
    load_id bigint not null references ops.load,
    primary key (candidate_id, load_id)
);

create table if not exists ops.release (
    release_id bigint generated always as identity primary key,
    candidate_id text not null references ops.candidate,
    verdict text not null check (verdict in ('passed', 'warned', 'blocked')),
    verdict_reason text not null default '',
    state text not null check (state in ('judged', 'published', 'unchanged', 'held')),
    judged_at timestamptz not null,
    published_at timestamptz,
    code_version text not null,
    data_kind text not null check (data_kind in ('real', 'synthetic')),
    row_counts jsonb,
    row_changes jsonb,
    rolled_back_to bigint references ops.release
);

create table if not exists ops.quality_result (
    quality_result_id bigint generated always as identity primary key,
    candidate_id text not null references ops.candidate on delete cascade,
    suite text not null,
    check_name text not null,
    severity text not null check (severity in ('critical', 'warning')),
    outcome text not null check (outcome in ('passed', 'failed', 'crashed')),
    unexpected_count bigint,
    detail text not null default '',
    checked_at timestamptz not null
);

create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    run_id text not null,
    kind text not null,
    subject text not null,
    body text not null,
    raised_at timestamptz not null,
    channel text not null,
    attempts integer not null default 0,
    delivered_at timestamptz,
    last_error text,
    unique (run_id)
);

create table if not exists ops.alert_delivery (
    alert_id bigint not null references ops.alert (alert_id),
    channel text not null,
    delivered_at timestamptz not null,
    primary key (alert_id, channel)
);

create table if not exists ops.run_problem (
    run_id text not null,
    step text not null,
    subject text not null,
    problem text not null,
    happened_at timestamptz not null,
    primary key (run_id, step, subject)
);

create unique index if not exists load_once_per_file
on ops.load (source, dataset, sha256) where state = 'loaded';

create table if not exists quarantine.refused_row (
    load_id bigint not null references ops.load on delete cascade,
    sheet text not null default '',
    row_number bigint not null,
    column_name text not null,
    value text,
    reason text not null,
    primary key (load_id, sheet, row_number, column_name)
);

create table if not exists ops.set_up (
    is_the_only_row boolean primary key default true check (is_the_only_row),
    fingerprint text not null,
    set_up_at timestamptz not null
);

create table if not exists ops.role_setting (
    role_name text not null,
    name text not null,
    value text not null,
    primary key (role_name, name)
);

create table if not exists marts_open.withheld_total (
    measure_code text not null,
    period_start_date date not null,
    area_code text not null,
    primary key (measure_code, period_start_date, area_code)
);
