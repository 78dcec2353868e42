-- Which logins see the restricted rows of which boroughs, and what of all this was done by whom.
create table if not exists ops.borough_membership (
    borough_membership_id bigint generated always as identity primary key,
    login text not null,
    borough_code text not null,
    granted_by text not null,
    why text not null,
    valid_from timestamptz not null default now(),
    valid_to timestamptz,
    revoked_by text,
    revoked_why text,
    check (valid_to is null or valid_to >= valid_from)
);

create table if not exists ops.audit (
    audit_id bigint primary key,
    happened_at timestamptz not null,
    person text not null,
    role_name text not null,
    written_by text not null,
    action text not null,
    subject text not null,
    why text not null,
    detail jsonb not null,
    previous_hash text not null,
    hash text not null unique
);

-- By which rule the view of a mart's history leaves rows out, and a hash of the view as it was made by it.
alter table ops.mart_beginning add column if not exists view_rule text;
alter table ops.mart_beginning add column if not exists view_hash text;
