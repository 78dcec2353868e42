"""Moving rows by difference: a mart is brought to what a source says by touching the rows that differ and no other."""

from __future__ import annotations

from typing import LiteralString

import psycopg
from psycopg import sql

from warehouse.publish import history, mart_schema
from warehouse.publish.plans import no_nested_loops

Counts = dict[str, int]


def fill(connection: psycopg.Connection, source: mart_schema.Table, release_id: int) -> Counts:
    """The first rows of a new mart, in the order of its key, so that rows that are asked for together lie together."""
    columns = mart_schema.columns_of(source.names)
    mart = sql.Identifier(mart_schema.MARTS, source.name)
    inserted = connection.execute(
        sql.SQL("insert into {} ({}) select {} from {} order by {}").format(
            mart, columns, columns, source.identifier, mart_schema.columns_of(source.key)
        )
    ).rowcount
    history.begin(connection, source.name, release_id)
    return {"inserted": inserted, "updated": 0, "deleted": 0}


def move(connection: psycopg.Connection, table: mart_schema.Table, source: sql.Composable, release_id: int) -> Counts:
    """Make one mart hold the rows of a source by touching the rows that differ and no other, and keep what they said.

    Args:
        table: names, key and other unique rules of the rows.
        source: what they come from: a table, or a function call.
        release_id: the release that brings them.

    Returns:
        Rows inserted, updated and deleted.
    """
    mart, past = sql.Identifier(mart_schema.MARTS, table.name), sql.Identifier(mart_schema.PAST, table.name)
    values = tuple(name for name in table.names if name not in table.key)
    first = sql.Identifier(table.key[0])
    difference = sql.Identifier("pg_temp", f"{table.name[:50]}_difference")
    differs = sql.SQL("s.{first} is null or m.{first} is null").format(first=first)
    if values:
        differs += sql.SQL(" or row({}) is distinct from row({})").format(
            mart_schema.columns_of(values, "s"), mart_schema.columns_of(values, "m")
        )
    key, columns = mart_schema.columns_of(table.key), mart_schema.columns_of(table.names)
    # It carries the new values: joining the source a second time is where a misjudged plan would take minutes. And it
    # lies in the order of the key, as the mart does: changing rows in another order costs several times as much.
    found = connection.execute(
        sql.SQL(
            """create temporary table {difference} on commit drop as
               select case
                       when m.{first} is null then 'inserted'
                       when s.{first} is null then 'deleted'
                       else 'updated'
                   end as change_, {selected}
               from {source} as s full join {mart} as m using ({key}) where {differs}
               order by {key}"""
        ).format(
            difference=difference,
            first=first,
            selected=sql.SQL(", ").join(
                sql.Identifier(name) if name in table.key else sql.Identifier("s", name) for name in table.names
            ),
            key=key,
            source=source,
            mart=mart,
            differs=differs,
        )
    ).rowcount
    counts = {"inserted": 0, "updated": 0, "deleted": 0}
    if not found:
        return counts
    connection.execute(sql.SQL("analyze {}").format(difference))
    counts |= dict(
        connection.execute(sql.SQL("select change_, count(*) from {} group by 1").format(difference)).fetchall()
    )
    parts = {
        "difference": difference,
        "mart": mart,
        "past": past,
        "beginning": history.beginning(table.name),
        "said": mart_schema.columns_of(table.names, "t"),
        "ended": sql.SQL(" and ").join(sql.SQL("o.{0} = d.{0}").format(sql.Identifier(name)) for name in table.key),
        "same": sql.SQL(" and ").join(sql.SQL("t.{0} = d.{0}").format(sql.Identifier(name)) for name in table.key),
        "columns": columns,
        "release": sql.Literal(release_id),
        "valid_from": sql.Identifier(mart_schema.VALID_FROM),
        "valid_to": sql.Identifier(mart_schema.VALID_TO),
        "set": sql.SQL(", ").join(sql.SQL("{0} = d.{0}").format(sql.Identifier(name)) for name in values),
        # Two rows that swap a value of another unique column could not be updated one after the other.
        "gone": sql.SQL("('deleted', 'updated')" if table.has_other_unique else "('deleted')"),
        "come": sql.SQL("('inserted', 'updated')" if table.has_other_unique else "('inserted')"),
    }

    def run(statement: LiteralString) -> None:
        connection.execute(sql.SQL(statement).format(**parts))

    if counts["deleted"] or counts["updated"]:
        run(
            "update {past} as t set {valid_to} = {release} from {difference} as d "
            "where {same} and t.{valid_to} is null and d.change_ <> 'inserted'"
        )
        # Rows that said the same since the mart began: until now they stood in the mart alone. Row by row, each would be looked up
        # among those that this statement has put there already.
        with no_nested_loops(connection):
            run(
                "insert into {past} ({columns}, {valid_from}, {valid_to}) select {said}, {beginning}, {release} "
                "from {mart} as t inner join {difference} as d on {same} where d.change_ <> 'inserted' "
                "and not exists (select from {past} as o where {ended} and o.{valid_to} = {release})"
            )
    if counts["deleted"] or table.has_other_unique:
        run("delete from {mart} as t using {difference} as d where {same} and d.change_ in {gone}")
    if counts["updated"] and not table.has_other_unique:
        run("update {mart} as t set {set} from {difference} as d where {same} and d.change_ = 'updated'")
    if counts["inserted"] or table.has_other_unique:
        run("insert into {mart} ({columns}) select {columns} from {difference} where change_ in {come}")
    if counts["inserted"] or counts["updated"]:
        run(
            "insert into {past} ({columns}, {valid_from}) select {columns}, {release} from {difference} "
            "where change_ <> 'deleted'"
        )
    return counts


def count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    """Rows of a table."""
    row = connection.execute(sql.SQL("select count(*) from {}").format(table)).fetchone()
    return int(row[0]) if row else 0
