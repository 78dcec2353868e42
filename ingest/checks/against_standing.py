"""Whether a delivery may follow the edition that stands: not an older copy, not cut, and a revision of it."""

from __future__ import annotations

from psycopg import sql

from ingest.checks import values_kept
from ingest.declaration import raw_columns
from ingest.delivery import Delivery, area_name
from ingest.editions import Edition, partial_months
from ingest.readers.code_lists import codes_of
from ingest.readers.faults import some_of
from ingest.readers.text import folded

ENOUGH_TO_JUDGE = 100  # of a month's rows or values, an area's rows or those of the areas that are gone, before losing them says anything
# A month's sum of counts, or number of rows, against the edition before.
MAY_GROW_BY_COUNTS, MAY_GROW_BY_ROWS = 1.5, 3
# How many of so many counts that are compared may differ as no revision does.
ENOUGH_COUNTS, MAY_DIFFER = 200, 0.01
# A month is another one where so many of so many of its counts differ by more than a tenth; publishers have put right one such month at a time.
ENOUGH_OF_A_MONTH, ANOTHER_BY, ANOTHER, MAY_BE_OTHERS = 50, 0.1, 0.4, 1


def check_not_older(delivery: Delivery, before: Edition) -> None:
    """Refuse an older copy of a file that nobody dates: it would speak as the newest edition.

    An older copy begins no later than what stands in raw, and ends before its end. A file about another time does neither.
    """
    done = delivery.done
    if delivery.opened.file.landed.provenance.release_date or delivery.dataset.release:
        return
    if done.first is None or done.last is None or before.first is None or before.last is None:
        return
    if done.first <= before.first <= done.last < before.last:
        raise delivery.refuse(
            "OLDER_COPY",
            f"ends on {done.last}, and what stands in raw (load {before.load_id}) on {before.last}: it is an older copy",
            "if the publisher has really taken the newer rows back, land it by hand with --release DATE",
        )


def check_not_cut(delivery: Delivery, before: Edition) -> None:
    """Refuse rows that were cut where a line ends, which nothing in them says: months or areas would lose most of what they had."""
    dataset, done = delivery.dataset, delivery.done
    least = 1 - dataset.may_lose
    partial = partial_months(dataset, done.totals, before.totals)
    found = {"": sum(done.totals.values()), **done.totals}
    lost = [
        f"{month or 'the file'} has {found[month]:,.10g} and had {then:,.10g}"
        for month, then in sorted(before.totals.items())
        if then >= ENOUGH_TO_JUDGE and month in found and month not in partial and found[month] < then * least
    ]
    # Where each month has few of them, only all that both files are about shows a cut.
    both = done.totals.keys() & before.totals.keys() - {*partial}
    now, then = (sum(totals[month] for month in both) for totals in (done.totals, before.totals))
    if not lost and then >= ENOUGH_TO_JUDGE and now < then * least:
        lost = [f"the file has {now:,.10g} and had {then:,.10g}"]
    if dataset.layout.area_column:
        rows, had = (_rows_by_area(delivery, load_id) for load_id in (delivery.load_id, before.load_id))
        # Another vintage of categories has another number of rows; areas it has none of are lost all the same.
        enough = least if delivery.opened.vintage == before.vintage else 0
        if not any(rows):
            had = {}  # a form without the column tells of no area
        gone = sum(then for area, then in had.items() if area not in rows)
        lost += [
            f"{area_name(area)} has {rows[area]:,} rows and had {then:,}"
            if rows.get(area)
            else f"{area_name(area)} is missing, which had {then:,} rows"
            for area, then in sorted(had.items())
            if (then >= ENOUGH_TO_JUDGE and rows.get(area, 0) < then * enough)
            or (gone >= ENOUGH_TO_JUDGE and area not in rows)
        ]
    if lost:
        more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
        reason = f"lacks much of what load {before.load_id} had: {'; '.join(lost[:5])}{more}"
        raise delivery.refuse(
            "LESS_THAN_BEFORE",
            reason,
            f"fetch it again; if load {before.load_id} is the one that is wrong, take it back (`vru withdraw`) and land this again; if the "
            "publisher has really taken so much back, say so with may_lose in source.yml",
        )
    if not dataset.part_is_month and done.first and done.last:
        within = {month for month in before.totals if f"{done.first:%Y-%m}" < month < f"{done.last:%Y-%m}"}
        holes = sorted(month for month in within - {*done.totals} if before.totals[month])
        if holes:
            raise delivery.refuse(
                "MONTHS_MISSING",
                f"has nothing of {some_of(holes)}, which load {before.load_id} has and which lie between months that it has",
            )


