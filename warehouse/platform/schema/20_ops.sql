-- The ledgers. A row here is written in the same transaction as what it describes.
comment on table ops.warehouse is 'Grain: one row. Whether this home holds real or synthetic data; it never holds both.';

comment on column ops.dataset.last_check_failed_code is 'What kind of failure that was: a code of ingest/codes.csv (`vru explain CODE`).';
comment on column ops.dataset.newest_published_month is
'Newest month of which the marts hold a value of this dataset (first day), as marts.dim_source had it when they last moved.';
comment on table ops.dataset is
'Grain: one row a declared dataset (ingest/sources/*/source.yml), with the outcome of the last look at its publisher.';

comment on table ops.fetched_address is
'Grain: one row an address. What was there at the last look, so that an unchanged file is not fetched twice.';

comment on table ops.load is
'Grain: one row a file that reached the loader. loaded: its rows stand in raw; superseded: they did, and were loaded again or can be from landing; refused: nothing was loaded, for the reason given; withdrawn: they did, until a person took them back (ops.withdrawal); set_aside: no build takes them, for the reason given, until what stands beside them says otherwise or a person accepts them (ops.acceptance); landing keeps its bytes.';
comment on column ops.load.code is
'Of a load that was refused or is set aside, what kind of failure that is: a code of ingest/codes.csv (`vru explain CODE`), the first where there are several. Null elsewhere, and of what was refused before codes were kept.';
comment on column ops.load.release_date is 'When the publisher put this file out: as told, else worked out from its newest month.';
comment on column ops.load.classification is 'Which vintage of the publisher''s category list the file is written in.';
comment on column ops.load.rows_in_file is 'Data rows of the file: rows_loaded + rows_quarantined, always.';
comment on column ops.load.drift is
'New columns: headers that were not known and were left out of raw; by place, where their names may be of persons. Missing columns: those that a file may lack and this one does. Rows gone: the first few of those that the release before had and this one should have. Repeated rows: how many rows repeat another in every column and were left out. Corrections: headers read as a person confirmed.';
comment on column ops.load.totals is
'By month (YYYY-MM; empty: the whole file) the sum of its values, or its rows where the dataset declares no value: {"2026-10": 76265}.';
comment on column ops.load.changes is
'What it changed against the newest release before it: rows, the sum of values, months that came, went and were revised, and by how much. A partial first month is named and is no revision.';
comment on column ops.load.label_counts is
'Rows by label (kind of crime, outcome) where that tells whether a month is whole: {"Burglary": 5012}. Empty elsewhere.';
comment on column ops.load.set_aside is
'Of a load that is or was set aside: kind (beside: what stands beside it contradicts it; build: the build failed with it) and the version of the code that found so. Empty elsewhere.';
comment on column ops.load.doubt is
'Why no build takes it unless a person accepts it: code and reason, found when it was loaded of periods that did not stand yet ({"code": "PERIOD_UNLIKE_THE_LAST", …}). Empty where nothing speaks against it.';
comment on column ops.load.awaits_verdict is
'Whether its rows still stand in raw though it is superseded: the candidate that was built from it has no verdict yet.';
comment on column ops.load.part is
'What the file is about besides its release (a force and month, say): of each part the newest release speaks. Empty where a file is about all of its dataset.';

comment on table ops.acceptance is
'Grain: one row a file that had been set aside and that a person says is true (`vru accept`): it is not set aside again for what it lacks.';

comment on table ops.withdrawal is
'Grain: one row a load that was withdrawn: its data owner took it back, or it was landed by mistake. Its bytes stay in landing, unread.';

-- The loader does not own the raw tables, and before version 17 only an owner may gather statistics.
create or replace function ops.gather_raw_statistics(table_name text) returns void
-- A tenth of the usual sample is plenty for tables that are only ever read whole, by load or by label.
language plpgsql security definer set search_path = pg_catalog set default_statistics_target = 20
as $$ begin execute format('analyze raw.%I', table_name); end $$;
comment on function ops.gather_raw_statistics(text) is
'Gathers planner statistics of a raw table. Without them, the first build and the first gate after a load are planned blind.';
revoke all on function ops.gather_raw_statistics(text) from public;

