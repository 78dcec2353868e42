"""What has to change so that the marts have the candidate's schema, and the locks to change it under.

A mart only ever grows: what would take a table, a column, a type or a key away from those who query it is refused, but for the tables and
columns that the project declares removed (removals.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import LiteralString

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import locking, readers
from warehouse.publish import as_of, history
from warehouse.publish.mart_schema import (
    CANDIDATE,
    HISTORY,
    MARTS,
    PAST,
    VALID_FROM,
    VALID_TO,
    ForeignKey,
    Statement,
    Table,
    columns_of,
)
from warehouse.publish.removals import NONE, Removals

NAME_LENGTH = 63 - len("_as_of")
NEXT_STEP = (
    "correct the model in dbt_project/models/marts, or give the new shape a new name beside the old one; "
    "what readers were told is to go is listed in dbt_project/removed.csv (CONTRIBUTING.md)"
)


@dataclasses.dataclass(frozen=True)
class Change:
    """What brings one mart to the shape of its candidate.

    Attributes:
        drops: foreign keys to let go of before any row of any table moves.
        before: what comes right before its own rows move.
        after: what comes once the rows of all tables are in place.
        comments: what changes for those who read the catalogue only.
        removed: columns that go; the rows that stand in the mart alone have to be kept before they do.
    """

    table: str
    is_new: bool = False
    drops: tuple[Statement, ...] = ()
    before: tuple[Statement, ...] = ()
    after: tuple[Statement, ...] = ()
    comments: tuple[Statement, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def alters(self) -> bool:
        """Whether an existing table has to be locked against its readers for a moment."""
        return bool(self.drops or self.before or self.after) and not self.is_new

    def __bool__(self) -> bool:
        return bool(self.is_new or self.drops or self.before or self.after or self.comments)


def plan(
    candidate: dict[str, Table],
    marts: dict[str, Table],
    past: dict[str, Table],
    views: Collection[str] = (),
    removals: Removals = NONE,
) -> tuple[dict[str, Change], list[Statement]]:
    """What has to change so that the marts have the candidate's shape.

    Args:
        candidate, marts, past: the tables of each schema.
        views: names of the candidate's views; a mart of such a name becomes one.
        removals: what is meant to go.

    Returns:
        One change a table of the candidate, and the foreign keys to add once every table holds its rows.

    Raises:
        Refusal: when a reader's query would break (a table, column, type or key that changed or went), when a mart has
            no primary key, or when nothing was built; all of it at once.
    """
    problems = [
        f"{name} is no longer built, and analysts may be reading it"
        for name in sorted(marts.keys() - candidate.keys() - set(views) - removals.marts)
    ]
    for name, new in candidate.items():
        problems += _problems(new, marts.get(name), past.get(name), removals)
    if not candidate:
        problems.append("schema candidate holds no table")
    if problems:
        raise Refusal(
            "MART_SHAPE_REFUSED",
            "the marts cannot take the shape of this candidate: " + "; ".join(problems),
            kept="marts and history as they were",
            next_step=NEXT_STEP,
        )
    changes = {
        name: _alter(new, marts[name], past[name], removals.of(name, set(marts[name].names) - set(new.names)))
        if name in marts
        else _create(new)
        for name, new in candidate.items()
    }
    foreign_keys = []
    for name, new in candidate.items():
        there = {_in_marts(key) for key in marts[name].foreign_keys} if name in marts else set()
        foreign_keys += [_add_foreign_key(name, key) for key in new.foreign_keys if _in_marts(key) not in there]
    return changes, foreign_keys


def _problems(new: Table, old: Table | None, past: Table | None, removals: Removals) -> list[str]:
    found = []
    if "__dbt_" in new.name:
        found.append(f"{new.name} was left by a build that was cut short (run `vru build`)")
    if len(new.name.encode()) > NAME_LENGTH:
        found.append(f"{new.name} is longer than {NAME_LENGTH} characters")
    if not new.key:
        found.append(f"{new.name} has no primary key")
    found += [
        f"{new.name} has a column {name}, a name its history needs"
        for name in (VALID_FROM, VALID_TO)
        if name in new.names
    ]
    found += [
        f"{new.name} points at {key.target_schema}.{key.target}, which is not built with it"
        for key in new.foreign_keys
        if key.target_schema != CANDIDATE
    ]
    if old is None:
        if past is not None:
            found.append(f"{new.name} has a history but no mart: rename {PAST}.{new.name} first")
        return found
    types = {column.name: column.type for column in new.columns}
    for column in old.columns:
        if column.name not in types:
            if (new.name, column.name) in removals.columns:
                continue
            found.append(f"{new.name} has lost the column {column.name}")
        elif types[column.name] != column.type:
            found.append(f"{new.name}.{column.name} was {column.type} and is now {types[column.name]}")
    kept = {column.name: column.type for column in past.columns} if past else {}
    found += [
        f"{new.name}.{name} is {types[name]}, and history has it as {kept[name]} from before it was removed"
        for name in types.keys() & kept.keys() - set(old.names)
        if types[name] != kept[name]
    ]
    if new.key and set(new.key) != set(old.key):
        found.append(f"the key of {new.name} was ({', '.join(old.key)}) and is now ({', '.join(new.key)})")
    return found


def _create(new: Table) -> Change:
    mart, past = sql.Identifier(MARTS, new.name), sql.Identifier(PAST, new.name)
    # Half of each page stays free: a release that changes every row (a new file changes source_release in all of them)
    # then finds room beside the old row and leaves the indexes alone, which is four fifths of the cost.
    # Indexes come after the rows: building one over half a million rows takes a third of growing it row by row.
    before = [
        sql.SQL(
            "create table {} (like {} including all excluding indexes excluding identity excluding generated) with (fillfactor = 50)"
        ).format(mart, new.identifier),
        sql.SQL("create table {} (like {}, {} bigint not null, {} bigint)").format(
            past, new.identifier, sql.Identifier(VALID_FROM), sql.Identifier(VALID_TO)
        ),
    ]
    after = [
        sql.SQL("alter table {} add primary key ({})").format(mart, columns_of(new.key)),
        sql.SQL("alter table {} add primary key ({}, {})").format(
            past, columns_of(new.key), sql.Identifier(VALID_FROM)
        ),
        *(sql.SQL("alter table {} add {}").format(mart, _verbatim(definition)) for definition in new.uniques),
        *(_create_index(mart, definition) for definition in new.indexes),
        history.view(new.name, new.key, (*new.names, VALID_FROM, VALID_TO)),
    ]
    comments = [
        *_table_comments(new),
        *(_comment("column", (HISTORY, new.name, column.name), column.comment) for column in new.columns),
        _comment(
            "column", (HISTORY, new.name, VALID_FROM), "First release that published this row (marts.publication)."
        ),
        _comment(
            "column",
            (HISTORY, new.name, VALID_TO),
            "First release that no longer published it; null: the current release does.",
        ),
    ]
    return Change(new.name, True, (), tuple(before), tuple(after), tuple(comments))


def _alter(new: Table, old: Table, kept: Table, removed: tuple[str, ...] = ()) -> Change:
    mart, past = old.identifier, kept.identifier
    alter_mart = sql.SQL("alter table {} ").format(mart)
    before: list[Statement] = []
    after: list[Statement] = []
    comments: list[Statement] = []
    known = {column.name: column for column in old.columns}
    remembered = {column.name: column for column in kept.columns}
    for column in new.columns:
        name = sql.Identifier(column.name)
        add = sql.SQL("add column {} {}").format(name, _verbatim(column.type))
        was = known.get(column.name)
        if was is None:
            before.append(alter_mart + add)
        if column.name not in remembered:
            before.append(sql.SQL("alter table {} ").format(past) + add)
        if column.is_not_null and not (was and was.is_not_null):
            after.append(alter_mart + sql.SQL("alter column {} set not null").format(name))
        if not column.is_not_null and was and was.is_not_null:
            before.append(alter_mart + sql.SQL("alter column {} drop not null").format(name))
        if not column.is_not_null and column.name in remembered and remembered[column.name].is_not_null:
            before.append(sql.SQL("alter table {} alter column {} drop not null").format(past, name))
        if column.comment != (was.comment if was else None):
            comments += [
                _comment("column", (schema, new.name, column.name), column.comment) for schema in (MARTS, HISTORY)
            ]
    for wanted, there in ((new.checks, old.checks), (new.uniques, old.uniques)):
        before += [
            alter_mart + sql.SQL("drop constraint {}").format(sql.Identifier(there[gone]))
            for gone in there.keys() - wanted
        ]
        after += [alter_mart + sql.SQL("add {}").format(_verbatim(added)) for added in wanted.keys() - there.keys()]
    wanted_keys = {_in_marts(key) for key in new.foreign_keys}
    drops = [
        alter_mart + sql.SQL("drop constraint {}").format(sql.Identifier(name))
        for key, name in old.foreign_keys.items()
        if key not in wanted_keys
    ]
    before += [
        sql.SQL("drop index {}").format(sql.Identifier(MARTS, old.indexes[gone]))
        for gone in old.indexes.keys() - new.indexes.keys()
    ]
    after += [_create_index(mart, added) for added in new.indexes.keys() - old.indexes.keys()]
    required = [name for name in removed if name in remembered and remembered[name].is_not_null]
    before += [
        sql.SQL("alter table {} alter column {} drop not null").format(past, sql.Identifier(name)) for name in required
    ]
    before += [alter_mart + sql.SQL("drop column {}").format(sql.Identifier(name)) for name in removed]
    added = [name for name in new.names if name not in remembered]
    # A column that was removed once and is back stands in the mart again.
    if added or removed or any(name not in known for name in new.names):
        gone = [name for name in kept.names if name not in (*new.names, VALID_FROM, VALID_TO)]
        after.append(history.view(new.name, old.key, (*kept.names, *added), gone))
    if new.comment != old.comment:
        comments += _table_comments(new)
    return Change(new.name, False, tuple(drops), tuple(before), tuple(after), tuple(comments), removed)


def _in_marts(key: ForeignKey) -> ForeignKey:
    return dataclasses.replace(key, target_schema=MARTS)


def _add_foreign_key(table: str, key: ForeignKey) -> Statement:
    return sql.SQL("alter table {} add foreign key ({}) references {} ({}) deferrable initially deferred").format(
        sql.Identifier(MARTS, table),
        columns_of(key.columns),
        sql.Identifier(MARTS, key.target),
        columns_of(key.target_columns),
    )


def _create_index(table: sql.Identifier, definition: str) -> Statement:
    verb = "create unique index" if definition.startswith("unique ") else "create index"
    return sql.SQL(verb + " on {} using {}").format(table, _verbatim(definition.removeprefix("unique ")))


def _table_comments(new: Table) -> list[Statement]:
    said = f"Every row marts.{new.name} has published, with the releases it was valid from and to. {new.comment or ''}"
    return [_comment("table", (MARTS, new.name), new.comment), _comment("view", (HISTORY, new.name), said.strip())]


def _comment(kind: LiteralString, name: tuple[str, ...], text: str | None) -> Statement:
    return sql.SQL("comment on " + kind + " {} is {}").format(sql.Identifier(*name), sql.Literal(text))


def _verbatim(definition: str) -> sql.SQL:
    """A definition that PostgreSQL itself printed from its catalogue, quoted by it where it has to be."""
    return sql.SQL(definition)


def lock(connection: psycopg.Connection, tables: Sequence[str], mode: LiteralString) -> None:
    """Lock marts and their histories before changing their shape: all at once or none, in short tries.

    Args:
        tables: names of marts; none is fine.
        mode: the lock's name, such as "access exclusive".

    Raises:
        Refusal: naming the tables that somebody held on to during every try, and who.
    """
    if not tables:
        return
    names = [(schema, table) for table in tables for schema in (MARTS, PAST, HISTORY)]
    identifiers = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
    if locking.in_short_tries(
        connection, lambda: connection.execute(sql.SQL("lock table {} in " + mode + " mode").format(identifiers))
    ):
        return
    held = connection.execute(
        """select distinct relation::regclass::text from pg_locks
           where granted and pid <> pg_backend_pid() and relation in (
               select to_regclass(format('%%I.%%I', schema, name))
               from unnest(%s::text[], %s::text[]) as wanted (schema, name)) order by 1""",
        [[schema for schema, _ in names], [table for _, table in names]],
    ).fetchall()
    raise Refusal(
        "READERS_IN_THE_WAY",
        f"the shape of {', '.join(name for (name,) in held) or ', '.join(f'{MARTS}.{table}' for table in tables)} "
        f"has to change, and for {locking.PATIENCE:.0f} s it was being read: {readers.describe(readers.sessions(connection))}",
        kept="marts and history as they were",
        next_step="run `vru build` again when nobody holds a transaction open on it (pg_stat_activity names them)",
    )


def remove(connection: psycopg.Connection, tables: Sequence[Table]) -> None:
    """Take tables out of the marts; their history, and they as of each release, stay to be read.

    Args:
        tables: marts that no view reads and no other mart points at.

    Raises:
        Refusal: somebody held on to one of them during every try.
    """
    if not tables:
        return
    pointed_at = {key.target for table in tables for key in table.foreign_keys if key.target_schema == MARTS}
    lock(connection, sorted({table.name for table in tables} | pointed_at), "access exclusive")
    for table in tables:
        history.keep_all(connection, table)
        as_of.detach_as_of(connection, table.name, table.columns)
    connection.execute(sql.SQL("drop table {}").format(sql.SQL(", ").join(table.identifier for table in tables)))


def allow_nulls(table: str, columns: Iterable[str]) -> list[Statement]:
    """What lets columns of a mart be empty again, for the rows of a release that did not have them yet."""
    return [
        sql.SQL("alter table {} alter column {} drop not null").format(
            sql.Identifier(MARTS, table), sql.Identifier(name)
        )
        for name in columns
    ]
