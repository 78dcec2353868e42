"""Releases: what a file is about and when it was released, whether it may stand beside what was released before, what it changed.

Every check raises FaultyFile: the file is refused, and what was loaded before stands.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import psycopg
from psycopg import sql

from ingest import ledger, raw
from ingest.copying import Contents, Copied
from ingest.declaration import Dataset, Source, raw_columns, raw_table
from ingest.errors import Refusal
from ingest.landing import LandedFile, events
from ingest.naming import label_of
from ingest.readers.code_lists import codes_of
from ingest.readers.faults import HEADER, NEXT_DAMAGED, Fault, FaultyFile, file_fault
from ingest.readers.headers import months_between
from ingest.readers.text import folded

CALENDAR = (dt.date(2000, 1, 1), dt.date(2039, 12, 31))  # what dim_month has: every period of a mart begins in it
ENOUGH_TO_JUDGE = 100  # of a month's rows or values, an area's rows or those of the areas that are gone, before losing them says anything
# Of the next month's sum: a first month with less is partial (the model int_mps_partial_month says the same).
PARTIAL = 0.5
# A month's sum of counts, or number of rows, against the edition before.
MAY_GROW_BY_COUNTS, MAY_GROW_BY_ROWS = 1.5, 3
# Counts large enough to compare, how many of them say anything, by what share one may differ, and how many of them may.
COUNT_TO_COMPARE, COUNTS_TO_JUDGE_BY, MAY_DIFFER_BY, MAY_DIFFER = 30, 200, 0.5, 0.01
# A month is another one where so many of so many of its counts differ by more than a tenth; publishers have put right one such month at a time.
ENOUGH_OF_A_MONTH, ANOTHER_BY, ANOTHER, MAY_BE_OTHERS = 50, 0.1, 0.4, 1


def part_of(dataset: Dataset, landed: LandedFile) -> str:
    """What a file is about besides its release; empty where a file is about all of its dataset."""
    if dataset.part_pattern is None:
        return ""
    found = re.fullmatch(dataset.part_pattern, landed.provenance.file_name)
    if found is None:
        raise FaultyFile(
            [file_fault("NAME_UNKNOWN", f"has a name that does not say what it is about: {dataset.part_pattern}")],
            0,
            "give the file the name it was published under",
        )
    return found[1]


def release_date(contents: Copied, dataset: Dataset, landed: LandedFile) -> dt.date:
    """When a file was released that nobody dates: by its newest month where the dataset says so, else when it was landed."""
    if contents.last is None or dataset.release is None:
        return landed.provenance.landed_at.date()
    months = contents.last.year * 12 + contents.last.month - 1 + dataset.release.months_after_newest
    return dt.date(months // 12, months % 12 + 1, 1)


def check_same_release(landed: LandedFile, release_date: dt.date) -> None:
    """Refuse bytes that stand in raw as another release than they are now said to be.

    Raises:
        Refusal: naming both dates.
    """
    told = landed.provenance.release_date
    if told and told != release_date:
        raise Refusal(
            "RELEASE_DATE_IMPOSSIBLE",
            f"the same bytes stand in raw as release {release_date}, and now are called release {told}",
            where=label_of(landed.provenance),
            kept="nothing changed",
            next_step="leave out --release, or give the one they were landed with",
        )


def was_displaced(connection: psycopg.Connection, load_id: int) -> bool:
    """Whether another file of the same dataset and release came after this one."""
    return (
        connection.execute(
            """select 1 from ops.load as later inner join ops.load as this on this.load_id = %s
               where later.source = this.source and later.dataset = this.dataset and later.state = 'loaded'
                 and later.part = this.part and later.release_date = this.release_date and later.load_id <> this.load_id
                 and (later.landed_at, later.load_id) > (this.landed_at, this.load_id)""",
            [load_id],
        ).fetchone()
        is not None
    )


def as_returned(connection: psycopg.Connection, source: Source, name: str, part: str, landed: LandedFile) -> LandedFile:
    """A file with its provenance, as of now where it had been superseded and its bytes came again: the publisher went back to them.

    The provenance tell of the first time, and by their date it would be history at once.
    """
    if landed.arrived_at <= landed.provenance.landed_at:
        return landed
    row = connection.execute(
        """select max(release_date) filter (where state = 'loaded'), bool_or(sha256 = %s and state = 'superseded')
           from ops.load where source = %s and dataset = %s and part = %s""",
        [landed.provenance.sha256, source.source, name, part],
    ).fetchone()
    if row is None or row[0] is None or not row[1]:
        return landed
    events.note_return(landed.path, landed.arrived_at)
    return dataclasses.replace(
        landed, provenance=dataclasses.replace(landed.provenance, landed_at=landed.arrived_at, release_date=row[0])
    )


@dataclasses.dataclass(frozen=True)
class Before:
    """The newest release of the same dataset and part that stands in raw."""

    load_id: int
    release: dt.date
    vintage: str | None
    rows: int
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]


def standing(connection: psycopg.Connection, source: Source, name: str, part: str) -> Before | None:
    """The newest release of a dataset and part that stands in raw, if there is one."""
    row = connection.execute(
        """select load_id, release_date, classification, rows_loaded, first_period, last_period, totals from ops.load
           where source = %s and dataset = %s and part = %s and state = 'loaded'
           order by release_date desc, landed_at desc, load_id desc limit 1""",
        [source.source, name, part],
    ).fetchone()
    return Before(*row) if row else None


def partial_months(dataset: Dataset, *totals: dict[str, float]) -> list[str]:
    """The first months, of files with these totals, that had all but left the window: nothing is to be compared with them."""
    if not dataset.layout.first_month_may_be_partial:
        return []
    firsts = [(found, sorted(found)[:2]) for found in totals]
    return sorted({two[0] for found, two in firsts if len(two) > 1 and found[two[0]] < PARTIAL * found[two[1]]})


def changes_against(done: Copied, dataset: Dataset, before: Before) -> dict[str, object]:
    """What a release changed against the one before: rows, the sum, which months came and went, and which were revised.

    A partial month is in the sum, which is of the whole files, and is no revision.
    """
    now, then = done.totals, before.totals
    partial = partial_months(dataset, now, then)
    in_both = [month for month in sorted(now.keys() & then) if month not in partial]
    revised = {month: now[month] - then[month] for month in in_both if now[month] != then[month]}
    most = max(revised, key=lambda month: abs(revised[month]), default=None)
    return {
        "against_load": before.load_id,
        "rows": done.rows - before.rows,
        "sum": sum(now.values()) - sum(then.values()),
        "months_new": sorted(now.keys() - then),
        "months_gone": sorted(then.keys() - now),
        "months_partial": partial,
        "months_in_both": len(in_both),
        "months_revised": len(revised),
        "revised_by": sum(revised.values()),
        "revised_most": {"month": most, "by": revised[most]} if most is not None else None,
    }


def check_not_empty(done: Copied, dataset: Dataset) -> None:
    """Refuse a header without rows, unless the dataset has such files."""
    if not (done.rows or done.quarantined or dataset.layout.may_be_empty):
        raise FaultyFile([file_fault("NO_ROWS", "has a header and no rows")], 0, NEXT_DAMAGED)


def check_of_its_month(done: Copied, dataset: Dataset, part: str) -> None:
    """Refuse a file most of whose rows are about other months than its name says.

    It would speak for a month of which it knows nothing, with zeros, and its rows would count in none. So would one whose days and
    months changed places. A few rows of other months are what a publisher's late entries look like.
    """
    inside = done.totals.get(part[: len("2026-10")], 0)
    if not dataset.part_is_month or inside * 2 >= done.rows:
        return
    # Most first: where there are many, the first few say it.
    months = sorted(done.totals.items(), key=lambda month: (-month[1], month[0]))
    found = ", ".join(f"{month} ({rows:,.0f})" for month, rows in months[:5])
    found += f" and {len(months) - 5} other months" if len(months) > 5 else ""
    reason = f"is of {part} by its name, and {inside:,.0f} of its {done.rows:,} rows are; it has rows of {found}"
    raise FaultyFile(
        [file_fault("NAME_DIFFERS_FROM_ROWS", reason)],
        done.rows,
        "if its name is wrong, give it one whose first month is that of its rows; if they lie in many months, day and month have "
        "changed places, or it is no file of one month: ask for it again",
    )


def check_not_cut(
    cursor: psycopg.Cursor, dataset: Dataset, table: str, contents: Contents, done: Copied, release: dt.date,
    load_id: int, before: Before | None,
) -> None:  # fmt: skip
    """Refuse rows that were cut where a line ends, which nothing in them says: months or areas would lose most of what they had.

    Args:
        table: the raw table, in which both loads stand.
    """
    if before is None or release < before.release or dataset.layout.complete:
        return  # a file that lists what a whole one has was seen to have it in every area
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
        rows, had = (_rows_by_area(cursor, dataset, table, one) for one in (load_id, before.load_id))
        # Another vintage of categories has another number of rows; areas it has none of are lost all the same.
        enough = least if contents.vintage == before.vintage else 0
        if not any(rows):
            had = {}  # a form without the column tells of no area
        gone = sum(then for area, then in had.items() if area not in rows)
        lost += [
            f"{area} has {rows.get(area, 0):,} rows and had {then:,}"
            for area, then in sorted(had.items())
            if (then >= ENOUGH_TO_JUDGE and rows.get(area, 0) < then * enough)
            or (gone >= ENOUGH_TO_JUDGE and area not in rows)
        ]
    if lost:
        more = f"; and {len(lost) - 5} more" if len(lost) > 5 else ""
        reason = f"lacks much of what load {before.load_id} had: {'; '.join(lost[:5])}{more}"
        raise FaultyFile(
            [file_fault("LESS_THAN_BEFORE", reason)],
            done.rows,
            f"fetch it again; if load {before.load_id} is the one that is wrong, take it back (`vru withdraw`) and land this again; if the "
            "publisher has really taken so much back, say so with may_lose in source.yml",
        )


def check_is_a_revision(
    cursor: psycopg.Cursor, dataset: Dataset, table: str, done: Copied, release: dt.date, load_id: int, before: Before | None
) -> None:  # fmt: skip
    """Refuse what no publisher's revision comes to: months of several times what they had, many counts that differ by more than half, or
    months of which half the counts differ by more than a tenth.

    So another month's, another borough's or ten times a count does not pass for a correction. Of 66,000 counts of 30 and more that two
    real editions of the MPS share, a thousandth differ by more than half; where two boroughs change places, 28 in a thousand do. In one month
    of an edition at most (March 2020, October 2023) nearly half or more differ by more than a tenth; of another month's counts 62 % do.

    Args:
        table: the raw table, in which both loads stand.
    """
    if before is None or release < before.release:
        return
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
        row = cursor.execute(
            sql.SQL(
                """select coalesce(sum(counts), 0), coalesce(sum(halved), 0),
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
                half=sql.Literal(MAY_DIFFER_BY),
                enough=sql.Literal(ENOUGH_OF_A_MONTH),
                tenth=sql.Literal(ANOTHER_BY),
                another=sql.Literal(ANOTHER),
                before=sql.Literal(before.load_id),
                load=sql.Literal(load_id),
                least=sql.Literal(COUNT_TO_COMPARE),
                table=sql.Identifier("raw", table),
                same=sql.SQL(", ").join(sql.SQL("lower({})").format(sql.Identifier(name)) for name in same),
            )
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate gives a row
        if row[0] >= COUNTS_TO_JUDGE_BY and row[1] > MAY_DIFFER * row[0]:
            wrong = [
                f"{row[1]:,} of the {row[0]:,} counts of {COUNT_TO_COMPARE} and more that both have differ by more than half"
            ]
        elif row[2] > MAY_BE_OTHERS:
            wrong = [
                f"{row[2]} months have other counts than they had: nearly half of each differ by more than a tenth"
            ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise FaultyFile(
            [file_fault("NOT_A_REVISION", f"is no revision of load {before.load_id}: {'; '.join(wrong[:5])}{more}")],
            done.rows,
            f"fetch it again; if load {before.load_id} is the one that is wrong, take it back (`vru withdraw`) and land this again",
        )


def check_keeps_rows(
    cursor: psycopg.Cursor,
    source: Source,
    name: str,
    load_id: int,
    done: Copied,
    release: dt.date,
    before: Before | None,
) -> list[str]:
    """Refuse a file that lacks more than a small share of the rows that it should go on having.

    Returns:
        The first few of those it lacks, in words, where they are few enough.
    """
    keeps = source.dataset(name).keeps
    if keeps is None or before is None or release < before.release:
        return []
    columns = [sql.Identifier(column) for column in keeps.columns]
    row = cursor.execute(
        sql.SQL(
            """with earlier as (
                 select distinct {columns} from {table}
                 where _load_id = %s and {period} >= (select min({period}) from {table} where _load_id = %s){only_where}
               ),
               gone as (select * from earlier except select {columns} from {table} where _load_id = %s),
               told as (select concat_ws(' / ', {told}) as words from gone order by 1 limit 5)
               select (select count(*) from earlier), (select count(*) from gone), (select array_agg(words) from told)"""
        ).format(
            columns=sql.SQL(", ").join(columns),
            told=sql.SQL(", ").join(sql.SQL("nullif({}, '')").format(column) for column in columns),
            period=sql.Identifier(keeps.period),
            table=sql.Identifier("raw", raw_table(source.source, name)),
            only_where=sql.SQL("").join(
                sql.SQL(" and {} ~ {}").format(sql.Identifier(column), sql.Literal(f"^(?:{pattern})$"))
                for column, pattern in keeps.only_where.items()
            ),
        ),
        [before.load_id, load_id, load_id],
    ).fetchone()
    assert row is not None  # noqa: S101 - counts give a row
    had, lost, words = row
    if not lost:
        return []
    told = [*words, *([f"and {lost - len(words):,} more"] if lost > len(words) else [])]
    if lost > had * keeps.at_most_lost:
        reason = f"lacks {lost:,} of {had:,} rows that load {before.load_id} had: {', '.join(told)}"
        raise FaultyFile(
            [file_fault("LESS_THAN_BEFORE", reason)],
            done.rows,
            "fetch it again; if the publisher has really taken so much back, say so with keeps in source.yml",
        )
    return told


def _rows_by_area(cursor: psycopg.Cursor, dataset: Dataset, table: str, load_id: int) -> dict[str, int]:
    """How many rows a load has of each area, by its code: releases spell areas differently."""
    column = dataset.layout.area_column
    assert column is not None  # noqa: S101 - the caller looked
    code_of = codes_of(dataset.layout, column)
    found: dict[str, int] = {}
    for label, rows in cursor.execute(
        sql.SQL("select {column}, count(*) from {table} where _load_id = %s group by 1").format(
            column=sql.Identifier(column), table=sql.Identifier("raw", table)
        ),
        [load_id],
    ).fetchall():
        area = code_of.get(folded(label), str(label))
        found[area] = found.get(area, 0) + rows
    return found


def check_not_older(done: Copied, dataset: Dataset, landed: LandedFile, before: Before | None) -> None:
    """Refuse an older copy of a file that nobody dates: it would speak as the newest release.

    An older copy begins no later than what stands in raw, and ends before its end. A file about another time does neither.
    """
    if landed.provenance.release_date or dataset.release or before is None:
        return
    if done.first is None or done.last is None or before.first is None or before.last is None:
        return
    if done.first <= before.first <= done.last < before.last:
        raise FaultyFile(
            [
                file_fault(
                    "OLDER_COPY",
                    f"ends on {done.last}, and what stands in raw (load {before.load_id}) on {before.last}: "
                    "it is an older copy",
                )
            ],
            done.rows,
            "if the publisher has really taken the newer rows back, land it by hand with --release DATE",
        )


def check_plausible(contents: Copied, dataset: Dataset, release: dt.date, now: dt.datetime) -> None:
    """Refuse what can only be another dataset's file: it would speak for its months until its date has come; and times that the marts
    have no month for."""
    # Of what is not released by its months, the models leave out what came before.
    first = contents.first if dataset.release else None
    outside = [day for day in (first, contents.last) if day and not CALENDAR[0] <= day <= CALENDAR[1]]
    if outside:
        reason = (
            f"is about {outside[0]:%Y-%m}, and the calendar of the marts is {CALENDAR[0]:%Y-%m} to {CALENDAR[1]:%Y-%m}"
        )
        raise FaultyFile(
            [file_fault("OUTSIDE_CALENDAR", reason)],
            0,
            "see how its dates are written; or take those rows out",
        )
    tomorrow = (now + dt.timedelta(days=1)).date()
    if release > tomorrow:
        raise FaultyFile(
            [file_fault("RELEASE_DATE_IMPOSSIBLE", f"would be a release of {release}, which is still to come")],
            0,
            "see that the file is of this dataset and not of another; or give its date with --release",
        )
    if contents.last is not None and dataset.release is not None and release <= contents.last:
        raise FaultyFile(
            [
                file_fault(
                    "RELEASE_DATE_IMPOSSIBLE",
                    f"is called a release of {release} and has months to {contents.last:%Y-%m}",
                )
            ],
            0,
            "give the date it was released with --release, or leave it out and it is worked out",
        )
    if dataset.at_most_months is None or contents.first is None or contents.last is None:
        return
    months = len(months_between(f"{contents.first:%Y%m}", f"{contents.last:%Y%m}"))
    if months > dataset.at_most_months:
        raise FaultyFile(
            [
                file_fault(
                    "SPAN_OF_ANOTHER_DATASET",
                    f"has {months} months, and one of this dataset has {dataset.at_most_months} at most",
                )
            ],
            0,
            f"see that it is not a file of {dataset.abuts or 'another dataset'}",
        )


def check_begins_early_enough(
    connection: psycopg.Connection, source: Source, name: str, dataset: Dataset, contents: Contents
) -> None:
    """Refuse a file that holds a piece of what its dataset holds whole: it would speak for months that are not its own."""
    if dataset.begins_within_months is None or contents.first is None:
        return
    row = connection.execute(
        "select max(first_period) from ops.load where source = %s and dataset = %s and state = 'loaded'",
        [source.source, name],
    ).fetchone()
    if row is None or row[0] is None:
        return
    later = (contents.first.year - row[0].year) * 12 + contents.first.month - row[0].month
    if later > dataset.begins_within_months:
        reason = (
            f"begins in {contents.first:%Y-%m}, and the file of this dataset that is loaded begins in {row[0]:%Y-%m}"
        )
        raise FaultyFile(
            [file_fault("SPAN_OF_ANOTHER_DATASET", reason)],
            0,
            f"see that it is not a file of {dataset.abuts or 'another dataset'}",
        )


def check_leaves_no_hole(
    connection: psycopg.Connection, source: Source, name: str, dataset: Dataset, contents: Contents
) -> None:
    """Refuse a file where months would lie between it and those of the dataset it abuts, in neither of them."""
    if dataset.abuts is None or contents.first is None or contents.last is None:
        return
    spans = connection.execute(
        """select dataset, first_period, last_period from ops.load
           where source = %s and dataset = any(%s) and state in ('loaded', 'superseded')""",
        [source.source, [name, dataset.abuts]],
    ).fetchall()
    if not any(other == dataset.abuts for other, _, _ in spans):
        return
    before = _uncovered([(first, last) for _, first, last in spans])
    after = _uncovered([*((first, last) for _, first, last in spans), (contents.first, contents.last)])
    holes = [f"{month[:4]}-{month[4:]}" for month in after if month not in before]
    if holes:
        reason = f"{', '.join(holes)} would be in neither this file nor {dataset.abuts}"
        raise FaultyFile(
            [Fault("MONTHS_MISSING", HEADER, "months", None, reason)],
            0,
            f"land the {dataset.abuts} file that reaches these months first, then this one again",
        )


def _uncovered(spans: list[tuple[dt.date, dt.date]]) -> list[str]:
    covered = {month for first, last in spans for month in months_between(f"{first:%Y%m}", f"{last:%Y%m}")}
    return [month for month in months_between(min(covered), max(covered)) if month not in covered]


def keep_newest(connection: psycopg.Connection, source: Source, name: str, part: str) -> None:
    """Take all but the newest release of a part out of raw; landing keeps them."""
    older = connection.execute(
        """with stands as (
               select load_id, row_number() over (order by release_date desc, landed_at desc, load_id desc) as age, state
               from ops.load where source = %s and dataset = %s and part = %s and state in ('loaded', 'set_aside')
           )
           select load_id from stands where age > (select min(age) from stands where state = 'loaded')""",
        [source.source, name, part],
    ).fetchall()
    if older:
        ids = [load_id for (load_id,) in older]
        raw.take_out(connection, source.source, name, ids)
        ledger.supersede(connection, ids)
