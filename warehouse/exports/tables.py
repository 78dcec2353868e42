"""What can be exported, as the database tells it: tables and views of a schema, their columns and descriptions, and the query of each."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform.connection import ANALYST, OPEN

SCHEMAS = {ANALYST: "marts", OPEN: "marts_open"}
HISTORY = "marts_history"
UNTOUCHED = "no file was written"


@dataclasses.dataclass(frozen=True)
class Release:
    """What is exported: a release of this home and the kind of its data (real, synthetic)."""

    release_id: int
    published_at: dt.datetime
    data_kind: str


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of an export: its PostgreSQL type, and what the database says of it."""

    name: str
    type: str
    description: str
    unit: str
    source: str
    expression: sql.Composable

    @property
    def kind(self) -> str:
        """Its type in the words of Frictionless's Table Schema: string, date, datetime, boolean, integer, number."""
        if self.type in ("date", "boolean"):
            return self.type
        if self.type.startswith("timestamp"):
            return "datetime"
        if self.type in ("smallint", "integer", "bigint"):
            return "integer"
        return "number" if self.type.startswith(("numeric", "double", "real")) else "string"


@dataclasses.dataclass(frozen=True)
class Table:
    """A table or view to be exported.

    Attributes:
        description: its comment, which begins with its grain.
        key: columns of its primary key; none of a view.
        rows: where they are, after `select` and its columns: a table in the order of its key.
        counting: its rows, counted up to a limit (a parameter), so that a view need not be worked out whole.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: sql.Composed
    counting: sql.Composed


def current_release(connection: psycopg.Connection, schema: str) -> Release:
    """The release that the marts hold, as this role may know it.

    Raises:
        Refusal: nothing is published yet.
    """
    row = connection.execute(
        sql.SQL("select release_id, published_at, data_kind from {} where is_current").format(
            sql.Identifier(schema, "publication")
        )
    ).fetchone()
    if row is None:
        raise Refusal(
            "NOTHING_LOADED", "nothing is published yet", kept=UNTOUCHED, next_step="run a night or `vru build`"
        )
    return Release(*row)


def earlier_release(connection: psycopg.Connection, release_id: int) -> Release:
    """A published release by its number.

    Raises:
        Refusal: there is none of this number.
    """
    there = connection.execute(
        "select release_id, published_at, data_kind from marts.publication order by 1"
    ).fetchall()
    found = [Release(*row) for row in there if row[0] == release_id]
    if not found:
        listed = ", ".join(str(number) for number, *_ in there) or "none"
        raise Refusal(
            "RELEASE_UNKNOWN",
            f"there is no published release {release_id}",
            kept=UNTOUCHED,
            next_step=f"choose a published release: {listed} (`vru releases` lists them)",
        )
    return found[0]


def find(
    connection: psycopg.Connection, schema: str, names: tuple[str, ...], release: Release, *, is_earlier: bool
) -> list[Table]:
    """The tables that are asked for, or all that the role may read.

    Args:
        names: of tables or views, also with their schema; none for all.
        is_earlier: whether the release is read from history.

    Raises:
        Refusal: one is not there, or not for this role, or not kept in history.
    """
    there = _readable(connection, schema)
    if is_earlier:
        kept = connection.execute(
            "select proname from pg_proc where pronamespace = %s::regnamespace", [HISTORY]
        ).fetchall()
        there = {name: found for name, found in there.items() if (f"{name}_as_of",) in kept}
    asked = [name.removeprefix(f"{schema}.") for name in names] or sorted(there)
    unknown = [name for name in asked if name not in there]
    if unknown:
        raise Refusal(
            "TABLE_UNKNOWN",
            f"there is no table {', '.join(unknown)} to export from {schema}"
            + (" as of a release" if is_earlier else ""),
            kept=UNTOUCHED,
            next_step=f"choose of: {', '.join(sorted(there))}",
        )
    columns = _columns(connection, schema, [there[name][0] for name in there])
    tables = {name: (columns[oid], comment, key) for name, (oid, comment, key) in there.items()}
    return [_table(schema, name, tables, release, is_earlier=is_earlier) for name in dict.fromkeys(asked)]


def _readable(connection: psycopg.Connection, schema: str) -> dict[str, tuple[int, str, tuple[str, ...]]]:
    """Tables and views that this role may read: number, comment, key."""
    rows = connection.execute(
        """select c.relname, c.oid::bigint, coalesce(obj_description(c.oid, 'pg_class'), ''),
                  array(
                      select a.attname::text from pg_index as i
                      cross join unnest(i.indkey::smallint[]) with ordinality as k (number, position)
                      inner join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.number
                      where i.indrelid = c.oid and i.indisprimary order by k.position
                  )
           from pg_class as c
           where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and has_table_privilege(c.oid, 'select')""",
        [schema],
    )
    return {name: (oid, comment, tuple(key)) for name, oid, comment, key in rows}


def _columns(connection: psycopg.Connection, schema: str, oids: list[int]) -> dict[int, list[Column]]:
    found: dict[int, list[Column]] = defaultdict(list)
    for oid, name, kind, comment in connection.execute(
        """select attrelid::bigint, attname, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')
           from pg_attribute where attrelid = any(%s::oid[]) and attnum > 0 and not attisdropped order by attrelid, attnum""",
        [oids],
    ):
        found[oid].append(Column(name, kind, *_told(comment), sql.Identifier("t", name)))
    return found


def _told(comment: str) -> tuple[str, str, str]:
    """Description, unit and source of a column's comment ("Offences. Unit offences. Source the publisher.")."""
    # dbt's macro persist_docs writes them so; what set-up describes has no unit and source.
    head, _, source = comment.rpartition(" Source ")
    description, _, unit = head.rpartition(" Unit ")
    return (description, unit.removesuffix("."), source.removesuffix(".")) if description else (comment, "", "")


