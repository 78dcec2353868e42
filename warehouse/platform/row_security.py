"""Which rows of the marts, and of their history, a role sees: policies as roles.yml declares them (`rows`).

Two policies a table: one for those who see all of it, one each for those who see open rows, rows of their own boroughs and, where it is shown,
London as it is stored. The publisher owns the tables and sees all without one: force is not set, since pg_dump then refuses a table
whose rows it might not see whole. Views of the marts have the rights of who asks, so that no view is a way round; those of their history say the same
as the policies (`seen`), because who asks has no right to marts_past, which clients would show it.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import LiteralString

import psycopg
from psycopg import sql

from warehouse.platform.declared import RowRule, declaration

MARTS, PAST = "marts", "marts_past"
ALL = "sees_all"
_OPEN = {"measure": ("measure_code", "dim_measure"), "source": ("source", "dim_source")}
# A policy as PostgreSQL prints it, as a hash: one that somebody has altered under the same name differs from the comment it was given.
_SAID: LiteralString = """md5(concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
    (select string_agg(pg_get_userbyid(r)::text, ',' order by pg_get_userbyid(r)::text) from unnest(p.polroles) as r)))"""


@dataclasses.dataclass(frozen=True)
class Change:
    """What is not as declared of one table or view, and the statements that put it right."""

    relation: str
    what: str
    statements: tuple[sql.Composed, ...]

    def __str__(self) -> str:
        return f"{self.relation}: {self.what}"


@dataclasses.dataclass(frozen=True)
class _Table:
    """A table as it stands: its columns, whether policies hold, and each policy with a hash of what it says."""

    schema: str
    name: str
    columns: frozenset[str]
    is_secured: bool
    policies: dict[str, tuple[str, str | None]]


def differences(connection: psycopg.Connection) -> list[Change]:
    """Tables whose policies, and views whose rights, are not as declared."""
    tables = {(one.schema, one.name): one for one in _read(connection)}
    columns = {name: one.columns for (schema, name), one in tables.items() if schema == MARTS}
    found = []
    for (schema, name), table in sorted(tables.items()):
        rule = declaration().rows.tables.get(name)
        if schema == PAST and name not in columns:
            # Its mart is a view now, or is gone, and what was restricted of it nobody declares any more.
            rule = RowRule(sums=False)
        wanted = _policies(table, rule, columns) if rule else {}
        if wrong := _wrong(table, wanted):
            found.append(Change(f"{schema}.{name}", wrong, tuple(_put_right(table, wanted))))
    for schema, name, is_invoker in connection.execute(
        """select n.nspname::text, c.relname::text, coalesce('security_invoker=true' = any(c.reloptions), false)
           from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
           where c.relkind = 'v' and pg_get_userbyid(c.relowner) = 'vru_publisher' and n.nspname in ('marts', 'marts_history') order by 1, 2"""
    ).fetchall():
        if is_invoker != (schema == MARTS):
            statement = sql.SQL("alter view {} set (security_invoker = {})").format(
                sql.Identifier(schema, name), sql.SQL("false" if is_invoker else "true")
            )
            found.append(
                Change(
                    f"{schema}.{name}", f"has the rights of {'who asks' if is_invoker else 'its owner'}", (statement,)
                )
            )
    return found


def put_right(connection: psycopg.Connection, found: Iterable[Change]) -> None:
    """Run what puts differences right; each table is locked against its readers to the end of the transaction.

    Args:
        connection: of the publisher, or of an admin who may act as it.
    """
    for one in found:
        for statement in one.statements:
            connection.execute(statement)


def _read(connection: psycopg.Connection) -> Iterator[_Table]:
    for row in connection.execute(
        f"""select n.nspname::text, c.relname::text, c.relrowsecurity,
                  array(select a.attname::text from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
                  array(select p.polname::text from pg_policy as p where p.polrelid = c.oid order by p.polname),
                  array(select {_SAID}
                        from pg_policy as p where p.polrelid = c.oid order by p.polname),
                  array(select obj_description(p.oid, 'pg_policy') from pg_policy as p where p.polrelid = c.oid order by p.polname)
           from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
           where c.relkind = 'r' and n.nspname in ('marts', 'marts_past')""".encode()  # noqa: S608 - a text of ours
    ).fetchall():
        schema, name, is_secured, columns, policies, hashes, comments = row
        yield _Table(
            schema,
            name,
            frozenset(columns),
            is_secured,
            dict(zip(policies, zip(hashes, comments, strict=True), strict=True)),
        )


def _policies(
    table: _Table, rule: RowRule, columns: dict[str, frozenset[str]]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By its name each policy of a table: the rows that it shows, and to whom. The name says which declaration it comes from."""
    rows = declaration().rows
    said = {
        ALL: ("true", rows.see_all),
        "own_boroughs": (_own(table.columns, rule, columns), (rows.own_boroughs,)),
        "open_rows": (_is_open(table.columns, rule, columns), rows.open_rows),
    }
    return {f"{name}_{hashlib.sha256(repr(one).encode()).hexdigest()[:8]}": one for name, one in said.items()}


def seen(name: str, of_mart: Collection[str] | None, columns: Mapping[str, Collection[str]]) -> str:
    """The condition under which a row of a mart's history is shown to who asks; empty where every row is.

    Args:
        name: of the mart.
        of_mart: its columns; None where it is no table any more, and nobody declares what was restricted of it.
        columns: of each table of schema marts.
    """
    rows = declaration().rows
    rule = rows.tables.get(name) if of_mart is not None else RowRule(sums=False)
    if rule is None:
        return ""
    everybody = ", ".join(sql.Literal(role).as_string(None) for role in (*rows.see_all, "vru_publisher"))
    all_of_it = f"(select bool_or(pg_has_role(current_user, r, 'usage')) from unnest(array[{everybody}]) as r)"  # noqa: S608 - names of ours
    return f"{all_of_it} or {_own(of_mart, rule, columns)}" if of_mart is not None else all_of_it


def _own(of_table: Collection[str], rule: RowRule, columns: Mapping[str, Collection[str]]) -> str:
    """Which rows of a table a borough analyst sees."""
    shown = [_is_open(of_table, rule, columns)]
    if rule.area in of_table:
        area = sql.Identifier(str(rule.area)).as_string(None)
        # As arrays that a query works out once: an index on the area can find them.
        shown.append(f"{area} = any (array(select {MARTS}.my_boroughs()))")
        if rule.sums:
            listed = ", ".join(sql.Literal(code).as_string(None) for code in declaration().rows.sums)
            shown.append(f"{area} = any (array[{listed}])")
    return " or ".join(f"({one})" for one in shown if one != "false") or "false"


def _is_open(of_table: Collection[str], rule: RowRule, columns: Mapping[str, Collection[str]]) -> str:
    """When a row of a table is open. A table, or a dimension, that cannot say so has none."""
    if rule.open == "row" and "publish_rule" in of_table:
        return "publish_rule = 'open'"
    column, dimension = _OPEN.get(rule.open, ("", ""))
    if column and column in of_table and {column, "publish_rule"} <= {*columns.get(dimension, ())}:
        return f"{column} in (select d.{column} from {MARTS}.{dimension} as d where d.publish_rule = 'open')"  # noqa: S608 - names of ours
    return "false"


def _wrong(table: _Table, wanted: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """What of a table's policies is not as wanted; empty where nothing is."""
    if bool(wanted) != table.is_secured:
        return "shows every row" if wanted else "hides rows that are open"
    if extra := sorted(table.policies.keys() - wanted.keys()):
        return f"has the policy {', '.join(extra)}"
    if missing := sorted(wanted.keys() - table.policies.keys()):
        return f"lacks the policy {', '.join(missing)}"
    altered = [name for name, (now, given) in table.policies.items() if now != given]
    return f"has an altered policy {', '.join(altered)}" if altered else ""


def _put_right(table: _Table, wanted: dict[str, tuple[str, tuple[str, ...]]]) -> Iterator[sql.Composed]:
    relation = sql.Identifier(table.schema, table.name)
    for name, (now, given) in table.policies.items():
        if name not in wanted or now != given:
            yield sql.SQL("drop policy {} on {}").format(sql.Identifier(name), relation)
    yield sql.SQL("alter table {} " + ("enable" if wanted else "disable") + " row level security").format(relation)
    for name, (seen, roles) in wanted.items():
        there = table.policies.get(name)
        if there is not None and there[0] == there[1]:
            continue
        yield sql.SQL("create policy {} on {} for select to {} using ({})").format(
            sql.Identifier(name), relation, sql.SQL(", ").join(map(sql.Identifier, roles)), sql.SQL(seen)
        )
        yield sql.SQL(
            "do $do$ declare said text; begin select "  # noqa: S608 - as above
            + _SAID
            + """ into strict said from pg_policy as p where p.polrelid = {oid}::regclass and p.polname = {name};
                 execute format('comment on policy %I on %s is %L', {name}, {oid}, said);
               end $do$"""
        ).format(oid=sql.Literal(relation.as_string(None)), name=sql.Literal(name))