comment on table ops.candidate is
'Grain: one row a build of schema candidate. The newest (begun_at) is what stands there now, or is being built where built_at is null.';

comment on table ops.candidate_load is 'Grain: one row a candidate and load that went into it.';

comment on table ops.release is
'Grain: one row a judged candidate. published: it moved the marts; unchanged: it would have moved nothing; held: the gate blocked it, or its input had been rolled back from, and the marts stayed as they were.';
comment on column ops.release.release_id is
'Publishing moves forward only: no release is published whose number is below that of a published one.';
comment on column ops.release.row_counts is 'Rows a mart, {"dim_borough": 32, ...}.';
comment on column ops.release.row_changes is
'Rows moved a mart, {"dim_borough": {"inserted": 0, "updated": 1, "deleted": 0}, ...}.';
comment on column ops.release.rolled_back_to is
'Set where a person went back (or forward again) to an earlier release: the marts are what they were then.';

comment on table ops.quality_result is
'Grain: one row a check of a gate. detail names areas and months, never personal values.';

comment on column ops.alert.code is
'What kind of failure: a code of ingest/codes.csv (`vru explain CODE`); of several the gravest first. The body has each.';
comment on table ops.alert is 'Grain: one row a run that ended red: what went wrong, and whether the alert reached every channel.';

comment on table ops.alert_delivery is 'Grain: one row an alert and channel that took it: no channel is sent an alert twice because another was down.';

comment on column ops.run_problem.code is 'What kind of failure: a code of ingest/codes.csv (`vru explain CODE`).';
comment on table ops.run_problem is 'Grain: one row a step of a run that failed, in words. The run''s one alert is written from these.';

-- abs(figure - due) > tolerance is null where a figure has gone missing, and a check that asks so lets it pass. In plpgsql, as an sql
-- function is not written out where what is due is worked out in its call, and then takes five times as long.
create or replace function ops.differs(figure double precision, due double precision, tolerance double precision) returns boolean
language plpgsql immutable parallel safe
as $$ begin return not coalesce(abs(figure - due) <= tolerance, figure is null and due is null); end $$;
comment on function ops.differs(double precision, double precision, double precision) is
'Whether a figure is not the one due: only one of the two stands, or they lie further apart than the tolerance, in the figure''s unit. False where both are null; true where one is no number.';

comment on table ops.erasure is
'Grain: one row a file that was erased: by its controller (vru erase), or because it is older than its source says it may be kept. The proof of it; nothing of what the file held.';
comment on column ops.erasure.erasure_id is 'Number of the erasure.';
comment on column ops.erasure.source is 'Source id.';
comment on column ops.erasure.dataset is 'Dataset id within the source.';
comment on column ops.erasure.sha256 is 'SHA-256 of the file.';
comment on column ops.erasure.landed_path is 'Where it lay below landing.';
comment on column ops.erasure.kind is 'controller: asked for. retention: kept for as long as it may be.';
comment on column ops.erasure.asked_at is 'When it began (UTC).';
comment on column ops.erasure.asked_by is 'Who asked for it.';
comment on column ops.erasure.reason is 'Why.';
comment on column ops.erasure.load_ids is 'Its lines of ops.load.';
comment on column ops.erasure.raw_rows is 'Rows taken out of raw.';
comment on column ops.erasure.quarantined_rows is 'Lines taken out of quarantine.';
comment on column ops.erasure.landed_bytes is 'Bytes taken out of landing.';
comment on column ops.erasure.history_rows is 'Rows of earlier releases taken out of history; null until no mart is made of the file any more.';
comment on column ops.erasure.backups_removed is 'Backups that held it and were removed.';
comment on column ops.erasure.exports_to_call_back is 'Exports made while it stood (ops.audit): they lie where no command reaches.';
comment on column ops.erasure.finished_at is 'When nothing of it was left; null while marts are made of it.';
