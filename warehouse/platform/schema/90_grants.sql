-- Least privilege: each step of the flow has a role that can do that step and no other.
grant usage on schema raw, ops, quarantine to vru_loader;
grant insert, select, delete on all tables in schema raw to vru_loader;
grant usage, select, update on all sequences in schema raw to vru_loader;
grant usage, select on all sequences in schema ops to vru_loader;
grant select, insert, update on ops.warehouse, ops.dataset, ops.fetched_address, ops.load, ops.run_problem to vru_loader;
grant select, insert on ops.withdrawal to vru_loader;
grant select, insert, update on ops.acceptance to vru_loader;
grant select on ops.candidate, ops.candidate_load, ops.release to vru_loader;
grant delete on ops.run_problem to vru_loader;
-- By which code the last build before a refusal was made: what it refused, other code may take.
grant select on ops.candidate to vru_loader;
grant execute on function ops.gather_raw_statistics(text) to vru_loader;
grant insert, select, update on quarantine.refused_row to vru_loader;

grant usage on schema raw, ops, marts to vru_transformer;
grant usage, create on schema staging, intermediate, candidate to vru_transformer;
grant select on all tables in schema raw to vru_transformer;
grant select on ops.load, ops.dataset, ops.warehouse, ops.release to vru_transformer;
grant select, insert, update on ops.candidate to vru_transformer;
grant select, insert on ops.candidate_load to vru_transformer;

grant usage on schema raw, ops, staging, intermediate, candidate, marts, marts_history to vru_gate;
grant select on all tables in schema raw to vru_gate;
grant select on all tables in schema ops to vru_gate;
grant insert on ops.quality_result, ops.release to vru_gate;
grant update on ops.release to vru_gate;

grant usage on schema ops, candidate to vru_publisher;
grant usage, create on schema marts, marts_history, marts_past to vru_publisher;
grant insert, update on ops.mart_beginning to vru_publisher;
grant select on all tables in schema ops to vru_publisher;
grant insert, update on ops.release, ops.alert, ops.run_problem to vru_publisher;
grant insert on ops.alert_delivery to vru_publisher;
grant insert, update on ops.dataset to vru_publisher;

grant usage on schema marts, marts_history to vru_analyst;
grant select on marts.data_status, marts.publication, marts.edition to vru_analyst, vru_gate, vru_publisher;
grant usage on schema marts_open to vru_open, vru_analyst;
grant select on marts_open.publication, marts_open.data_status to vru_open, vru_analyst;
grant usage, create on schema marts_open to vru_publisher;

grant execute on function ops.reader_sessions() to vru_loader, vru_transformer, vru_publisher;
grant execute on function ops.end_overdue_readers() to vru_loader, vru_transformer, vru_publisher;
-- The transformer writes sentences, which give each count as its owner's rule lets it out.
grant usage on schema marts_open to vru_transformer;
grant execute on function marts_open.publishable(numeric, text), marts_open.publishable_in_words(numeric, text)
to vru_open, vru_analyst, vru_publisher, vru_transformer;
grant execute on function marts_open.tells_a_part(bigint, numeric, numeric, numeric) to vru_publisher, vru_transformer;
grant select, insert, delete on marts_open.withheld_total to vru_publisher;
