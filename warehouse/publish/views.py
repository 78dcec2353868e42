"""Marts that are views: computed where they are read, from the tables of the same release.

A view's text comes from the candidate and reads the marts; a second text reads the marts as of a release, so that it can
be asked for any of them like every table.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import locking, readers
from warehouse.publish import as_of, disclosure, history, mart_schema, schema_change
from warehouse.publish.removals import Removals

# PostgreSQL prints its keywords in capitals and names as they are, so what follows in small letters is an alias.
_READ_TABLE = re.compile(rf'\b{mart_schema.CANDIDATE}\.(\w+|"[^"]+")( (?:[a-z_]\w*|"[^"]+"))?')


@dataclasses.dataclass(frozen=True)
class View:
    """One view as the catalogue knows it; its text reads schema candidate or marts, whichever it stands in."""

    name: str
    columns: tuple[mart_schema.Column, ...]
    comment: str | None
    text: str

    @property
    def in_marts(self) -> str:
        """Its text, reading the marts."""
        return re.sub(rf"\b{mart_schema.CANDIDATE}\.", f"{mart_schema.MARTS}.", self.text)

    @property
    def as_of(self) -> str:
        """Its text, reading the marts as of release $1."""

        def read(found: re.Match[str]) -> str:
            name = found[1].strip('"')
            return f'{mart_schema.HISTORY}."{name}_as_of"($1){found[2] or f" {found[1]}"}'

        return _READ_TABLE.sub(read, self.text).rstrip(";")


def read_views(connection: psycopg.Connection, schema: str) -> dict[str, View]:
    """Every view of a schema, by name, each after those it reads."""
    found = connection.execute(
        """select c.relname, obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid),
                  array_agg(a.attname::text order by a.attnum),
                  array_agg(format_type(a.atttypid, a.atttypmod) order by a.attnum),
                  array_agg(col_description(a.attrelid, a.attnum) order by a.attnum)
           from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           where c.relnamespace = to_regnamespace(%s)::oid and c.relkind = 'v'
           group by c.oid order by c.oid""",
        [schema],
    ).fetchall()
    return {
        name: View(name, tuple(map(mart_schema.Column, names, types, [False] * len(names), comments)), comment, text)
        for name, comment, text, names, types, comments in found
    }


def publish(connection: psycopg.Connection, candidate: dict[str, View], marts: dict[str, mart_schema.Table]) -> bool:
    """Give the marts the candidate's views, in the publishing transaction, after its tables stand; `check` has been asked before.

    Args:
        candidate: views of schema candidate, each after those it reads.
        marts: tables of schema marts: one of the name of a view makes room for it.

    Returns:
        Whether any view had to be written.

    Raises:
        Refusal: somebody held on to a view during every try.
    """
    there = _standing(connection)
    if there.keys() == candidate.keys() and all(
        there[name].text == new.in_marts and (there[name].columns, there[name].comment) == (new.columns, new.comment)
        for name, new in candidate.items()
    ):
        return False
    # One may read another, so all of them go before any comes.
    become_views = [name for name in candidate if name in marts]
    withdraw(connection, candidate.keys(), tables_change=bool(become_views))
    schema_change.lock(connection, become_views, "access exclusive")
    for name in reversed(become_views):
        # What a table said before it became a view stays in marts_history.
        _drop_as_of(connection, name)
        history.keep_all(connection, marts[name])
        connection.execute(sql.SQL("drop table {}").format(sql.Identifier(mart_schema.MARTS, name)))
    for new in candidate.values():
        _create(connection, new)
    return True


def withdraw(connection: psycopg.Connection, staying: Collection[str], *, tables_change: bool) -> None:
    """Take every view of the marts away, before what they read changes; `publish` writes those that stay again.

    Args:
        staying: names of the candidate's views. Of another, what it says as of each release stays to be read.
        tables_change: tables or columns go, so that what anyone may see of them makes room as well.

    Raises:
        Refusal: somebody held on to one during every try.
    """
    there = _standing(connection)

    def drop() -> None:
        if tables_change:
            disclosure.withdraw(connection)
        for name in reversed(there):
            if name in staying:
                _drop_as_of(connection, name)
            else:
                as_of.detach_as_of(connection, name, there[name].columns)
            connection.execute(sql.SQL("drop view {}").format(sql.Identifier(mart_schema.MARTS, name)))

    if (there or tables_change) and not locking.in_short_tries(connection, drop):
        raise Refusal(
            "READERS_IN_THE_WAY",
            f"the shape of {', '.join(f'{mart_schema.MARTS}.{name}' for name in there) or 'marts_open'} has to change, and for "
            f"{locking.PATIENCE:.0f} s it was being read: {readers.describe(readers.sessions(connection))}",
            kept="marts and history as they were",
            next_step="run `vru build` again when nobody holds a transaction open on it (pg_stat_activity names them)",
        )


def _standing(connection: psycopg.Connection) -> dict[str, View]:
    """The views of the marts that were published, each after those it reads; set-up's own are not."""
    published = _published(connection)
    there = read_views(connection, mart_schema.MARTS)
    return {name: view for name, view in there.items() if name in published}


