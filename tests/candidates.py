"""Candidates made by hand, as dbt and the gate would leave them, and what stands in the marts afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from psycopg import sql

from warehouse.platform.connection import ADMIN, ANALYST, GATE, TRANSFORMER, connect
from warehouse.platform.settings import Settings

Rows = list[tuple[Any, ...]]

AREA = """create table candidate.area (
    area_code text primary key, area_name text not null, version integer not null
);
comment on table candidate.area is 'Grain: one row an area.';
comment on column candidate.area.area_name is 'Name as published.'"""
FACT = """create table candidate.fact (
    area_code text not null references candidate.area (area_code), month date not null, value numeric, version integer not null,
    primary key (area_code, month), check (version >= 0)
);
create index on candidate.fact (month);
comment on table candidate.fact is 'Grain: area x month.'"""

_numbers = itertools.count(1)


def area(*rows: tuple[Any, ...]) -> tuple[str, str, Rows]:
    """The table area (area_code, area_name, version) with these rows."""
    return "area", AREA, list(rows)


def fact(*rows: tuple[Any, ...]) -> tuple[str, str, Rows]:
    """The table fact (area_code, month, value, version) with these rows."""
    return "fact", FACT, list(rows)


def pair(version: int, areas: int = 3) -> list[tuple[str, str, Rows]]:
    """Both tables, every row of which carries the version."""
    return [
        area(*[(f"E{n}", f"area {n}", version) for n in range(areas)]),
        fact(*[(f"E{n}", "2025-01-01", version, version) for n in range(areas)]),
    ]


def build(
    settings: Settings,
    tables: Iterable[tuple[str, str, Rows]],
    *,
    fingerprint: str = "",
    data_kind: str = "synthetic",
    finished: bool = True,
) -> str:
    """Build schema candidate anew from (name, statements, rows), and note it in ops.candidate."""
    candidate_id = f"candidate-{next(_numbers)}"
    with connect(settings, TRANSFORMER) as connection:
        connection.execute(
            "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values (%s, %s, 'v1', %s)",
            [candidate_id, fingerprint or f"input of {candidate_id}", data_kind],
        )
        for (name,) in connection.execute("select tablename from pg_tables where schemaname = 'candidate'").fetchall():
            # Views go with the table they read.
            connection.execute(sql.SQL("drop table candidate.{} cascade").format(sql.Identifier(name)))
        for name, statements, rows in tables:
            connection.execute(statements.encode())
            fill(connection, name, rows)
        if finished:
            connection.execute(
                "update ops.candidate set built_at = clock_timestamp() where candidate_id = %s", [candidate_id]
            )
    return candidate_id


def fill(connection: Any, name: str, rows: Rows) -> None:
    """Insert rows into a candidate table."""
    if rows:
        values = sql.SQL(", ").join([sql.SQL("%s")] * len(rows[0]))
        statement = sql.SQL("insert into candidate.{} values ({})").format(sql.Identifier(name), values)
        connection.cursor().executemany(statement, rows)


def judge(settings: Settings, candidate_id: str, verdict: str = "passed", reason: str = "") -> int:
    """What the gate writes down about a candidate; returns the release's number."""
    with connect(settings, GATE) as connection:
        row = connection.execute(
            """insert into ops.release (candidate_id, verdict, verdict_reason, state, judged_at, code_version, data_kind)
               select candidate_id, %s, %s, %s, clock_timestamp(), code_version, data_kind
               from ops.candidate where candidate_id = %s returning release_id""",
            [verdict, reason, "held" if verdict == "blocked" else "judged", candidate_id],
        ).fetchone()
        assert row is not None
        return int(row[0])


def judged(settings: Settings, tables: Iterable[tuple[str, str, Rows]], *, fingerprint: str = "") -> str:
    """A candidate that was built and passed."""
    candidate_id = build(settings, tables, fingerprint=fingerprint)
    judge(settings, candidate_id)
    return candidate_id


def read(settings: Settings, query: str, role: str = ANALYST) -> Rows:
    """The rows of a query, as a role."""
    with connect(settings, role) as connection:
        return connection.execute(query.encode()).fetchall()


def bytes_of_marts(settings: Settings, *, with_attempts: bool = False) -> dict[str, Any]:
    """Every row of marts and marts_history with its place on disk and the transaction that wrote it, and the catalogue.

    Args:
        with_attempts: also the mark (xmax) that a transaction leaves on a row it would have changed, had it not ended.
    """
    with connect(settings, ADMIN) as connection:
        catalogue = connection.execute(
            """select n.nspname, c.relname, c.oid, c.relfilenode, c.relnatts, c.xmin::text from pg_class as c
               join pg_namespace as n on n.oid = c.relnamespace
               where nspname in ('marts', 'marts_past') and relkind in ('r', 'i') order by 1, 2"""
        ).fetchall()
        found: dict[str, Any] = {
            "functions": connection.execute(
                "select proname, prosrc, xmin::text from pg_proc where pronamespace = 'marts_history'::regnamespace order by 1"
            ).fetchall(),
            "catalogue": [row[:5] for row in catalogue],
        }
        for schema, name, *_ in catalogue:
            if name in {"area", "fact"}:
                found[f"{schema}.{name}"] = connection.execute(
                    sql.SQL("select ctid::text, xmin::text{}, t.* from {} as t order by ctid").format(
                        sql.SQL(", xmax::text" if with_attempts else ""), sql.Identifier(schema, name)
                    )
                ).fetchall()
    return found
