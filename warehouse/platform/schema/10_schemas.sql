-- The rooms of the database. Applied by `vru setup` as vru_owner; every statement may be run again.
create schema if not exists raw;
create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists candidate;
create schema if not exists marts;
create schema if not exists marts_history;
create schema if not exists marts_past;
create schema if not exists marts_open;
create schema if not exists ops;
create schema if not exists quarantine;

comment on schema raw is 'Every file as published: all columns text, each row with its load and row number. Written by vru_loader alone.';
comment on schema staging is 'One view a dataset: renamed, cast, areas looked up. The only layer that reads raw.';
comment on schema intermediate is 'What several files and publishers say about the same thing, put together; releases and revisions resolved.';
comment on schema candidate is 'The marts as this run would publish them. Judged by the gate, never read by analysts.';
comment on schema marts is 'What analysts read: the last release that passed the gate.';
comment on schema marts_history is 'Every row the marts have ever published, with the releases it was valid from and to.';
comment on schema marts_past is 'What rows that a release has changed said before, and say since: the part of marts_history that the marts do not hold. Read by the publisher''s views.';
comment on schema marts_open is 'Disclosure-controlled tables for anyone.';
comment on schema ops is 'Ledgers of the machine: loads, fetches, candidates, releases, checks, alerts.';
comment on schema quarantine is 'Rows that were refused, and why. Same protection as raw.';
