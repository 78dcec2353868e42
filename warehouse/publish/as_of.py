"""The functions that return a mart as a release published it (marts_history.<table>_as_of)."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from warehouse.publish.mart_schema import HISTORY, VALID_FROM, VALID_TO, Column, Table, columns_of


def refresh_as_of(connection: psycopg.Connection, table: Table) -> bool:
    """Make, or bring up to date, the function that returns a mart as a release published it.

    Args:
        table: the mart as it stands now.

    Returns:
        Whether it had to be written.
    """
    function = sql.Identifier(HISTORY, f"{table.name}_as_of")
    # The parameter goes by number: a mart may have a column of any name.
    body = sql.SQL("select {} from {} where {} <= $1 and ({} > $1 or {} is null)").format(
        columns_of(table.names),
        sql.Identifier(HISTORY, table.name),
        *map(sql.Identifier, (VALID_FROM, VALID_TO, VALID_TO)),
    )
    text = body.as_string(connection)
    written = connection.execute(
        "select prosrc from pg_proc where pronamespace = to_regnamespace(%s)::oid and proname = %s",
        [HISTORY, f"{table.name}_as_of"],
    ).fetchone()
    if written == (text,):
        return False
    connection.execute(
        sql.SQL(
            "create or replace function {}(release_id bigint) returns setof {} language sql stable parallel safe as {}"
        ).format(function, table.identifier, sql.Literal(text))
    )
    describe_as_of(connection, table.name)
    return True


def detach_as_of(connection: psycopg.Connection, mart: str, columns: Sequence[Column]) -> None:
    """Let the function that returns a mart as of a release stand by itself: it says what it said, and the mart may go.

    Args:
        columns: of the mart, in their order.
    """
    function = sql.Identifier(HISTORY, f"{mart}_as_of")
    written = connection.execute(
        "select prosrc from pg_proc where pronamespace = to_regnamespace(%s)::oid and proname = %s",
        [HISTORY, f"{mart}_as_of"],
    ).fetchone()
    if written is None:
        return
    connection.execute(sql.SQL("drop function {}(bigint)").format(function))
    # A column of the parameter's name would be a second variable of that name: the parameter goes by its number.
    parameter = "bigint" if any(column.name == "release_id" for column in columns) else "release_id bigint"
    connection.execute(
        sql.SQL("create function {}({}) returns table ({}) language sql stable parallel safe as {}").format(
            function,
            sql.SQL(parameter),
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type.partition(" collate ")[0]))
                for column in columns
            ),
            sql.Literal(written[0]),
        )
    )
    describe_as_of(connection, mart)


def describe_as_of(connection: psycopg.Connection, mart: str) -> None:
    """Say what the function that returns a mart as of a release does."""
    function = sql.Identifier(HISTORY, f"{mart}_as_of")
    connection.execute(
        sql.SQL("comment on function {}(bigint) is {}").format(
            function,
            sql.Literal(f"The rows of marts.{mart} as that release published them (marts.publication lists releases)."),
        )
    )
