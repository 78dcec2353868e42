"""Two releases side by side: which figures differ, by how much, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ingest.errors import Refusal
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings

UNTOUCHED = "no figure was compared"
# Figures of the same period first, then what only one of the two has.
REASONS = ("break found", "revised by the publisher", "corrected by us", "no longer given", "new", "newer period")


def compare(
    settings: Settings, before: int, after: int, *, area: str | None = None, measure: str | None = None
) -> list[dict[str, Any]]:
    """Figures of fct_measure that differ between two releases, as marts.compare_releases gives them, with names.

    Args:
        before, after: numbers of published releases; the later may come first.
        area: code or name; None for all.
        measure: code; None for all.

    Returns:
        A row for each figure: both values, difference, per cent, why, and the editions they come from. Those of the same period come first, the
        largest difference before others.

    Raises:
        Refusal: a release, area or measure is unknown, or both releases are the same.
    """
    with connect(settings, ANALYST) as connection:
        _check(connection, before, after)
        areas = _known(
            connection,
            "select area_code from marts.dim_area where lower(%s) in (lower(area_code), lower(area_name))",
            area,
            "area",
        )
        measures = _known(
            connection, "select measure_code from marts.dim_measure where measure_code = %s", measure, "measure"
        )
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(
                """select c.measure_code, m.measure_name, c.area_code, a.area_name, c.period_kind, c.period_start_date, c.period_end_date, c.sex,
                       c.age_band, c.ethnicity, c.value_before, c.value_after, c.difference, c.difference_percent, c.why, c.edition_before,
                       c.edition_after
                   from marts.compare_releases(%(before)s, %(after)s) as c
                   left join marts.dim_measure as m using (measure_code)
                   left join marts.dim_area as a using (area_code)
                   where (%(areas)s::text[] is null or c.area_code = any(%(areas)s)) and (%(measures)s::text[] is null or c.measure_code = any(%(measures)s))
                   order by array_position(%(reasons)s, c.why), abs(c.difference) desc nulls last, c.measure_code, c.area_code, c.period_start_date, c.sex,
                       c.age_band, c.ethnicity""",
                {"before": before, "after": after, "areas": areas, "measures": measures, "reasons": list(REASONS)},
            ).fetchall()


def reasons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many figures differ for each reason, and of how many measures and areas."""
    counted = Counter(row["why"] for row in rows)
    return [
        {
            "why": why,
            "figures": counted[why],
            "measures": len({row["measure_code"] for row in rows if row["why"] == why}),
            "areas": len({row["area_code"] for row in rows if row["why"] == why}),
        }
        for why in REASONS
        if counted[why]
    ]


def _check(connection: psycopg.Connection, before: int, after: int) -> None:
    known = [number for (number,) in connection.execute("select release_id from marts.publication order by 1 desc")]
    for release in (before, after):
        if release not in known:
            listed = ", ".join(map(str, known[:8])) or "none"
            raise Refusal(
                "RELEASE_UNKNOWN",
                f"there is no published release {release}",
                kept=UNTOUCHED,
                next_step=f"choose of the newest: {listed} (`vru releases` lists all)",
            )
    if before == after:
        raise Refusal(
            "OPTION_INVALID", "a release does not differ from itself", kept=UNTOUCHED, next_step="name two releases"
        )


def _known(connection: psycopg.Connection, query: str, asked: str | None, kind: str) -> list[str] | None:
    if asked is None:
        return None
    found = [code for (code,) in connection.execute(query.encode(), [asked])]
    if not found:
        raise Refusal(
            "AREA_UNKNOWN" if kind == "area" else "FIGURE_UNKNOWN",
            f"there is no {kind} {asked!r}",
            kept=UNTOUCHED,
            next_step=f"marts.dim_{kind} has the codes",
        )
    return found
