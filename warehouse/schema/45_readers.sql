-- What keeps a reader from stopping the warehouse. A role can lift the limits that set-up gave it, so they are held from outside.
create table if not exists ops.set_up (
    is_the_only_row boolean primary key default true check (is_the_only_row),
    fingerprint text not null,
    set_up_at timestamptz not null
);
comment on table ops.set_up is
'Grain: one row. By which schema, roles and declarations this database was set up: set-up runs nothing where they are the same.';

create or replace function ops.reader_sessions() returns table (
    pid integer, role_name name, since timestamptz, doing text, is_overdue boolean
)
language sql stable security definer set search_path = pg_catalog
begin atomic
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
    inner join pg_roles as r on a.usesysid = r.oid
    cross join
        lateral (
            select
                max(o.option_value) filter (where o.option_name = 'statement_timeout')::interval as statement,
                max(o.option_value) filter (where o.option_name = 'idle_in_transaction_session_timeout')::interval as idle
            from pg_options_to_table(r.rolconfig) as o
            where o.option_name in ('statement_timeout', 'idle_in_transaction_session_timeout')
        ) as l
    where a.usename in ('vru_analyst', 'vru_open') and a.datname = current_database() and a.xact_start is not null;
end;
comment on function ops.reader_sessions() is
'Transactions of readers: process, role, begun at, what it does, and whether it has gone on for longer than the role''s limits allow.';

create or replace function ops.end_overdue_readers() returns setof text
language sql volatile security definer set search_path = pg_catalog, ops
begin atomic
    select format('%s (in a transaction since %s UTC)', s.role_name, to_char(s.since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'))
    from ops.reader_sessions() as s
    where s.is_overdue and pg_terminate_backend(s.pid);
end;
comment on function ops.end_overdue_readers() is 'Ends the transactions of readers that have gone on for longer than their role''s limits allow, and names them.';
revoke all on function ops.reader_sessions(), ops.end_overdue_readers() from public;