def _drop_as_of(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        sql.SQL("drop function if exists {}(bigint)").format(sql.Identifier(mart_schema.HISTORY, f"{name}_as_of"))
    )


def _published(connection: psycopg.Connection) -> set[str]:
    """Names of the marts that can be asked for as of a release."""
    rows = connection.execute(
        "select proname from pg_proc where pronamespace = to_regnamespace(%s)::oid", [mart_schema.HISTORY]
    )
    return {name.removesuffix("_as_of") for (name,) in rows}


def check(
    connection: psycopg.Connection,
    candidate: dict[str, View],
    marts: dict[str, mart_schema.Table],
    removals: Removals,
) -> None:
    """See that no reader's query breaks, but by what is meant to go.

    Raises:
        Refusal: a view would take a column or a type away from those who read it, or is no longer built.
    """
    there = _standing(connection)
    problems = [
        f"{name} is no longer built, and analysts may be reading it"
        for name in sorted(there.keys() - candidate.keys() - removals.marts)
    ]
    for name, new in candidate.items():
        types = {column.name: column.type for column in new.columns}
        old = marts[name].columns if name in marts else there[name].columns if name in there else ()
        problems += [
            f"{name} has lost the column {column.name}"
            if column.name not in types
            else f"{name}.{column.name} was {column.type} and is now {types[column.name]}"
            for column in old
            if types.get(column.name) != column.type
            and (column.name in types or (name, column.name) not in removals.columns)
        ]
    if problems:
        raise Refusal(
            "MART_SHAPE_REFUSED",
            "the marts cannot take the shape of this candidate: " + "; ".join(problems),
            kept="marts and history as they were",
            next_step=schema_change.NEXT_STEP,
        )


def _create(connection: psycopg.Connection, new: View) -> None:
    mart = sql.Identifier(mart_schema.MARTS, new.name)
    # With the reader's rights: a view must not show what its tables would not.
    connection.execute(
        sql.SQL("create view {} with (security_invoker = true) as {}").format(mart, sql.SQL(new.in_marts))
    )
    connection.execute(sql.SQL("comment on view {} is {}").format(mart, sql.Literal(new.comment)))
    for column in new.columns:
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                mart, sql.Identifier(column.name), sql.Literal(column.comment)
            )
        )
    connection.execute(
        sql.SQL(
            "create function {}(release_id bigint) returns setof {} language sql stable parallel safe as {}"
        ).format(sql.Identifier(mart_schema.HISTORY, f"{new.name}_as_of"), mart, sql.Literal(new.as_of))
    )
    as_of.describe_as_of(connection, new.name)
