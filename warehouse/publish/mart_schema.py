"""The schemas of candidate, marts and history, as PostgreSQL's catalogue has them: tables, columns, keys, constraints, indexes."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

import psycopg
from psycopg import sql

CANDIDATE = "candidate"
MARTS = "marts"
HISTORY = "marts_history"  # views, and functions that read a mart as of a release
PAST = "marts_past"  # what they read beside the marts
VALID_FROM = "valid_from_release_id"
VALID_TO = "valid_to_release_id"
Statement = sql.Composed


@dataclasses.dataclass(frozen=True)
class Column:
    """One column as the catalogue knows it."""

    name: str
    type: str
    is_not_null: bool
    comment: str | None


@dataclasses.dataclass(frozen=True)
class ForeignKey:
    """Columns that point at columns of another table; schemas are left out, so that candidate and marts compare."""

    columns: tuple[str, ...]
    target_schema: str
    target: str
    target_columns: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """One table as the catalogue knows it. Constraints and indexes map their definition to their name."""

    schema: str
    name: str
    oid: int
    comment: str | None
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    foreign_keys: dict[ForeignKey, str]
    checks: dict[str, str]
    uniques: dict[str, str]
    indexes: dict[str, str]
    has_other_unique: bool

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def columns_of(names: Iterable[str], alias: str = "") -> Statement:
    """Column names as a list for a statement, each behind an alias where one is given."""
    return sql.SQL(", ").join(sql.Identifier(alias, name) if alias else sql.Identifier(name) for name in names)


def read_tables(connection: psycopg.Connection, schema: str) -> dict[str, Table]:
    """Every table of a schema, by name; views are not tables."""
    found = connection.execute(
        """select c.oid::bigint, c.relname, obj_description(c.oid, 'pg_class')
           from pg_class as c where c.relnamespace = to_regnamespace(%s)::oid and c.relkind in ('r', 'p')
           order by c.relname""",
        [schema],
    ).fetchall()
    oids = [oid for oid, _, _ in found]
    columns: dict[int, list[Column]] = defaultdict(list)
    for oid, name, kind, is_not_null, comment in connection.execute(
        """select a.attrelid::bigint, a.attname,
                  format_type(a.atttypid, a.atttypmod)
                  || case
                      when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else ''
                  end,
                  a.attnotnull, col_description(a.attrelid, a.attnum)
           from pg_attribute as a join pg_type as t on t.oid = a.atttypid
           where a.attrelid = any(%s::oid[]) and a.attnum > 0 and not a.attisdropped
           order by a.attrelid, a.attnum""",
        [oids],
    ):
        columns[oid].append(Column(name, kind, is_not_null, comment))
    keys: dict[int, tuple[str, ...]] = {}
    foreign_keys: dict[int, dict[ForeignKey, str]] = defaultdict(dict)
    checks: dict[int, dict[str, str]] = defaultdict(dict)
    uniques: dict[int, dict[str, str]] = defaultdict(dict)
    for oid, name, kind, definition, names, target_schema, target, target_names in connection.execute(
        """select c.conrelid::bigint, c.conname, c.contype::text, pg_get_constraintdef(c.oid),
                  (select array_agg(a.attname::text order by k.position)
                   from unnest(c.conkey) with ordinality as k (number, position)
                   join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.number),
                  n.nspname, t.relname,
                  (select array_agg(a.attname::text order by k.position)
                   from unnest(c.confkey) with ordinality as k (number, position)
                   join pg_attribute as a on a.attrelid = c.confrelid and a.attnum = k.number)
           from pg_constraint as c
           left join pg_class as t on t.oid = c.confrelid and c.contype = 'f'
           left join pg_namespace as n on n.oid = t.relnamespace
           where c.conrelid = any(%s::oid[]) and c.contype in ('p', 'f', 'c', 'u')""",
        [oids],
    ):
        if kind == "p":
            keys[oid] = tuple(names)
        elif kind == "f":
            foreign_keys[oid][ForeignKey(tuple(names), target_schema, target, tuple(target_names))] = name
        else:
            (checks if kind == "c" else uniques)[oid][definition] = name
    indexes: dict[int, dict[str, str]] = defaultdict(dict)
    has_other_unique: set[int] = set()
    for oid, name, definition, is_unique, is_constraint in connection.execute(
        """select i.indrelid::bigint, c.relname, pg_get_indexdef(i.indexrelid), i.indisunique and not i.indisprimary,
                  exists (
                      select from pg_constraint as k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')
                  )
           from pg_index as i join pg_class as c on c.oid = i.indexrelid
           where i.indrelid = any(%s::oid[]) and i.indisvalid""",
        [oids],
    ):
        if is_unique:
            has_other_unique.add(oid)
        if not is_constraint:
            head, _, rest = definition.partition(" USING ")
            indexes[oid][("unique " if head.startswith("CREATE UNIQUE") else "") + rest] = name
    return {
        name: Table(
            schema,
            name,
            oid,
            comment,
            tuple(columns[oid]),
            keys.get(oid, ()),
            foreign_keys[oid],
            checks[oid],
            uniques[oid],
            indexes[oid],
            oid in has_other_unique,
        )
        for oid, name, comment in found
    }
