-- What keeps a reader from stopping the warehouse. A role can lift the limits that set-up gave it, so they are held from outside.
comment on table ops.set_up is
'Grain: one row. By which schema, roles and declarations this database was set up: set-up runs nothing where they are the same.';

comment on table ops.role_setting is
'Grain: a setting of a role, as set-up gave it. A role may change its own settings and not this table: by this one readers are ended.';

create or replace view ops.changed_role as
with
found as (
    select
        r.rolname::text as role_name,
        s.setdatabase as database_id,
        o.option_name as setting_name,
        o.option_value as setting_value
    from pg_db_role_setting as s
    inner join pg_roles as r on s.setrole = r.oid
    cross join lateral pg_options_to_table(s.setconfig) as o
),

given as (
    select
        role_name,
        0::oid as database_id,
        name as setting_name,
        value as setting_value
    from ops.role_setting
)

select
    coalesce(found.role_name, given.role_name) as role_name,
    array_agg(
        distinct coalesce(found.setting_name, given.setting_name) order by coalesce(found.setting_name, given.setting_name)
    ) as setting_names
from found
full join given
    on
        found.role_name = given.role_name
        and found.database_id = given.database_id
        and found.setting_name = given.setting_name
        and found.setting_value = given.setting_value
where
    found.role_name is null
    or (
        given.role_name is null
        and found.role_name in (select g.role_name from given as g)
        -- What only a superuser may set, no role has changed of itself.
        and found.setting_name not in (
            select p.name from pg_settings as p
            where p.context = 'superuser'
        )
    )
group by coalesce(found.role_name, given.role_name);
comment on view ops.changed_role is
'Grain: a role whose settings, of the role or of the role in a database, are not those that set-up gave it; which.';

create or replace function ops.reader_sessions() returns table (
    pid integer, role_name name, since timestamptz, doing text, is_overdue boolean
)
language sql volatile security definer set search_path = pg_catalog
begin atomic
    -- Else a transaction that looks again, as one that waits does, sees who was there at its first look.
    select pg_stat_clear_snapshot();

    select
        a.pid,
        a.usename as role_name,
        a.xact_start as since,
        a.state as doing,
        -- Three statements in a row may fill a transaction; one that goes on for longer is held open.
        case
            when a.state = 'active' then clock_timestamp() - a.query_start > l.statement
            else clock_timestamp() - a.state_change > l.idle
        end or clock_timestamp() - a.xact_start > 3 * l.statement as is_overdue
    from pg_stat_activity as a
    cross join
        lateral (
            select
                max(o.value) filter (where o.name = 'statement_timeout')::interval as statement,
                max(o.value) filter (where o.name = 'idle_in_transaction_session_timeout')::interval as idle
            from ops.role_setting as o
            where o.role_name = a.usename::text and o.name in ('statement_timeout', 'idle_in_transaction_session_timeout')
        ) as l
    where
        -- What set-up made read-only is a reader, a borough analyst's login too.
        a.usename::text in (
            select r.role_name from ops.role_setting as r
            where r.name = 'default_transaction_read_only'
        )
        and a.datname = current_database()
        and a.xact_start is not null;
end;
comment on function ops.reader_sessions() is
'Transactions of readers: process, role, begun at, what it does, and whether it has gone on for longer than the role''s limits allow.';

create or replace function ops.end_overdue_readers() returns setof text
language sql volatile security definer set search_path = pg_catalog, ops
begin atomic
    select format('%s (in a transaction since %s UTC)', s.role_name, to_char(s.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
    from ops.reader_sessions() as s
    -- Waited for, so that who looks again finds it gone.
    where s.is_overdue and pg_terminate_backend(s.pid, 2000);
end;
comment on function ops.end_overdue_readers() is 'Ends the transactions of readers that have gone on for longer than their role''s limits allow, and names them.';
revoke all on function ops.reader_sessions(), ops.end_overdue_readers() from public;
