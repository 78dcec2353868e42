"""What no role of ours may have: the powers of a superuser, and membership of another role, by which it would have that one's rights."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import psycopg
from psycopg import sql

from warehouse.platform.connection import BOROUGH_ANALYST, OWNER
from warehouse.platform.declared import declaration

_POWERS = {
    "superuser": "rolsuper",
    "createrole": "rolcreaterole",
    "createdb": "rolcreatedb",
    "replication": "rolreplication",
    "bypassrls": "rolbypassrls",
}


def too_much(connection: psycopg.Connection, logins: Collection[str]) -> Iterator[tuple[str, str, sql.Composed]]:
    """What a role of ours has and should not.

    Args:
        logins: of borough analysts.

    Returns:
        The role, what it has in words, and the statement that takes it away.
    """
    ours = [*declaration().roles, *logins]
    for role, *has in connection.execute(
        sql.SQL("select rolname::text, {} from pg_roles where rolname = any(%s) order by 1").format(
            sql.SQL(", ").join(map(sql.Identifier, _POWERS.values()))
        ),
        [ours],
    ).fetchall():
        for power, is_there in zip(_POWERS, has, strict=True):
            if is_there:
                yield role, power, sql.SQL("alter role {} no" + power).format(sql.Identifier(role))
    for role, member in connection.execute(
        """select g.rolname::text, m.rolname::text from pg_auth_members as a
           inner join pg_roles as g on g.oid = a.roleid inner join pg_roles as m on m.oid = a.member
           where m.rolname = any(%s) order by 2, 1""",
        [ours],
    ).fetchall():
        if not _belongs(role, member, logins):
            yield (
                member,
                f"belongs to {role}",
                sql.SQL("revoke {} from {} cascade").format(sql.Identifier(role), sql.Identifier(member)),
            )


def _belongs(role: str, member: str, logins: Collection[str]) -> bool:
    """Whether a member may be one: set-up makes the owner one of each reader, so that its functions may end their sessions."""
    roles = declaration().roles
    if member == OWNER:
        return role in logins or role in declaration().readers
    if role == "pg_use_reserved_connections":
        return member in roles and not roles[member].reader
    return role == BOROUGH_ANALYST and member in logins
