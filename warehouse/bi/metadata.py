"""Superset's own database: its users, dashboards and sessions, on the warehouse's server, and of a role that sees nothing else there."""

from __future__ import annotations

from psycopg import sql

from warehouse.platform.connection import ADMIN, connect, password
from warehouse.platform.settings import Settings

ROLE = "vru_superset"
DATABASE = "superset"
# Superset signs its sessions with the first, and logs its administrator in with the second.
ADMIN_PASSWORD = "superset_admin_password"  # noqa: S105 - a file's name
SECRETS = ("superset_secret_key", ADMIN_PASSWORD)
CONNECTIONS = 20


def set_up(settings: Settings) -> bool:
    """Make role and database, or give the role its password back. Running it again changes nothing.

    Returns:
        Whether the database was made now, so that nothing stands in it.

    Raises:
        Refusal: the server cannot be reached, or VRU_DATABASE_URL names nobody who may make a role.
    """
    with connect(settings, ADMIN, autocommit=True) as connection:
        name, database = sql.Identifier(ROLE), sql.Identifier(DATABASE)
        is_known = connection.execute("select 1 from pg_roles where rolname = %s", [ROLE]).fetchone()
        # As a verifier: a statement that fails is written to the server's log, password and all.
        verifier = connection.pgconn.encrypt_password(
            password(settings, ROLE, make=True).encode(), ROLE.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL(("alter" if is_known else "create") + " role {} login connection limit {} password {}").format(
                name, sql.Literal(CONNECTIONS), sql.Literal(verifier.decode())
            )
        )
        is_new = connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None
        if is_new:
            # An admin who is no superuser must belong to a role before it can make a database for it.
            connection.execute(sql.SQL("grant {} to current_user").format(name))
            connection.execute(sql.SQL("create database {} owner {}").format(database, name))
            connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    return is_new


def make_secrets(settings: Settings) -> None:
    """Write the secrets that are missing (mode 0600)."""
    for one in SECRETS:
        password(settings, one, make=True)
