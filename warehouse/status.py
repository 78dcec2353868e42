"""What `vru status` and the other reports read."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from warehouse.connection import ANALYST, GATE, LOADER, connect
from warehouse.settings import Settings

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
    return found[0] if found else None


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
    """One row a file that reached the loader, oldest first."""
    return _rows(
        settings,
        GATE,
        """select load_id, source, dataset, release_date, file_name, first_period, last_period, rows_in_file, rows_loaded,
               rows_quarantined, state, reason, loaded_at from ops.load order by load_id""",
    )


def refused_rows(settings: Settings, limit: int) -> list[Row]:
    """Rows that were refused, newest file first."""
    return _rows(
        settings,
        LOADER,
        """select l.source, l.dataset, l.file_name, r.row_number, r.column_name, r.value, r.reason, l.loaded_at
           from quarantine.refused_row as r join ops.load as l using (load_id)
           order by r.load_id desc, r.row_number, r.column_name limit %s""",
        [limit],
    )


def data_kind(settings: Settings) -> str | None:
    """real, synthetic, or None while the warehouse is empty."""
    return _rows(settings, GATE, "select data_kind from ops.warehouse")[0]["data_kind"]  # type: ignore[no-any-return]


def _rows(settings: Settings, role: str, query: str, values: list[Any] | None = None) -> list[Row]:
    with connect(settings, role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
