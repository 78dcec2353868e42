"""Whether the figures of a delivery are those that stand, revised: for files with a row for each figure."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from ingest.delivery import Delivery, area_name

# Figures at least so large are compared, and none below 0, which is a word for no figure; so many of them, of a delivery or of one area, say anything.
LEAST = 30
ENOUGH, ENOUGH_TO_DIFFER, ENOUGH_OF_AN_AREA = 50, 10, 20
# What is no revision of a figure: it differs by more than half. An area of which half the figures do so is another area, or ten times it.
BY, OF_AN_AREA = 0.5, 0.5
# Nor is it a revision where so many differ by more than a tenth: all of them were multiplied, or are of another time. A census moves fewer.
MOVED_BY, MAY_MOVE = 0.1, 0.7


def check_values_kept(
    delivery: Delivery, identity: Sequence[str], value: str, *,
    may_differ: float, may_move: float | None = None, area: str | None = None, few: int = ENOUGH_OF_AN_AREA, least: float = LEAST,
    against: int | None = None,
) -> None:  # fmt: skip
    """Refuse a delivery with other figures than stand: many that differ by more than half, or most of those of an area.

    Each is compared with the newest that stands of the same thing, whichever delivery brought it.

    Args:
        identity: the columns that say together what a figure is of.
        value: its column, a number or blank.
        may_differ: what share of the figures may differ by more than half.
        may_move: what share of them may differ by more than a tenth; None where a publisher works all of them out again.
        area: the column that says which area a figure is of.
        few: of so many figures an area is another one where all of them differ so.
        least: figures below it are not compared.
        against: the load that stands for the same part; None where any of the dataset may hold the same figure.

    Raises:
        FaultyFile: `NOT_A_REVISION`.
    """
    columns = list(dict.fromkeys([*identity, *([area] if area else [])]))
    found = delivery.cursor.execute(
        sql.SQL(
            """with standing as (
                   select load_id from ops.load where source = {source} and dataset = {dataset} and state = 'loaded' and load_id <> {load}
                       and load_id = coalesce({against}, load_id)
               ),
               figure as (
                   select {area} as area,
                       max({number}) filter (where _load_id = {load}) as this,
                       (array_agg({number} order by _load_id desc) filter (where _load_id <> {load}))[1] as that
                   from {table}
                   where _load_id = {load} or _load_id in (select load_id from standing)
                   group by {columns}
               )
               select area, count(*), count(*) filter (where abs(this - that) > {by} * that),
                   count(*) filter (where abs(this - that) > {tenth} * that)
               from figure where that >= {least} and this >= 0
               group by area order by area"""
        ).format(
            source=sql.Literal(delivery.source.source),
            dataset=sql.Literal(delivery.name),
            load=sql.Literal(delivery.load_id),
            area=sql.Identifier(area) if area else sql.Literal(""),
            number=sql.SQL("nullif(btrim({}), '')::numeric").format(sql.Identifier(value)),
            table=delivery.table,
            columns=sql.SQL(", ").join(sql.Identifier(column) for column in columns),
            by=sql.Literal(BY),
            tenth=sql.Literal(MOVED_BY),
            least=sql.Literal(least),
            against=sql.Literal(against),
        )
    ).fetchall()
    figures, differing, moved = (sum(row[position] for row in found) for position in (1, 2, 3))
    wrong = [
        f"{differ:,} of the {count:,} figures of {area_name(str(name).strip().removeprefix('n'))} that both have differ by more than half"
        for name, count, differ, _ in found
        if area and ((count >= ENOUGH_OF_AN_AREA and differ > OF_AN_AREA * count) or differ == count >= few)
    ]
    if not wrong and figures >= ENOUGH and differing >= ENOUGH_TO_DIFFER and differing > may_differ * figures:
        wrong = [f"{differing:,} of the {figures:,} figures that both have differ by more than half"]
    if not wrong and may_move is not None and figures >= ENOUGH and moved > may_move * figures:
        wrong = [f"{moved:,} of the {figures:,} figures that both have differ by more than a tenth"]
    if wrong:
        more = f"; and {len(wrong) - 5} areas more" if len(wrong) > 5 else ""
        raise delivery.refuse(
            "NOT_A_REVISION",
            f"is no revision of what stands: {'; '.join(wrong[:5])}{more}",
            "fetch it again; if what stands is wrong, take that back (`vru withdraw`) and land this again",
        )
