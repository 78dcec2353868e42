"""The ledger: a line in ops.load for every file that reached the loader, and in quarantine what was refused of it.

What becomes of a load afterwards is written here too, and nowhere else: superseded, set aside, accepted, withdrawn, come again. Each
function changes lines alone; its caller has its place in the queue and sees to the rows in raw.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from ingest.declaration import Source
from ingest.errors import Wrong
from ingest.landing import LandedFile, below_landing
from ingest.naming import shown_address, shown_name
from ingest.readers.faults import Fault, FaultyFile, sentence

WARNED = (
    "new columns",
    "new columns by place",
    "rows gone",
    "repeated rows",
)  # kinds of drift that are somebody's work whenever they appear

# By kind of drift; a correction that a person confirmed is nobody's work.
WARNING_CODES = {
    "new columns": "COLUMN_UNDECLARED",
    "new columns by place": "COLUMN_UNDECLARED",
    "missing columns": "COLUMN_DROPPED",
    "rows gone": "ROWS_GONE",
    "repeated rows": "ROWS_REPEATED",
}


def next_load_id(connection: psycopg.Connection) -> int:
    """The number of a load to come: its rows have it before it has a line."""
    row = connection.execute("select nextval(pg_get_serial_sequence('ops.load', 'load_id'))").fetchone()
    assert row is not None  # noqa: S101 - a sequence has a next value
    return int(row[0])


def record(
    cursor: psycopg.Cursor,
    source: Source,
    name: str,
    landed: LandedFile,
    now: dt.datetime,
    landing: Path,
    *,
    load_id: int | None,
    state: str,
    part: str,
    release: dt.date | None,
    first: dt.date | None,
    last: dt.date | None,
    loaded: int,
    quarantined: int,
    classification: str | None = None,
    drift: Mapping[str, list[str]] | None = None,
    reason: str | None = None,
    code: str | None = None,
    totals: dict[str, float] | None = None,
    changes: dict[str, object] | None = None,
    label_counts: Mapping[str, int] | None = None,
    doubt: Wrong | None = None,
) -> int:
    """Write a file's line, loaded or refused (`record_refusal`). Returns its load_id."""
    provenance = landed.provenance
    row = cursor.execute(
        """insert into ops.load (load_id, source, dataset, release_date, sha256, file_name, landed_path, url, bytes, landed_at,
               loaded_at, classification, first_period, last_period, rows_in_file, rows_loaded, rows_quarantined, state,
               reason, code, drift, is_synthetic, part, totals, changes, label_counts, doubt)
           overriding system value
           values (coalesce(%s, nextval(pg_get_serial_sequence('ops.load', 'load_id'))), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning load_id""",
        [
            load_id, source.source, name, release, provenance.sha256, shown_name(source.source, provenance.file_name, provenance.sha256),
            below_landing(landed, landing), shown_address(source.source, provenance.url), provenance.bytes, provenance.landed_at, now,
            classification, first, last,
            loaded + quarantined, loaded, quarantined, state, reason, code, Jsonb(drift or {}),
            provenance.is_synthetic, part, Jsonb(totals or {}), Jsonb(changes or {}),
            Jsonb(label_counts or {}), Jsonb({"code": doubt.code, "reason": doubt.reason} if doubt else {}),
        ],
    ).fetchone()  # fmt: skip
    assert row is not None  # noqa: S101 - insert returning gives a row
    return int(row[0])


def record_refusal(
    connection: psycopg.Connection,
    source: Source,
    name: str,
    landed: LandedFile,
    faulty: FaultyFile,
    now: dt.datetime,
    landing: Path,
) -> None:
    """Write down that a file was refused, and for which faults."""
    cursor = connection.cursor()
    load_id = record(
        cursor, source, name, landed, now, landing,
        load_id=None, state="refused", part="", release=landed.provenance.release_date, first=None, last=None,
        loaded=0, quarantined=faulty.rows, reason=sentence(faulty.faults), code=faulty.code,
    )  # fmt: skip
    quarantine(cursor, load_id, faulty.faults)


def supersede(connection: psycopg.Connection, load_ids: Sequence[int]) -> None:
    """Let loads speak no more: another edition has taken their place, or they are loaded again."""
    connection.execute("update ops.load set state = 'superseded' where load_id = any(%s)", [list(load_ids)])


def supersede_all(connection: psycopg.Connection) -> None:
    """Let no load speak any more: every file is loaded again (`vru rebuild`)."""
    connection.execute("update ops.load set state = 'superseded' where state in ('loaded', 'set_aside')")


def set_aside(connection: psycopg.Connection, load_id: int, wrong: Wrong, found_by: Mapping[str, str]) -> None:
    """Leave a load out of builds.

    Args:
        wrong: why, and its code.
        found_by: what found it out: `kind` (beside, build) and `code`, the version of the code.
    """
    connection.execute(
        "update ops.load set state = 'set_aside', reason = %s, code = %s, set_aside = %s where load_id = %s",
        [wrong.reason, wrong.code, Jsonb(dict(found_by)), load_id],
    )


