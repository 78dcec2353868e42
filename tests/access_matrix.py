"""Who may do what in a warehouse, asked of PostgreSQL for every role, thing and verb, beside what roles.yml declares."""

from __future__ import annotations

import psycopg

from warehouse.platform.declared import declaration

Cell = tuple[str, str, str, str]  # role, kind, thing, verb
VERBS = {
    "schema": ("usage", "create"),
    "tables": ("select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain"),
    "columns": ("select", "insert", "update", "references"),
    "sequences": ("usage", "select", "update"),
    "functions": ("execute",),
    "database": ("connect", "create", "temporary"),
}
# Of each kind: its things, as schema, name, the thing's own name, owner and oid; and the function that says who may what.
_THINGS = {
    "schema": "select '' as schema, nspname as name, nspname as thing, nspowner as owner, oid from pg_namespace",
    "tables": "select n.nspname, c.relname, c.oid::regclass::text, c.relowner, c.oid from pg_class as c"
    " join pg_namespace as n on n.oid = c.relnamespace where c.relkind in ('r', 'v', 'm', 'p', 'f')",
    "sequences": "select n.nspname, c.relname, c.oid::regclass::text, c.relowner, c.oid from pg_class as c"
    " join pg_namespace as n on n.oid = c.relnamespace where c.relkind = 'S'",
    "functions": "select n.nspname, p.proname, p.oid::regprocedure::text, p.proowner, p.oid from pg_proc as p"
    " join pg_namespace as n on n.oid = p.pronamespace",
    "database": "select '', datname, datname, datdba, oid from pg_database where datname = current_database()",
}
_THINGS["columns"] = _THINGS["tables"]
_MAY = {
    "schema": "has_schema_privilege",
    "tables": "has_table_privilege",
    "columns": "has_any_column_privilege",
    "sequences": "has_sequence_privilege",
    "functions": "has_function_privilege",
    "database": "has_database_privilege",
}


def things(connection: psycopg.Connection, kind: str) -> list[tuple[str, str, str, str]]:
    """Schema, name, the name that PostgreSQL prints, and the owner of each thing of a kind that is ours."""
    return connection.execute(
        f"""select schema::text, name::text, thing::text, pg_get_userbyid(owner)::text
            from ({_THINGS[kind]}) as t (schema, name, thing, owner, oid) where {_OURS[kind]}""".encode(),
        {"schemas": [*declaration().schemas, "public"]},
    ).fetchall()


_OURS = dict.fromkeys(VERBS, "t.schema = any(%(schemas)s)") | {
    "schema": "t.name = any(%(schemas)s)",
    "database": "%(schemas)s <> '{}'",
}


def roles(*logins: str) -> list[str]:
    """Every role of the warehouse, and some logins of borough analysts."""
    return [*declaration().roles, *logins]


def found(connection: psycopg.Connection, *logins: str) -> set[Cell]:
    """What each role may do to each thing of our schemas and of the database, as PostgreSQL says: by its own rights, PUBLIC's and its roles'."""
    cells = set()
    for kind, verbs in VERBS.items():
        cells |= {
            (role, kind, thing, verb)
            for role, thing, verb in connection.execute(
                f"""select role, t.thing::text, verb from ({_THINGS[kind]}) as t (schema, name, thing, owner, oid),
                        unnest(%(roles)s::text[]) as role, unnest(%(verbs)s::text[]) as verb
                    where {_OURS[kind]} and {_MAY[kind]}(role, t.oid, verb)""".encode(),
                {"schemas": [*declaration().schemas, "public"], "roles": roles(*logins), "verbs": list(verbs)},
            )
        }
    return cells


def declared(connection: psycopg.Connection, *logins: str) -> set[Cell]:
    """What the declaration says of the same roles and things; who owns a thing may do everything to it."""
    cells: set[Cell] = set()
    for kind, verbs in VERBS.items():
        for schema, name, thing, owner in things(connection, kind):
            for role in roles(*logins):
                for acting in _acts_as(role, *logins):
                    may = set(verbs) if owner == acting else _rights(acting, kind, schema, name)
                    cells |= {(role, kind, thing, verb) for verb in may & set(verbs)}
    return cells


def _acts_as(role: str, *logins: str) -> list[str]:
    """The role, and those whose rights it has too."""
    if role == "vru_owner":  # its functions end readers' sessions
        return [role, *declaration().readers]
    return [role, "vru_borough_analyst"] if role in logins else [role]


def _rights(role: str, kind: str, schema: str, name: str) -> set[str]:
    file = declaration()
    if kind == "database":
        return {verb for verb in VERBS[kind] if role in getattr(file.database, verb)}
    if kind == "schema" and name == "public":
        return {"usage"} if role in file.public_schema else set()
    if kind == "schema":
        return file.verbs(role, name, kind, name)
    return file.verbs(role, schema, "tables" if kind == "columns" else kind, name)
