"""Rights as roles.yml declares them: what of the database differs, and statements that bring it there.

Everything is read from PostgreSQL's catalogue and compared: a right that is missing is granted, one that is too much is taken away, whoever
gave it. What is as declared is not touched, so that it costs a query of some hundred lines of the catalogue.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import psycopg
from psycopg import sql

from warehouse.platform.declared import declaration

PUBLIC = "public"
# As pg_default_acl has them, and the words of the statement.
_DEFAULTS = {"r": "tables", "S": "sequences", "f": "functions"}
_NOUN = {"schema": "schema", "tables": "table", "sequences": "sequence", "functions": "routine", "database": "database"}
_THINGS = """
with thing as (
    select 'schema' as kind, nspname::text as schema, nspname::text as name, quote_ident(nspname) as identity, nspowner as owner,
        coalesce(nspacl, acldefault('n', nspowner)) as acl
    from pg_namespace where nspname = any(%(schemas)s) or nspname = 'public' and %(schemas)s <> '{}'
    union all
    select case when c.relkind = 'S' then 'sequences' else 'tables' end, n.nspname, c.relname, format('%%I.%%I', n.nspname, c.relname), c.relowner,
        coalesce(c.relacl, acldefault(case when c.relkind = 'S' then 's' else 'r' end::"char", c.relowner))
    from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'v', 'm', 'p', 'f', 'S')
    union all
    select 'functions', n.nspname, p.proname, format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace where n.nspname = any(%(schemas)s)
    union all
    select 'database', '', d.datname, quote_ident(d.datname), d.datdba, coalesce(d.datacl, acldefault('d', d.datdba))
    from pg_database as d where d.datname = current_database()
)

select t.kind, t.schema, t.name, t.identity, pg_get_userbyid(t.owner)::text,
    coalesce(
        (select array_agg(
            case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end || ' ' || lower(a.privilege_type)
            || case when a.is_grantable then ' and hand on' else '' end
        ) from aclexplode(t.acl) as a where a.grantee <> t.owner), '{}'
    )
from thing as t where not %(mine)s or t.owner = current_user::regrole
order by 1, 2, 4
"""
_COLUMN_RIGHTS = """
select format('%%I.%%I', n.nspname, c.relname), quote_ident(t.attname), coalesce(r.rolname, 'public')::text, lower(a.privilege_type)
from pg_attribute as t inner join pg_class as c on c.oid = t.attrelid inner join pg_namespace as n on n.oid = c.relnamespace
cross join lateral aclexplode(t.attacl) as a left join pg_roles as r on r.oid = a.grantee
where n.nspname = any(%(schemas)s) and t.attacl is not null and (not %(mine)s or c.relowner = current_user::regrole) order by 1, 2
"""
_DEFAULT_RIGHTS = """
select r.rolname::text, coalesce(n.nspname, '')::text, d.defaclobjtype::text,
    coalesce(
        (select array_agg(case when a.grantee = 0 then 'public' else pg_get_userbyid(a.grantee)::text end || ' ' || lower(a.privilege_type))
         from aclexplode(d.defaclacl) as a where a.grantee <> d.defaclrole), '{}'
    )
