"""What `vru status` and the other reports read."""

from __future__ import annotations

import json
from typing import Any

from psycopg.rows import dict_row

from ingest.ledger import WARNED, WARNING_CODES, describe_drift
from ingest.naming import shown_name
from warehouse.platform.connection import ANALYST, GATE, LOADER, connect
from warehouse.platform.settings import Settings

Row = dict[str, Any]


def datasets(settings: Settings) -> list[Row]:
    """One row a dataset, as `marts.data_status` has it."""
    return _rows(settings, ANALYST, "select * from marts.data_status")


def current_release(settings: Settings) -> Row | None:
    """The release the marts hold, as `marts.publication` has it; None before the first."""
    found = _rows(settings, ANALYST, "select * from marts.publication where is_current")
    return found[0] if found else None


def newest_verdict(settings: Settings) -> Row | None:
    """The last verdict of the gate, also where it held the release back; None before the first."""
    found = _rows(
        settings,
        GATE,
        """select release_id, state, verdict, verdict_reason, judged_at, data_kind from ops.release
           where rolled_back_to is null order by release_id desc limit 1""",
    )
    return {**found[0], "code": _code_of(found[0])} if found else None


def _code_of(verdict: Row) -> str | None:
    """The code of a release that is held; None of any other."""
    if verdict["state"] != "held":
        return None
    return "GATE_HELD" if verdict["verdict"] == "blocked" else "ROLLED_BACK_FROM"


def held_over(settings: Settings) -> list[Row]:
    """The datasets that caused the newest release to be held, with why and since when; none where it stands."""
    return _rows(settings, GATE, "select source, dataset, why, since from ops.held_dataset order by source, dataset")


def everything(settings: Settings) -> Row:
    """How this home stands, for programs: the release, the newest verdict and why it failed, every dataset, and what is somebody's work."""
    release, verdict = current_release(settings), newest_verdict(settings)
    return {
        "home": str(settings.home),
        "data_kind": data_kind(settings),
        "release": release and {**release, **{key: json.loads(release[key]) for key in ("row_counts", "row_changes")}},
        "verdict": verdict,
        "failed_checks": failed_checks(settings, verdict["release_id"]) if verdict else [],
        "held_over": held_over(settings),
        "withdrawals": withdrawals(settings),
        "set_aside": set_aside(settings),
        "warnings": warnings(settings),
        "newest_changes": newest_changes(settings),
        "datasets": datasets(settings),
    }


def failed_checks(settings: Settings, release_id: int) -> list[Row]:
    """The checks that did not pass for a release, with what they found."""
    return _rows(
        settings,
        GATE,
        """select q.suite, q.check_name, q.severity, q.outcome, q.unexpected_count, q.detail
           from ops.quality_result as q join ops.release as r using (candidate_id)
           where r.release_id = %s and q.outcome <> 'passed' order by q.severity, q.quality_result_id""",
        [release_id],
    )


def loads(settings: Settings) -> list[Row]:
    """One row a file that reached the loader, oldest first; changed and drift are in words, changes as in ops.load."""
    rows = _rows(
        settings,
        GATE,
        """select load_id, source, dataset, release_date, file_name, landed_path, sha256, first_period, last_period, rows_in_file, rows_loaded,
               rows_quarantined, state, code, reason, drift, changes, loaded_at from ops.load order by load_id""",
    )
    return [{**row, "drift": describe_drift(row["drift"]), "changed": changed(row["changes"])} for row in rows]


def changed(changes: dict[str, Any]) -> str:
    """What a load changed against the release before (ops.load.changes), in words; empty for a dataset's first."""
    if not changes:
        return ""
    said = [f"rows {changes['rows']:+,}", f"sum {changes['sum']:+,.10g}"]
    for kind in ("new", "gone"):
        months = [month for month in changes[f"months_{kind}"] if month]
        if months:
            span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
            said.append(f"{len(months)} month{'s' * (len(months) > 1)} {kind} ({span})")
    partial = changes.get("months_partial")
    if partial:
        said.append(f"{', '.join(partial)} is partial, which is no revision")
    if changes["months_revised"]:
        most = changes["revised_most"]
        said.append(
            f"{changes['months_revised']} of {changes['months_in_both']} months revised by {changes['revised_by']:+,.10g}"
            + (f", most {most['month']} ({most['by']:+,.10g})" if most["month"] else "")
        )
    return "; ".join(said)


