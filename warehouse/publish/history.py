"""History: what the rows of a mart said in earlier releases, kept for the rows that have changed.

Tables of schema marts_past hold each row that a release changed: as it was (closed), and as it is (open: no valid_to). A row that says what it
said when its mart began stands in the mart alone. `marts_history.<mart>` is a view that puts the two together, with the publisher's rights, so that readers are not shown marts_past: of a mart with
restricted rows it is told which of them who asks may see (`rights.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence

import psycopg
from psycopg import sql

from warehouse.platform.connection import PUBLISHER
from warehouse.platform.declared import declaration
from warehouse.publish.mart_schema import HISTORY, MARTS, PAST, VALID_FROM, VALID_TO, Statement, Table, read_tables
from warehouse.publish.plans import no_nested_loops

# Of a home whose history was once tables that repeat the marts: until `shed` has looked.
NOT_LOOKED_AT = 0


def view(
    name: str, key: Sequence[str], columns: Sequence[str], removed: Collection[str] = (), seen: str = ""
) -> Statement:
    """The statement that makes the history of a mart, or brings it up to date.

    Args:
        name: of the mart.
        key: its key.
        columns: of its table in marts_past, in their order there: a view that is replaced may only gain columns at its end.
        removed: those of them that the mart no longer has.
        seen: the condition under which a row is shown; empty: every row is.
    """
    now: dict[str, sql.Composable] = {
        **{one: sql.Identifier("o", one) for one in removed},
        VALID_FROM: sql.SQL("coalesce(o.{}, {})").format(sql.Identifier(VALID_FROM), beginning(name)),
        VALID_TO: sql.SQL("null::bigint"),
    }
    both = sql.SQL(
        """select {} from {} as m left join {} as o on {} and o.{} is null
           union all
           select {} from {} as p where p.{} is not null"""
    ).format(
        sql.SQL(", ").join(
            sql.SQL("{} as {}").format(now.get(one, sql.Identifier("m", one)), sql.Identifier(one)) for one in columns
        ),
        sql.Identifier(MARTS, name),
        sql.Identifier(PAST, name),
        sql.SQL(" and ").join(sql.SQL("o.{0} = m.{0}").format(sql.Identifier(one)) for one in key),
        sql.Identifier(VALID_TO),
        sql.SQL(", ").join(sql.Identifier("p", one) for one in columns),
        sql.Identifier(PAST, name),
        sql.Identifier(VALID_TO),
    )
    return _view(name, both, seen)


def view_of_what_ended(name: str, columns: Sequence[str], seen: str = "") -> Statement:
    """The statement that makes the history of a mart that is no table any more."""
    rows = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(PAST, name)
    )
    return _view(name, rows, seen)


def _view(name: str, rows: sql.Composed, seen: str) -> Statement:
    # A barrier: else a function of the reader's own query would be asked of rows before they are left out.
    secured = sql.SQL("create or replace view {} with (security_barrier = true) as select * from ({}) as kept where {}")
    target = sql.Identifier(HISTORY, name)
    if seen:
        return secured.format(target, rows, sql.SQL(seen))
    return sql.SQL("create or replace view {} as {}").format(target, rows)


def beginning(name: str) -> Statement:
    """The first release of a mart, as part of a statement."""
    return sql.SQL("(select b.first_release_id from ops.mart_beginning as b where b.mart_name = {})").format(
        sql.Literal(name)
    )


def begin(connection: psycopg.Connection, name: str, release_id: int) -> None:
    """Write down which release a mart begins with."""
    connection.execute(
        """insert into ops.mart_beginning (mart_name, first_release_id) values (%s, %s)
           on conflict (mart_name) do update set first_release_id = excluded.first_release_id""",
        [name, release_id],
    )


def keep_all(connection: psycopg.Connection, mart: Table) -> None:
    """Copy the rows that stand in a mart alone, before it or a column of it goes, and read its history without it."""
    past = read_tables(connection, PAST)[mart.name]
    columns = sql.SQL(", ").join(sql.Identifier("m", one) for one in mart.names)
    with no_nested_loops(connection):
        connection.execute(
            sql.SQL(
                "insert into {past} ({into}, {valid_from}) select {columns}, {beginning} from {mart} as m "
                "where not exists (select from {past} as o where {same} and o.{valid_to} is null)"
            ).format(
                past=past.identifier,
                into=sql.SQL(", ").join(map(sql.Identifier, mart.names)),
                valid_from=sql.Identifier(VALID_FROM),
                columns=columns,
                beginning=beginning(mart.name),
                mart=mart.identifier,
                same=sql.SQL(" and ").join(sql.SQL("o.{0} = m.{0}").format(sql.Identifier(one)) for one in mart.key),
                valid_to=sql.Identifier(VALID_TO),
            )
        )
    connection.execute(view_of_what_ended(mart.name, past.names))


def take_over(connection: psycopg.Connection) -> None:
    """Move the tables that an older version kept in marts_history to marts_past, and put views in their place: metadata alone.

    Args:
        connection: in a transaction; of an admin who may act as the publisher.
    """
    marts = read_tables(connection, MARTS)
    for name, old in read_tables(connection, HISTORY).items():
        connection.execute(sql.SQL("alter table {} set schema {}").format(old.identifier, sql.Identifier(PAST)))
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(PUBLISHER)))
        begin(connection, name, NOT_LOOKED_AT)
        mart = marts.get(name)
        connection.execute(view(name, mart.key, old.names) if mart else view_of_what_ended(name, old.names))
        put_comment(connection, "view", sql.Identifier(HISTORY, name), old.comment)
        for column in old.columns:
            put_comment(connection, "column", sql.Identifier(HISTORY, name, column.name), column.comment)
        connection.execute("reset role")


def put_comment(connection: psycopg.Connection, kind: str, name: sql.Identifier, text: str | None) -> None:
    """Comment on a view or a column."""
    connection.execute(
        sql.SQL("comment on {} {} is {}").format(
            sql.SQL("view" if kind == "view" else "column"), name, sql.Literal(text)
        )
    )


def shed(connection: psycopg.Connection) -> None:
    """Take out of marts_past, once, the rows that an older version repeated there and that stand in their mart, and give the disk back.

    Args:
        connection: of an admin, not in a transaction.
    """
    connection.execute("set lock_timeout = '5s'")
    due = connection.execute(
        "select mart_name from ops.mart_beginning where first_release_id = %s", [NOT_LOOKED_AT]
    ).fetchall()
    # Of a mart that has become a view, or has gone, history is all there is.
    tables = read_tables(connection, MARTS)
    for (name,) in due:
        past = sql.Identifier(PAST, name)
        parts = {
            "past": past,
            "from_": sql.Identifier(VALID_FROM),
            "to": sql.Identifier(VALID_TO),
            "name": sql.Literal(name),
        }
        with connection.transaction():
            connection.execute(
                sql.SQL(
                    """update ops.mart_beginning set first_release_id = coalesce((select min({from_}) from {past}), 1)
                       where mart_name = {name}"""
                ).format(**parts)
            )
            if name in tables:
                connection.execute(
                    sql.SQL(
                        """delete from {past} where {to} is null
                           and {from_} = (select first_release_id from ops.mart_beginning where mart_name = {name})"""
                    ).format(**parts)
                )
        # Where somebody reads it, its room is filled again instead.
        with contextlib.suppress(psycopg.errors.LockNotAvailable):
            connection.execute(sql.SQL("vacuum (full, analyze) {}").format(past))


def forget(connection: psycopg.Connection, source: str, releases: Sequence[int]) -> int:
    """Take out of history what was true in releases and is no more, of a source: what was made of a file that is erased.

    Rows of its measures or its own, and of marts that say neither and hold restricted rows, every row.

    Args:
        connection: of an admin.
        releases: those that were built with the file.

    Returns:
        How many rows there were.
    """
    restricted = declaration().rows.tables
    count = 0
    for name, past in read_tables(connection, PAST).items():
        if "measure_code" in past.names:
            theirs: sql.Composable = sql.SQL(
                "measure_code in (select m.measure_code from {}.dim_measure as m where m.source = {})"
            ).format(sql.Identifier(MARTS), sql.Literal(source))
        elif "source" in past.names:
            theirs = sql.SQL("source = {}").format(sql.Literal(source))
        elif name in restricted:
            theirs = sql.SQL("true")
        else:
            continue
        count += connection.execute(
            sql.SQL(
                "delete from {} where {} is not null and {} and exists (select from unnest(%s::bigint[]) as r where {} <= r and r < {})"
            ).format(
                past.identifier, sql.Identifier(VALID_TO), theirs, sql.Identifier(VALID_FROM), sql.Identifier(VALID_TO)
            ),
            [list(releases)],
        ).rowcount
    return count
