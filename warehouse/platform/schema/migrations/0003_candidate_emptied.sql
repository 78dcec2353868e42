-- A candidate that was published stands in the marts, row for row: its own tables are emptied (warehouse/build/emptying.py).
alter table ops.candidate add column if not exists emptied_at timestamptz;
