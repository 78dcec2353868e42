-- Whose rows a borough analyst sees, and what of all this was done by whom.
comment on table ops.borough_membership is
'Grain: one row a login, borough and time for which it may see that borough''s restricted rows (`vru access`). Two of one login and borough never overlap.';
comment on column ops.borough_membership.valid_to is 'When it ended, or will end; null: not yet. A row is never deleted.';

-- As session_user, because a function with its owner's rights runs as the owner.
create or replace function marts.my_boroughs() returns setof text
language sql stable security definer set search_path = pg_catalog
begin atomic
    select m.borough_code
    from ops.borough_membership as m
    where
        m.login = session_user::text
        and m.valid_from <= clock_timestamp()
        and (m.valid_to is null or m.valid_to > clock_timestamp());
end;
comment on function marts.my_boroughs() is
'Codes of the boroughs whose restricted rows the login of this session may see (ops.borough_membership). The policies of restricted tables ask it.';

comment on table ops.audit is
'Grain: one row an act that somebody may have to answer for: access given or taken, an export, a query of restricted tables, an override. Rows are added by ops.write_audit() alone, and each holds the hash of the one before: `vru audit --check` finds a row that was changed, taken out or put in.';
comment on column ops.audit.person is 'Who did it: the user of the machine, as the command saw it.';
comment on column ops.audit.role_name is 'As which role of the database.';
comment on column ops.audit.written_by is 'Which role''s session wrote the row: PostgreSQL says so, not the command.';
comment on column ops.audit.detail is 'Names and counts: tables, rows, boroughs, a release. No values of restricted columns, and of a statement its hash.';
comment on column ops.audit.previous_hash is 'Hash of the row before; empty in the first.';
comment on column ops.audit.hash is 'SHA-256 of every other column of the row (warehouse/platform/audit.py).';

create or replace function ops.write_audit(
    person text, role_name text, action text, subject text, why text, detail jsonb
) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
    before record;
    number bigint;
    moment timestamptz;
begin
    -- One after the other, to the end of the transaction: a chain has one end.
    perform pg_advisory_xact_lock(hashtext('vru audit'));
    moment := clock_timestamp();
    select a.audit_id, a.hash into before from ops.audit as a order by a.audit_id desc limit 1;
    number := coalesce(before.audit_id, 0) + 1;
    insert into ops.audit values (
        number, moment, person, role_name, session_user, action, subject, why, detail, coalesce(before.hash, ''),
        encode(sha256(convert_to(jsonb_build_array(
            number, to_char(moment at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), person, role_name, session_user, action, subject, why, detail,
            coalesce(before.hash, '')
        )::text, 'UTF8')), 'hex')
    );
    return number;
end $$;
comment on function ops.write_audit(text, text, text, text, text, jsonb) is
'Adds a row to the audit trail. Its owner cannot log in, and nobody else may write the table.';

create or replace function ops.refuse_change() returns trigger
language plpgsql
as $$ begin raise insufficient_privilege using message = 'the audit trail is only added to'; end $$;
comment on function ops.refuse_change() is 'Of the audit trail: no row is changed, and none goes.';
create or replace trigger only_added_to before update or delete or truncate on ops.audit
for each statement execute function ops.refuse_change();
