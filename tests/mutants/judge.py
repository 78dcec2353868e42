"""What becomes of a changed model: judged by its unit tests, by the constraints and data tests of a build, and by the recomputations.

All on one connection to a warehouse after a night. A changed model, and the models made from it, stand in temporary tables of a transaction
that is rolled back; what asks for them is asked under those names. Nothing counts as caught because it differs: only because one of the
tests we have fails.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections import Counter

import psycopg

from tests.mutants.project import INLINE, Fixture, Model, Project, UnitTest
from tests.mutants.recomputations import Recomputations

# Seconds for which a change is followed through the models made from a changed one: what is not noticed by then has survived.
FOLLOWED_FOR = 60.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    """By what a change was caught (unit test, recomputation, constraint, error, timeout, survived), and the name of the test or the reason."""

    by: str
    why: str


class Judge:
    """Judges changed models of a project on the warehouse of a connection (autocommit), which it alone uses."""

    def __init__(self, connection: psycopg.Connection, project: Project, follow_for: float = FOLLOWED_FOR) -> None:
        self.connection, self.project, self.follow_for = connection, project, follow_for
        for name, value in (
            ("max_parallel_workers_per_gather", "0"), ("jit", "off"), ("work_mem", "'128MB'"), ("temp_buffers", "'256MB'"),
        ):  # fmt: skip
            connection.execute(f"set {name} = {value}".encode())
        self.schemas = {
            model.name: model.relation.split(".")[1].strip('"')
            for model in project.models.values()
            if not model.relation.startswith(INLINE)
        }
        self.digests: dict[str, tuple[object, ...]] = {}
        self.fixtures: dict[str, tuple[dict[str, str], str]] = {}
        self.recomputations = Recomputations(connection)
        self.keys = self._foreign_keys()

    def unit_tests_fail(self, model: Model, statement: str, *, patience: float = 10.0) -> str | None:
        """The first unit test of the model that this statement fails; None where it passes them all.

        Raises:
            psycopg.Error: the statement fails.
        """
        self._allow(patience)
        for test in model.tests:
            names, due = self._given(model, test)
            made = _renamed(statement, names)
            columns = self._columns_due(test, due)
            found = self.connection.execute(f"select {columns} from ({made}) as actual".encode()).fetchall()
            expected = self.connection.execute(f"select {columns} from {due}".encode()).fetchall()
            if Counter(map(repr_of, found)) != Counter(map(repr_of, expected)):
                return test.name
        return None

    def judged(self, statements: list[tuple[Model, str]]) -> Verdict:
        """What becomes of a change that these models carry: noticed where it is noticed in any of them."""
        for model, statement in statements:
            try:
                if failed := self.unit_tests_fail(model, statement):
                    return Verdict("unit test", failed)
            except psycopg.errors.QueryCanceled:
                return Verdict("timeout", "in a unit test")
            except psycopg.Error as error:
                return Verdict("error", _first_line(error))
        found = Verdict("survived", "")
        for model, statement in [one for one in statements if one[0].name in self.schemas][:3]:
            try:
                with self.connection.transaction(force_rollback=True):
                    found = self._judged_by_a_build(model, statement)
            except psycopg.errors.QueryCanceled:
                return Verdict("timeout", "in a build")
            except psycopg.errors.IntegrityError as error:
                return Verdict("constraint", _first_line(error))
            except psycopg.Error as error:
                return Verdict("error", _first_line(error))
            if found.by != "survived":
                break
        return found

    def _judged_by_a_build(self, model: Model, statement: str) -> Verdict:
        """Make the changed model, then what is made from it, as far as that changes: each test as soon as nothing it reads may change."""
        began = time.monotonic()
        self._make(model, statement, {})
        if not self._differs(model):
            return Verdict("survived", "comes to the same on all data")
        changed = {model.name: f'pg_temp."{model.name}"'}
        pending = self._made_from(model.name)
        run: set[str] = set()
        if found := self._noticed(changed, set(pending), run):
            return found
        while pending:
            other = self.project.models[pending.pop(0)]
            if other.name not in self.schemas or not any(
                self.project.models[name].relation in other.statement for name in changed
            ):
                continue
            try:
                if time.monotonic() - began > self.follow_for:
                    raise psycopg.errors.QueryCanceled
                self._make(other, other.statement, changed)
            except psycopg.errors.QueryCanceled:
                return Verdict("survived", f"not followed to its end: changes {', '.join(changed)}")
            if self._differs(other):
                changed[other.name] = f'pg_temp."{other.name}"'
            if found := self._noticed(changed, set(pending), run):
                return found
        return Verdict("survived", f"changes {', '.join(changed)}")

    def _made_from(self, name: str) -> list[str]:
        """What is made from a model, however far, in order."""
        found = {name}
        for model in self.project.models.values():
            if found & set(model.parents):
                found.add(model.name)
        return [other for other in self.project.models if other in found and other != name]

    def _noticed(self, changed: dict[str, str], pending: set[str], run: set[str]) -> Verdict | None:
        """What notices these changes, of all that has not been run and reads nothing that may yet change."""
        if broken := self._broken(changed, pending, run):
            return Verdict("constraint", broken)
        self._allow(300)
        if failed := self.recomputations.failing(changed, pending, run):
            return Verdict("recomputation", failed)
        return None

    def _make(self, model: Model, statement: str, changed: dict[str, str]) -> None:
        """Make a temporary table of a model's name with its constraints but the foreign keys, from these changed tables."""
        self._allow(self.follow_for)
        made = _renamed(statement, {self.project.models[name].relation: table for name, table in changed.items()})
        table = f'pg_temp."{model.name}"'
        if model.is_view:
            self.connection.execute(f"create temporary table {table[8:]} as {made}".encode())
        else:
            self.connection.execute(
                f"create temporary table {table[8:]} (like {model.relation} including constraints including indexes)".encode()
            )
            columns = ", ".join(f'"{name}"' for name in self._column_types(model.relation))
            self.connection.execute(f"insert into {table} ({columns}) select {columns} from ({made}) as made".encode())
        self.connection.execute(f"analyze {table}".encode())

    def _differs(self, model: Model) -> bool:
        """Whether the temporary table of a model's name has other rows than the model's own."""
        if model.name not in self.digests:
            self.digests[model.name] = self._digest(model.relation)
        return self._digest(f'pg_temp."{model.name}"') != self.digests[model.name]

    def _digest(self, table: str) -> tuple[object, ...]:
        """How many rows a table has, and a sum over the hashes of them."""
        self._allow(300)
        row = self.connection.execute(
            f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {table} as t".encode()
        ).fetchone()
        assert row is not None
        return tuple(row)

    def _broken(self, changed: dict[str, str], pending: set[str], run: set[str]) -> str | None:
        """The first foreign key or data test that does not hold with these tables changed."""
        self._allow(120)
        for name, (table, columns, other, other_columns) in self.keys.items():
            if name in run or not {table, other} & changed.keys() or {table, other} & pending:
                continue
            run.add(name)
            here, there = (changed.get(t) or f'"{self.schemas[t]}"."{t}"' for t in (table, other))
            join = " and ".join(f'o."{b}" = t."{a}"' for a, b in zip(columns, other_columns, strict=True))
            filled = " and ".join(f't."{a}" is not null' for a in columns)
            if self.connection.execute(
                f"select 1 from {here} as t where {filled} and not exists (select from {there} as o where {join}) limit 1".encode()
            ).fetchone():
                return name
        names = {self.project.models[name].relation: table for name, table in changed.items()}
        for name, (query, parents) in self.project.data_tests.items():
            if name in run or not changed.keys() & set(parents) or pending & set(parents):
                continue
            run.add(name)
            if self.connection.execute(f"select 1 from ({_renamed(query, names)}) as t limit 1".encode()).fetchone():
                return name
        return None

    def _foreign_keys(self) -> dict[str, tuple[str, list[str], str, list[str]]]:
        rows = self.connection.execute(
            """select k.conname, t.relname, o.relname,
                 (select array_agg(a.attname::text order by u.place) from unnest(k.conkey) with ordinality as u (number, place)
                  inner join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = u.number),
                 (select array_agg(a.attname::text order by u.place) from unnest(k.confkey) with ordinality as u (number, place)
                  inner join pg_attribute as a on a.attrelid = k.confrelid and a.attnum = u.number)
               from pg_constraint as k inner join pg_class as t on t.oid = k.conrelid inner join pg_class as o on o.oid = k.confrelid
               where k.contype = 'f' and t.relnamespace::regnamespace::text in ('intermediate', 'candidate')"""
        ).fetchall()
        return {
            f"{table}: {name}": (table, here, other, there)
            for name, table, other, here, there in rows
            if table in self.schemas and other in self.schemas
        }

    def _given(self, model: Model, test: UnitTest) -> tuple[dict[str, str], str]:
        """The temporary tables that stand for each relation of a unit test, and that of the rows which are due; made once."""
        if test.name not in self.fixtures:
            number = len(self.fixtures)
            names = {}
            for place, one in enumerate(test.given):
                names[one.relation] = self._fill(f"given_{number}_{place}", one, one.relation)
            self.connection.execute(
                f"create temporary table shape_{number} as select * from ({_renamed(model.statement, names)}) as m limit 0".encode()
            )
            due = self._fill(f"due_{number}", test.due, f"pg_temp.shape_{number}")
            self.fixtures[test.name] = (names, due)
        return self.fixtures[test.name]

    def _fill(self, table: str, rows: Fixture, like: str) -> str:
        if like.startswith(INLINE):
            shape = self.project.models[like.removeprefix(INLINE)].statement
            self.connection.execute(
                f"create temporary table like_{table} as select * from ({shape}) as m limit 0".encode()
            )
            like = f"pg_temp.like_{table}"
        types = self._column_types(like)
        if rows.query is not None:
            self.connection.execute(f"create temporary table {table} as {rows.query}".encode())
        else:
            named = list(types) if not table.startswith("due") else list(rows.rows[0] if rows.rows else types)
            columns = ", ".join(f'"{name.lower()}" {types[name.lower()]}' for name in named)
            self.connection.execute(f"create temporary table {table} ({columns})".encode())
            for row in rows.rows:
                values = [f"cast({_literal(value)} as {types[name.lower()]})" for name, value in row.items()]
                into = ", ".join(f'"{name.lower()}"' for name in row)
                self.connection.execute(f"insert into {table} ({into}) values ({', '.join(values)})".encode())
        return f"pg_temp.{table}"

    def _columns_due(self, test: UnitTest, due: str) -> str:
        return ", ".join(f'"{name}"' for name in self._column_types(due))

    def _column_types(self, relation: str) -> dict[str, str]:
        rows = self.connection.execute(
            """select attname, format_type(atttypid, atttypmod) from pg_attribute
               where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum""",
            [relation],
        ).fetchall()
        return dict(rows)

    def _allow(self, seconds: float) -> None:
        self.connection.execute(f"set statement_timeout = {int(1000 * seconds)}".encode())


def repr_of(row: tuple[object, ...]) -> tuple[object, ...]:
    """A row that can be counted: whatever is no plain value as text."""
    return tuple(str(value) if isinstance(value, list | dict) else value for value in row)


def _renamed(statement: str, names: dict[str, str]) -> str:
    for relation, table in names.items():
        if relation.startswith(INLINE):
            statement = statement.replace(f" {relation} as (", f" unread{relation[5:]} as (")
        statement = statement.replace(relation, table)
    return statement


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def _first_line(error: psycopg.Error) -> str:
    return re.sub(r"\s+", " ", str(error).splitlines()[0])
