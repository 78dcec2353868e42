"""Rights and row policies of what is published, kept in the publishing transaction: nobody ever sees a mart without them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import psycopg
from psycopg import sql

from ingest.errors import Refusal
from warehouse.platform import grants, locking, readers, row_security
from warehouse.platform.row_security import Change
from warehouse.publish import history, mart_schema
from warehouse.publish.release_records import UNTOUCHED


def keep(connection: psycopg.Connection) -> None:
    """Make the rights and policies of marts, history and the open view what is declared (warehouse/platform/roles.yml).

    Args:
        connection: of the publisher, in the transaction that publishes or rolls back, when the marts stand.

    Raises:
        Refusal: the policies of a table have to change that a reader held on to during every try.
    """
    found = row_differences(connection)
    if found and not locking.in_short_tries(connection, lambda: row_security.put_right(connection, found)):
        raise Refusal(
            "READERS_IN_THE_WAY",
            f"who sees which rows of {', '.join(one.relation for one in found[:5])} has to change, and for {locking.PATIENCE:.0f} s "
            f"it was being read: {readers.describe(readers.sessions(connection))}",
            kept=UNTOUCHED,
            next_step="run `vru build` again when nobody holds a transaction open on it (pg_stat_activity names them)",
        )
    grants.keep(connection, mine=True)


def row_differences(connection: psycopg.Connection) -> Sequence[Change]:
    """Tables, views and histories that show their rows to others than declared, and what puts that right."""
    return [*row_security.differences(connection), *_histories(connection)]


def _histories(connection: psycopg.Connection) -> list[Change]:
    """Views of history that do not say which rows who asks may see, or were altered since (ops.mart_beginning has the hash of each)."""
    marts, past = (mart_schema.read_tables(connection, schema) for schema in (mart_schema.MARTS, mart_schema.PAST))
    columns = {name: mart.names for name, mart in marts.items()}
    stands = {
        name: (rule, given == now)
        for name, rule, given, now in connection.execute(
            """select b.mart_name, coalesce(b.view_rule, ''), coalesce(b.view_hash, ''),
                      case when b.view_rule is null then '' else md5(pg_get_viewdef(to_regclass(format('%I.%I', 'marts_history', b.mart_name)))) end
               from ops.mart_beginning as b"""
        ).fetchall()
    }
    found = []
    for name, kept in past.items():
        mart = marts.get(name)
        seen = row_security.seen(name, mart.names if mart else None, columns)
        rule = hashlib.sha256(seen.encode()).hexdigest() if seen else ""
        if name not in stands or stands[name] == (rule, True):
            continue
        if mart:
            removed = {*kept.names} - {*mart.names, mart_schema.VALID_FROM, mart_schema.VALID_TO}
            view = history.view(name, mart.key, kept.names, removed, seen)
        else:
            view = history.view_of_what_ended(name, kept.names, seen)
        note = sql.SQL(
            """update ops.mart_beginning set view_rule = {rule},
                   view_hash = case when {rule} <> '' then md5(pg_get_viewdef({view}::regclass)) end where mart_name = {name}"""
        ).format(
            rule=sql.Literal(rule or None),
            view=sql.Literal(sql.Identifier(mart_schema.HISTORY, name).as_string(None)),
            name=sql.Literal(name),
        )
        found.append(Change(f"{mart_schema.HISTORY}.{name}", "shows other rows than declared", (view, note)))
    return found