def newest_changes(settings: Settings) -> list[Row]:
    """What the newest file of each dataset changed against the edition before it."""
    rows = _rows(
        settings,
        LOADER,
        """select distinct on (source, dataset) source, dataset, release_date as release, loaded_at, changes
           from ops.load where state = 'loaded' order by source, dataset, release_date desc, landed_at desc, load_id desc""",
    )
    return [{**row, "changes": changed(row["changes"])} for row in rows if row["changes"]]


def warnings(settings: Settings) -> list[Row]:
    """Datasets whose newest file has columns that nobody declared, or lacks columns or rows that the file before it had."""
    rows = _rows(
        settings,
        LOADER,
        """with load as (
               select source, dataset, file_name, sha256, loaded_at, drift,
                   lag(drift) over files as before,
                   row_number() over (partition by source, dataset order by release_date desc, landed_at desc, load_id desc)
                       as age
               from ops.load where state in ('loaded', 'superseded')
               window files as (partition by source, dataset order by release_date, landed_at, load_id)
           )
           select source, dataset, file_name, sha256, loaded_at as since, drift, before from load where age = 1 and drift <> '{}'""",
    )
    found = []
    for row in rows:
        drift, before = row.pop("drift"), row.pop("before")
        new = {
            kind: columns
            for kind, columns in drift.items()
            if kind in WARNED or (kind == "missing columns" and before is not None and columns != before.get(kind, []))
        }
        if new:
            codes = [WARNING_CODES[kind] for kind in new if kind in WARNING_CODES]
            found.append({**row, "codes": codes, "warning": describe_drift(new)})
    return found


def withdrawals(settings: Settings) -> list[Row]:
    """Loads that were withdrawn and whose bytes do not stand again, newest first; whether the marts still hold them."""
    return _rows(
        settings,
        GATE,
        """select l.source, l.dataset, l.load_id, l.file_name, l.sha256, w.withdrawn_at, w.withdrawn_by, w.reason,
               exists (
                   select from ops.candidate_load as c
                   where c.load_id = l.load_id and c.candidate_id = (
                       select candidate_id from ops.release where state in ('published', 'unchanged') order by release_id desc limit 1
                   )
               ) as is_still_published
           from ops.withdrawal as w inner join ops.load as l on w.load_id = l.load_id
           where not exists (
               select from ops.load as again
               where again.source = l.source and again.dataset = l.dataset and again.sha256 = l.sha256 and again.state = 'loaded'
           )
           order by w.withdrawn_at desc, l.load_id desc""",
    )


def set_aside(settings: Settings) -> list[Row]:
    """Loads that no build takes until what stands beside them says otherwise, or a person accepts them; oldest first."""
    return _rows(
        settings,
        GATE,
        """select source, dataset, load_id, file_name, sha256, code, reason from ops.load where state = 'set_aside'
           order by source, dataset, file_name, load_id""",
    )


def refused_rows(settings: Settings, limit: int, source: str | None = None) -> list[Row]:
    """Rows that were refused, newest file first, of all sources or of one; at most so many."""
    return _rows(
        settings,
        LOADER,
        """select l.source, l.dataset, l.file_name, l.sha256, l.landed_path, r.row_number, r.column_name, r.value, r.code, r.reason, l.loaded_at
           from quarantine.refused_row as r join ops.load as l using (load_id)
           where %s::text is null or l.source = %s
           order by r.load_id desc, r.row_number, r.column_name limit %s""",
        [source, source, limit],
    )


def data_kind(settings: Settings) -> str | None:
    """real, synthetic, or None while the warehouse is empty."""
    return _rows(settings, GATE, "select data_kind from ops.warehouse")[0]["data_kind"]  # type: ignore[no-any-return]


def _rows(settings: Settings, role: str, query: str, values: list[Any] | None = None) -> list[Row]:
    with connect(settings, role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return [_named(row) for row in cursor.execute(query.encode(), values).fetchall()]


def _named(row: Row) -> Row:
    """A row of files with the name that may be told: no report reads another."""
    if "file_name" in row:
        row["file_name"] = shown_name(row["source"], row["file_name"], row["sha256"])
    return row
