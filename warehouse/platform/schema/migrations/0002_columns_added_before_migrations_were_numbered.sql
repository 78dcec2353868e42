-- A home may have any of these already: each was added by itself, before migrations were numbered.
alter table ops.dataset add column if not exists newest_published_month date;
alter table ops.dataset add column if not exists last_check_failed_code text;
alter table ops.load add column if not exists part text not null default '';
alter table ops.load add column if not exists totals jsonb not null default '{}';
alter table ops.load add column if not exists changes jsonb not null default '{}';
alter table ops.load add column if not exists label_counts jsonb not null default '{}';
alter table ops.load add column if not exists set_aside jsonb not null default '{}';
alter table ops.load add column if not exists awaits_verdict boolean not null default false;
alter table ops.load add column if not exists code text;
alter table ops.alert add column if not exists code text;
alter table ops.run_problem add column if not exists code text;
-- Of a home that was set up before a load could be set aside, once: it locks out whoever reads the ledger.
do $$
begin
    if not exists (
        select from pg_constraint
        where conrelid = 'ops.load'::regclass and conname = 'load_state_check' and pg_get_constraintdef(oid) like '%set_aside%'
    ) then
        alter table ops.load drop constraint load_state_check,
            add constraint load_state_check check (state in ('loaded', 'superseded', 'refused', 'withdrawn', 'set_aside'));
    end if;
end
$$;
alter table quarantine.refused_row add column if not exists code text;