def _table(
    schema: str,
    name: str,
    tables: dict[str, tuple[list[Column], str, tuple[str, ...]]],
    release: Release,
    *,
    is_earlier: bool,
) -> Table:
    columns, comment, key = tables[name]

    def stands(table: str) -> sql.Composable:
        if is_earlier:
            return sql.SQL("{}({})").format(sql.Identifier(HISTORY, f"{table}_as_of"), sql.Literal(release.release_id))
        return sql.Identifier(schema, table)

    there = {column.name for column in columns}
    joins: list[sql.Composable] = []
    chosen: list[Column] = []
    for column in columns:
        chosen.append(column)
        named = column.name.removesuffix("_code") + "_name"
        dimension = _dimension(column.name)
        # As the marts have them: a table that gives the name itself keeps its own.
        if dimension and named not in there and dimension in tables and dimension != name:
            code, called = f"{dimension.removeprefix('dim_')}_code", f"{dimension.removeprefix('dim_')}_name"
            alias = f"d{len(joins)}"
            joins.append(
                sql.SQL(" left join {} as {} on {} = {}").format(
                    stands(dimension),
                    sql.Identifier(alias),
                    sql.Identifier(alias, code),
                    sql.Identifier("t", column.name),
                )
            )
            like = next(one for one in tables[dimension][0] if one.name == called)
            chosen.append(dataclasses.replace(like, name=named, expression=sql.Identifier(alias, called)))
    if "data_kind" not in there:
        chosen.append(
            Column(
                "data_kind",
                "text",
                "real, or synthetic: invented by the stand-in publishers, for no decision whatever.",
                "none",
                "this project",
                sql.SQL("{}::text").format(sql.Literal(release.data_kind)),
            )
        )
    source = stands(name) + sql.SQL(" as t")
    rows = sql.SQL(" from {}{}").format(source, sql.SQL("").join(joins))
    if key and not is_earlier:
        rows += sql.SQL(" order by {}").format(sql.SQL(", ").join(sql.Identifier("t", part) for part in key))
    counting = sql.SQL("select count(*) from (select from {} limit {}) as counted").format(source, sql.Placeholder())
    return Table(name, comment, tuple(chosen), key, rows, counting)


def _dimension(code: str) -> str | None:
    """The dimension that has the name of a code; None of any other column."""
    for kind in ("area", "measure", "borough"):
        if code == f"{kind}_code" or code.endswith(f"_{kind}_code"):
            return f"dim_{kind}"
    return None
