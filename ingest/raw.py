"""The raw tables: one a dataset, every column text, each row with its load and its row number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import psycopg
from psycopg import sql

from ingest import ledger
from ingest.declaration import Dataset, Source, raw_columns, raw_table, read_sources
from ingest.errors import Refusal

LOAD_SETTING = "vru.load_id"


def create_table(connection: psycopg.Connection, source: Source, name: str, dataset: Dataset) -> None:
    """Make the raw table of a dataset, where it is not there yet, and the columns that were declared since.

    Args:
        connection: as the owner of schema raw.
    """
    plain = raw_table(source.source, name)
    table = sql.Identifier("raw", plain)
    # What a file may lack is blank, also where its bytes go to COPY as they are.
    may_lack = {column.name for column in dataset.layout.columns if column.may_be_missing} | {"sheet"}
    columns = [
        sql.SQL("{} text default ''" if column in may_lack else "{} text").format(sql.Identifier(column))
        for column in raw_columns(dataset.layout)
    ]
    load_id: sql.Composable = sql.SQL("_load_id bigint not null")
    row_number: sql.Composable = sql.SQL("_row_number bigint not null")
    if dataset.layout.month_columns is None:
        # The file's bytes go to COPY untouched, so the database itself adds what they lack.
        sequence = sql.Identifier("raw", f"{plain}__row_number")
        # Taken in thousands: one at a time they would cost a third of what copying a row costs.
        connection.execute(sql.SQL("create sequence if not exists {} cache 10000").format(sequence))
        load_id += sql.SQL(" default current_setting({})::bigint").format(sql.Literal(LOAD_SETTING))
        row_number += sql.SQL(" default nextval({})").format(sql.Literal(f"raw.{plain}__row_number"))
    connection.execute(
        sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join([*columns, load_id, row_number]))
    )
    for column in columns:
        # Null in the loads before, until they are loaded again.
        connection.execute(sql.SQL("alter table {} add column if not exists {}").format(table, column))
    # Rows of one load lie together, so a block range index finds them at next to no cost while loading.
    connection.execute(
        sql.SQL("create index if not exists {} on {} using brin (_load_id)").format(
            sql.Identifier(f"{plain}__load"), table
        )
    )
    grain = (
        "one row a cell of the file (row x month) and load"
        if dataset.layout.month_columns and dataset.layout.month_columns.cells == "a_row_each"
        else "one row a row and load"
    )
    connection.execute(
        sql.SQL("comment on table {} is {}").format(
            table, sql.Literal(f"Grain: {grain}. {dataset.title}, as published. {source.attribution}")
        )
    )


def number_rows(cursor: psycopg.Cursor, table: str, load_id: int) -> None:
    """Make rows copied from here on those of a load, numbered from 1. The caller holds the dataset's lock."""
    cursor.execute("select set_config(%s, %s, true)", [LOAD_SETTING, str(load_id)])
    cursor.execute("select setval(%s, 1, false)", [f"raw.{table}__row_number"])


def copy_text(
    cursor: psycopg.Cursor,
    table: str,
    columns: Sequence[str],
    blocks: Iterable[str | bytes],
    *,
    expected: Callable[[], int],
    options: str = "",
) -> None:
    """COPY text to a raw table, and see that PostgreSQL took as many rows as were meant.

    Args:
        blocks: in COPY's text format, or in that of `options`.
        expected: how many rows they hold, asked for once they are through.

    Raises:
        Refusal: PostgreSQL took another number of rows.
    """
    statement = sql.SQL("copy {} ({}) from stdin {}").format(
        sql.Identifier("raw", table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(options)
    )
    with cursor.copy(statement) as stream:
        for block in blocks:
            stream.write(block)
    if cursor.rowcount != expected():
        raise Refusal(
            "ROWS_COPIED_DIFFER",
            f"{expected():,} rows were read and PostgreSQL took {cursor.rowcount:,}",
            where=f"raw.{table}",
            kept="its bytes are in landing; raw and the marts are as they were",
            next_step="report this with the file: the two readers of it disagree",
        )


def take_out(connection: psycopg.Connection, source: str, dataset: str, load_ids: Sequence[int]) -> None:
    """Take loads that do not speak any more out of raw. The rows of which a candidate was built stay until that has its verdict:
    it is judged by what it was built from.

    Args:
        connection: as vru_loader, in a transaction that has its place in the queue.
    """
    awaited = {
        load_id
        for (load_id,) in connection.execute(
            """select c.load_id from ops.candidate_load as c
               where c.load_id = any(%s) and c.candidate_id = (
                   select candidate_id from (
                       select candidate_id, built_at from ops.candidate order by begun_at desc, candidate_id desc limit 1
                   ) as newest
                   where built_at is not null
                       and not exists (select from ops.release as r where r.candidate_id = newest.candidate_id)
               )""",
            [list(load_ids)],
        )
    }
    _delete(connection, source, dataset, [load_id for load_id in load_ids if load_id not in awaited])
    ledger.keep_for_verdict(connection, list(awaited), is_kept=True)


def take_out_for_good(connection: psycopg.Connection, source: str, dataset: str, load_ids: Sequence[int]) -> None:
    """Take loads out of raw, whoever was about to read them."""
    _delete(connection, source, dataset, load_ids)
    ledger.keep_for_verdict(connection, load_ids, is_kept=False)


def left_behind(connection: psycopg.Connection) -> dict[str, dict[str, list[int]]]:
    """Loads whose rows stayed for a verdict, by source and dataset."""
    found: dict[str, dict[str, list[int]]] = {}
    for source, dataset, ids in connection.execute(
        "select source, dataset, array_agg(load_id) from ops.load where awaits_verdict group by 1, 2 order by 1, 2"
    ).fetchall():
        found.setdefault(source, {})[dataset] = ids
    return found


def empty(connection: psycopg.Connection) -> None:
    """Take everything out of raw that no verdict waits for, whatever the ledger says of it."""
    awaited = [
        load_id for (load_id,) in connection.execute("select load_id from ops.load where awaits_verdict").fetchall()
    ]
    for name, declared in read_sources().items():
        for dataset in declared.datasets:
            table = sql.Identifier("raw", raw_table(name, dataset))
            connection.execute(sql.SQL("delete from {} where _load_id <> all(%s)").format(table), [awaited])


def _delete(connection: psycopg.Connection, source: str, dataset: str, load_ids: Sequence[int]) -> None:
    if load_ids:
        table = sql.Identifier("raw", raw_table(source, dataset))
        connection.execute(sql.SQL("delete from {} where _load_id = any(%s)").format(table), [list(load_ids)])