def say_why_aside(connection: psycopg.Connection, load_id: int, wrong: Wrong) -> None:
    """Write down why a load that is set aside still is."""
    connection.execute(
        "update ops.load set reason = %s, code = %s where load_id = %s", [wrong.reason, wrong.code, load_id]
    )


def end_setting_aside(connection: psycopg.Connection, load_id: int) -> None:
    """End the line of a load that was set aside: its file is loaded again, with a line of its own."""
    connection.execute(
        "update ops.load set state = 'superseded', reason = null, code = null where load_id = %s", [load_id]
    )


def accept(connection: psycopg.Connection, load_id: int, now: dt.datetime, by: str, reason: str) -> None:
    """Write down that a person says these bytes are true, whatever stands beside them."""
    connection.execute(
        """insert into ops.acceptance (source, dataset, sha256, accepted_at, accepted_by, reason)
           select source, dataset, sha256, %s, %s, %s from ops.load where load_id = %s
           on conflict (source, dataset, sha256) do update
           set accepted_at = excluded.accepted_at, accepted_by = excluded.accepted_by, reason = excluded.reason""",
        [now, by, reason, load_id],
    )


def withdraw(connection: psycopg.Connection, load_id: int, now: dt.datetime, by: str, reason: str) -> None:
    """Write down that a load was taken back, when, by whom and why."""
    connection.execute("update ops.load set state = 'withdrawn' where load_id = %s", [load_id])
    connection.execute(
        "insert into ops.withdrawal (load_id, withdrawn_at, withdrawn_by, reason) values (%s, %s, %s, %s)",
        [load_id, now, by, reason],
    )


def erase(connection: psycopg.Connection, load_ids: Sequence[int], now: dt.datetime, by: str, reason: str) -> int:
    """Leave of loads what is not of their rows: that they were, when, and how many rows. How many lines of quarantine went."""
    ids = list(load_ids)
    connection.execute(
        """update ops.load set state = 'withdrawn', reason = null, code = null, drift = '{}', totals = '{}', changes = '{}',
               label_counts = '{}', set_aside = '{}', doubt = '{}' where load_id = any(%s)""",
        [ids],
    )
    connection.execute(
        """insert into ops.withdrawal (load_id, withdrawn_at, withdrawn_by, reason)
           select load_id, %s, %s, %s from unnest(%s::bigint[]) as load_id on conflict (load_id) do nothing""",
        [now, by, reason, ids],
    )
    return connection.execute("delete from quarantine.refused_row where load_id = any(%s)", [ids]).rowcount


def restore(connection: psycopg.Connection, load_id: int, arrived_at: dt.datetime) -> None:
    """Let a load that another file of its edition displaced speak again: its publisher went back to these bytes."""
    connection.execute("update ops.load set landed_at = %s where load_id = %s", [arrived_at, load_id])


def keep_for_verdict(connection: psycopg.Connection, load_ids: Sequence[int], *, is_kept: bool) -> None:
    """Write down whether the rows of loads that speak no more stay in raw until the candidate built from them has its verdict."""
    connection.execute("update ops.load set awaits_verdict = %s where load_id = any(%s)", [is_kept, list(load_ids)])


def has_stood(connection: psycopg.Connection, source: Source, name: str, landed: LandedFile) -> bool:
    """Whether these bytes were ever loaded: then they are what their first provenance say."""
    row = connection.execute(
        "select 1 from ops.load where source = %s and dataset = %s and sha256 = %s and state <> 'refused' limit 1",
        [source.source, name, landed.provenance.sha256],
    ).fetchone()
    return row is not None


def quarantine(cursor: psycopg.Cursor, load_id: int, faults: Sequence[Fault]) -> None:
    """Keep the faults of a load's rows, one line a row and column."""
    cursor.executemany(
        """insert into quarantine.refused_row (load_id, sheet, row_number, column_name, value, code, reason)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict (load_id, sheet, row_number, column_name) do update
           set reason = left(refused_row.reason || '; ' || excluded.reason, 2000)""",
        [(load_id, fault.sheet, fault.row, fault.column, fault.value, fault.code, fault.reason) for fault in faults],
    )


def describe_drift(drift: dict[str, list[str]]) -> str:
    """How a file's columns differ from those declared; empty where they do not."""
    said = {
        "new columns": "columns that are not declared, left out of raw: ",
        "new columns by place": "columns that are not declared, left out of raw (what they are called stands in the landed file "
        "alone: look there): ",
        "missing columns": "columns it lacks: ",
        "rows gone": "rows it lacks that the edition before had: ",
        "repeated rows": "rows that repeat another in every column, left out and counted once: ",
        "corrections": "corrected as confirmed: ",
    }
    return "; ".join(f"{said[kind]}{', '.join(names)}" for kind, names in drift.items())
