-- What was erased of a file, and when: the proof that is left of it.
create table if not exists ops.erasure (
    erasure_id bigint generated always as identity primary key,
    source text not null,
    dataset text not null,
    sha256 text not null,
    landed_path text not null,
    kind text not null check (kind in ('controller', 'retention')),
    asked_at timestamptz not null,
    asked_by text not null,
    reason text not null,
    load_ids bigint[] not null,
    raw_rows bigint not null,
    quarantined_rows bigint not null,
    landed_bytes bigint not null,
    history_rows bigint,
    backups_removed integer,
    exports_to_call_back integer,
    finished_at timestamptz
);