from pg_default_acl as d inner join pg_roles as r on r.oid = d.defaclrole left join pg_namespace as n on n.oid = d.defaclnamespace
where r.rolname = any(%s)
"""


@dataclasses.dataclass(frozen=True, order=True)
class Difference:
    """One right that is not as declared.

    Attributes:
        role: whose; "public": everybody's.
        verb: select, usage, execute ...; "select and hand on" where it may pass the right on.
        thing: kind and name: "table marts.fct_measure".
        is_missing: it is declared and not there; else it is there and not declared.
        statement: what puts that right.
    """

    role: str
    verb: str
    thing: str
    is_missing: bool
    statement: str = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return f"{self.role} {'lacks' if self.is_missing else 'has'} {self.verb} on {self.thing}"


def differences(
    connection: psycopg.Connection, *, mine: bool = False, database_alone: bool = False
) -> list[Difference]:
    """What of the rights is not as declared.

    Args:
        mine: of what the role of the connection owns alone, as the publisher keeps what it publishes.
        database_alone: of the database itself, and of nothing in it.
    """
    scope = {"schemas": [] if database_alone else list(declaration().schemas), "mine": mine}
    found: list[Difference] = []
    for kind, schema, name, identity, owner, there in connection.execute(_THINGS, scope).fetchall():
        wanted = {f"{role} {verb}" for role, verb in _wanted(kind, schema, name) if role != owner}
        found += _compared(f"{_NOUN[kind]} {identity}", wanted, set(there))
    for table, column, role, verb in connection.execute(_COLUMN_RIGHTS, scope).fetchall():
        # No right is declared by column, and one would be overlooked by whoever reads the rights of the table.
        statement = f"revoke {verb} ({column}) on table {table} from {_quoted(role)}"
        found.append(Difference(role, f"{verb} ({column})", f"table {table}", False, statement))
    if not mine and not database_alone:
        found += _default_differences(connection)
    return sorted(found)


def _wanted(kind: str, schema: str, name: str) -> Iterator[tuple[str, str]]:
    """Role and verb of each right that is declared on a thing."""
    declared = declaration()
    if kind == "database":
        for verb in ("connect", "create", "temporary"):
            yield from ((role, verb) for role in getattr(declared.database, verb))
    elif kind == "schema" and schema == "public":
        yield from ((role, "usage") for role in declared.public_schema)
    else:
        for role in declared.grants:
            yield from ((role, verb) for verb in declared.verbs(role, schema, kind, name))


def _compared(thing: str, wanted: Collection[str], there: Collection[str]) -> Iterator[Difference]:
    for right in set(there) - set(wanted):
        role, verb = right.split(" ", 1)
        plain = verb.removesuffix(" and hand on")
        yield Difference(role, verb, thing, False, f"revoke {plain} on {thing} from {_quoted(role)} cascade")
    for right in set(wanted) - set(there):
        role, verb = right.split(" ", 1)
        yield Difference(role, verb, thing, True, f"grant {verb} on {thing} to {_quoted(role)}")


def _quoted(role: str) -> str:
    return PUBLIC if role == PUBLIC else sql.Identifier(role).as_string(None)


def _default_differences(connection: psycopg.Connection) -> Iterator[Difference]:
    """Of what makers make later: what everybody who is granted all of a kind may do to it, and that nobody else may."""
    declared = declaration()
    makers = sorted({*declared.makers.values(), "vru_owner"})
    wanted: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for role, schemas in declared.grants.items():
        for schema, rights in schemas.items():
            maker = declared.makers.get(schema)
            for right in rights if maker is not None and maker != role else ():
                if right.is_on_all:
                    letter = next(letter for letter, kind in _DEFAULTS.items() if kind == right.of)
                    wanted[str(maker), schema, letter] |= {f"{role} {verb}" for verb in right.may}
    there = {
        (maker, schema, letter): set(rights)
        for maker, schema, letter, rights in connection.execute(_DEFAULT_RIGHTS, [makers]).fetchall()
    }
    for maker in makers:
        # Where nothing is written, PostgreSQL lets everybody call what is made.
        if (maker, "", "f") not in there:
            there[maker, "", "f"] = {"public execute"}
    for place in sorted({*wanted, *there}):
        maker, schema, letter = place
        within = f" in schema {_quoted(schema)}" if schema else ""
        if letter not in _DEFAULTS:
            continue
        for one in _compared(_DEFAULTS[letter], wanted.get(place, set()), there.get(place, set())):
            statement = (
                f"alter default privileges for role {_quoted(maker)}{within} {one.statement.removesuffix(' cascade')}"
            )
            yield dataclasses.replace(one, thing=f"later {one.thing} of {maker}{within}", statement=statement)


def keep(connection: psycopg.Connection, *, mine: bool = False) -> list[Difference]:
    """Make the rights what is declared.

    Args:
        connection: of an admin; or, with `mine`, of the role whose things are kept.

    Returns:
        What was not so.
    """
    found = differences(connection, mine=mine)
    # What is too much goes first: a right that may be handed on is taken away whole, and given again without that.
    put_right(connection, sorted(found, key=lambda one: one.is_missing))
    if any(" and hand on" in one.verb for one in found):
        put_right(connection, [one for one in differences(connection, mine=mine) if one.is_missing])
    return found


def put_right(connection: psycopg.Connection, found: Iterable[Difference]) -> None:
    """Run what puts differences right, all of it at once: of a new database it is a thousand statements."""
    if statements := "; ".join(one.statement for one in found):
        connection.execute(statements.encode())


def describe(found: Collection[Difference], shown: int = 5) -> str:
    """Differences as a message names them."""
    several = f" and {len(found) - shown} more" if len(found) > shown else ""
    return "; ".join(str(one) for one in list(found)[:shown]) + several
