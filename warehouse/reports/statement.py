"""One statement of a person's, asked as a role: what it gives, or what is wrong with it and what was probably meant."""

from __future__ import annotations

import difflib
import hashlib
from typing import Any

import psycopg

from ingest.errors import Refusal
from warehouse.platform import audit
from warehouse.platform.connection import OPEN, connect
from warehouse.platform.declared import declaration
from warehouse.platform.roles import opens_on
from warehouse.platform.settings import Settings

SEVERAL = "cannot insert multiple commands into a prepared statement"  # what PostgreSQL says of several statements
NEAREST = 3
# Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): data exception, invalid schema name, syntax error or
# access rule violation.
OF_THE_STATEMENT = ("22", "3F", "42")
SHOWN = 3  # tables in the subject of a line of the audit trail, which has all of them beside it
OF_PERSONS = frozenset({"raw", "staging", "intermediate", "candidate", "quarantine"})


def run(settings: Settings, role: str, statement: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Run one statement as a role; a name without a schema is of the schema that role opens on.

    One that reads restricted tables is written into the audit trail first, by its hash and their names.

    Returns:
        The names of its columns, each once, and its rows; neither where it gives none.

    Raises:
        Refusal: it is several statements, is not valid, or asks what the role may not; of a table that is not there the nearest are named.
        psycopg.Error: whatever else the database has against it.
    """
    try:
        with connect(settings, role) as connection:
            # Where a BI tool of the role opens too. Nobody who only reads can make anything there that would stand in for a table.
            connection.execute("select set_config('search_path', %s, false)", [opens_on(role)])
            if role != OPEN and (tables := _restricted(connection, statement)):
                digest = hashlib.sha256(statement.encode()).hexdigest()
                audit.write(settings, role, "query", ", ".join(tables[:SHOWN]), tables=tables, statement_sha256=digest)
            # As a prepared statement: of several in one text the server would give the first one's rows and say nothing of the others.
            cursor = connection.execute(statement.encode(), prepare=True)
            names = [column.name for column in cursor.description or ()]
            return _each_once(names), cursor.fetchall() if names else []
    except psycopg.errors.SyntaxError as error:
        if SEVERAL in str(error):
            raise Refusal(
                "OPTION_INVALID",
                "this is more than one statement, and one is asked at a time",
                kept="none of them was run",
                next_step="run each by a command of its own, or use psql (`vru db url`)",
            ) from None
        raise _invalid(str(error)) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        said = error.diag.message_primary or str(error)
        nearest = _nearest(settings, role, said)
        close = f"; nearest: {', '.join(nearest)}" if nearest else ""
        raise _invalid(
            f"{said}{close}",
            "" if nearest else "`select * from information_schema.tables` lists what this role may read",
        ) from None
    except psycopg.Error as error:
        if (error.sqlstate or "").startswith(OF_THE_STATEMENT):
            raise _invalid(str(error)) from None
        raise


def _invalid(said: str, next_step: str = "") -> Refusal:
    """The statement itself is wrong; the database is well."""
    return Refusal("SQL_INVALID", f"the statement is not valid: {' '.join(said.split())}", next_step=next_step)


def _restricted(connection: psycopg.Connection, statement: str) -> list[str]:
    """The tables of a statement's plan that hold restricted rows: of persons, as published, or as roles.yml declares.

    Functions that the planner does not look into count as what they may read; a statement without a plan has no table.
    """
    try:
        with connection.transaction():
            row = connection.execute(f"explain (verbose, format json) {statement}".encode(), prepare=True).fetchone()
    except (psycopg.Error, TypeError):
        return []  # it is refused as it is asked, or shows a setting
    found: set[str] = set()
    parts = [part["Plan"] for part in row[0]] if row else []
    while parts:
        part = parts.pop()
        parts += part.get("Plans", [])
        schema, name = part.get("Schema"), part.get("Relation Name") or part.get("Function Name")
        if (
            schema in OF_PERSONS
            or schema == "marts_history"
            or (schema in {"marts", "marts_past"} and name in declaration().rows.tables)
        ):
            found.add(f"{schema}.{name}")
    return sorted(found)


def _each_once(names: list[str]) -> list[str]:
    """Names of columns; one that stands twice is numbered, so that JSON loses none."""
    return [name if names.index(name) == place else f"{name}_{place + 1}" for place, name in enumerate(names)]


def _nearest(settings: Settings, role: str, said: str) -> list[str]:
    """The tables and views that this role may read and that are spelt most like the one that is not there."""
    asked = said.partition('"')[2].partition('"')[0].lower()
    with connect(settings, role) as connection:
        rows = connection.execute(
            """select n.nspname || '.' || c.relname from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
               where c.relkind in ('r', 'v', 'm', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
                 and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
               order by n.nspname <> 'marts', 1"""
        ).fetchall()
    known = [name for (name,) in rows]
    same = [name for name in known if name.rpartition(".")[2] == asked.rpartition(".")[2]]
    bare = {name.rpartition(".")[2]: name for name in reversed(known)}
    close = difflib.get_close_matches(asked, known, n=NEAREST, cutoff=0.6)
    closer = [bare[name] for name in difflib.get_close_matches(asked.rpartition(".")[2], bare, n=NEAREST, cutoff=0.7)]
    return list(dict.fromkeys([*same, *close, *closer]))[:NEAREST]