def check_is_a_revision(delivery: Delivery, before: Edition) -> None:
    """Refuse what no publisher's revision comes to: months of several times what they had, many counts that differ by more than half, or
    months of which half the counts differ by more than a tenth.

    So another month's, another borough's or ten times a count does not pass for a correction. Of 66,000 counts of 30 and more that two
    real editions of the MPS share, a thousandth differ by more than half; where two boroughs change places, 28 in a thousand do. In one month
    of an edition at most (March 2020, October 2023) nearly half or more differ by more than a tenth; of another month's counts 62 % do.
    """
    dataset, done = delivery.dataset, delivery.done
    months = dataset.layout.month_columns
    if not months and not dataset.part_is_month:
        return  # such a publisher may begin to give more rows a period, by deprivation say
    most = MAY_GROW_BY_COUNTS if months else MAY_GROW_BY_ROWS
    wrong = [
        f"{month} has {done.totals[month]:,.10g} and had {then:,.10g}"
        for month, then in sorted(before.totals.items())
        if then >= ENOUGH_TO_JUDGE and done.totals.get(month, 0) > most * then
        and month not in partial_months(dataset, done.totals, before.totals)
    ]  # fmt: skip
    if not wrong and months and months.cells == "a_row_each":
        # A label means another thing on another sheet.
        same = [name for name in raw_columns(dataset.layout) if name != "cell"]
        # By groups and not by a join, which a planner without statistics of new rows makes row by row.
        row = delivery.cursor.execute(
            sql.SQL(
                """select coalesce(sum(counts), 0)::bigint, coalesce(sum(halved), 0)::bigint,
                       count(*) filter (where counts >= {enough} and differing > {another} * counts)
                   from (
                       select count(*) as counts, count(*) filter (where abs(this - that) > {half} * that) as halved,
                           count(*) filter (where abs(this - that) > {tenth} * that) as differing
                       from (
                           select lower(month_header) as month, max(cell::numeric) filter (where _load_id = {before}) as that,
                               max(cell::numeric) filter (where _load_id = {load}) as this
                           from {table} where _load_id in ({before}, {load}) group by {same}
                       ) as both_editions
                       where that >= {least} and this is not null
                       group by month
                   ) as months"""
            ).format(
                half=sql.Literal(values_kept.BY),
                enough=sql.Literal(ENOUGH_OF_A_MONTH),
                tenth=sql.Literal(ANOTHER_BY),
                another=sql.Literal(ANOTHER),
                before=sql.Literal(before.load_id),
                load=sql.Literal(delivery.load_id),
                least=sql.Literal(values_kept.LEAST),
                table=delivery.table,
                same=sql.SQL(", ").join(sql.SQL("lower({})").format(sql.Identifier(name)) for name in same),
            )
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives a row
        if row[0] >= ENOUGH_COUNTS and row[1] > MAY_DIFFER * row[0]:
            wrong = [
                f"{row[1]:,} of the {row[0]:,} counts of {values_kept.LEAST} and more that both have differ by more than half"
            ]
        elif row[2] > MAY_BE_OTHERS:
            wrong = [
                f"{row[2]} months have other counts than they had: nearly half of each differ by more than a tenth"
            ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise delivery.refuse(
            "NOT_A_REVISION",
            f"is no revision of load {before.load_id}: {'; '.join(wrong[:5])}{more}",
            f"fetch it again; if load {before.load_id} is the one that is wrong, take it back (`vru withdraw`) and land this again",
        )


def _rows_by_area(delivery: Delivery, load_id: int) -> dict[str, int]:
    """How many rows a load has of each area, by its code: editions spell areas differently."""
    layout = delivery.dataset.layout
    column = layout.area_column
    assert column is not None  # noqa: S101 - the caller looked
    code_of = codes_of(layout, column)
    found: dict[str, int] = {}
    for label, rows in delivery.cursor.execute(
        sql.SQL("select {column}, count(*) from {table} where _load_id = %s group by 1").format(
            column=sql.Identifier(column), table=delivery.table
        ),
        [load_id],
    ).fetchall():
        area = code_of.get(folded(label), str(label))
        found[area] = found.get(area, 0) + rows
    return found
