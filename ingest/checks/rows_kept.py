"""Whether the rows of an edition are those that stand, revised: for files of events, of persons, and of counts by what they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from psycopg import sql

from ingest.delivery import Delivery, area_name
from ingest.editions import Edition, partial_months
from ingest.readers.code_lists import codes_of
from ingest.readers.headers import month_of
from ingest.readers.text import folded
from ingest.readers.times import day_of

# Of so much that stands in the months that both have, an edition may lack such a share: publishers take rows back, or move them, one by one.
ENOUGH, MAY_GO = 50, 0.05
# And by so much may what stands grow in them, where nothing comes late.
MAY_GROW = 0.25
# An area, category or month of so many is another one where more than half of them are gone, or as many have come; one of a few where all are.
ENOUGH_OF_A_GROUP, FEW_OF_A_GROUP, MAY_MOVE_OF_A_GROUP = 10, 5, 0.5
# A month is another one where so many of so many of its counts differ by more than a tenth; publishers have put right one at a time.
LEAST_OF_A_MONTH, ENOUGH_OF_A_MONTH, ANOTHER_BY, ANOTHER, MAY_BE_OTHERS = 10, 20, 0.1, 0.4, 1
# An area alone is of other months where the others' counts are nearly all as they were.
OTHERS_KEEP = 0.2
# So many of one area, category and time do not go at once: their row is missing.
ENOUGH_TO_BE_MISSED = 20
# A file whose rows stand twice: so many of the rows that stand are there at least twice as often.
DOUBLED = 0.8

Key = tuple[str, ...]


def check_rows_kept(
    delivery: Delivery, before: Edition, by: Mapping[str, str], *,
    value: str | None = None, where: str = "true", may_go: float | None = MAY_GO, may_grow: float | None = None,
) -> None:  # fmt: skip
    """Refuse an edition that lacks much of what stands, or has much more of it, by what its rows are about.

    Areas and categories are compared by their codes and days as days, for editions spell them differently. Of time only that is
    compared which both are about: a window moves on.

    Args:
        before: the edition that stands.
        by: what rows are compared by, each under the name of its column, and the SQL that gives it.
        value: the column that counts (`cell` where a row has many); rows are counted where there is none.
        where: which rows are compared, in SQL.
        may_go: the share of what stands that may be gone, or be of something else now; None where categories get other names.
        may_grow: the share of it by which what stands may grow; None where rows come late and months fill up.

    Raises:
        FaultyFile: `LESS_THAN_BEFORE` where it is less all in all, else `NOT_A_REVISION`.
    """
    months = _months_of_both(delivery, before)
    this, that = (
        _counts(delivery, load_id, by, value, where, months) for load_id in (delivery.load_id, before.load_id)
    )
    had = that.total()
    wrong = []
    for may, moved, verb in (
        (may_go, that - this, "are gone or of something else"),
        (may_grow, Counter({key: this[key] - count for key, count in that.items() if this[key] > count}), "were added"),
    ):
        if may is not None and had >= ENOUGH and moved.total() > may * had:
            wrong.append(f"{moved.total():,} {verb} where there were {had:,}")
        if may is not None:
            wrong += _groups_moved(list(by), moved, that, verb)
    if value:
        wrong += _other_times(this, that, _place_of_time(delivery, by))
    if may_go is not None:
        wrong += [
            f"{' / '.join(map(area_name, key))} had {count:,} and has none"
            for key, count in sorted(that.items())
            if count >= ENOUGH_TO_BE_MISSED and not this[key]
        ]
    if wrong:
        raise _refusal(delivery, before, wrong, "LESS_THAN_BEFORE" if this.total() < had else "NOT_A_REVISION")


def check_areas_of_their_months(
    delivery: Delivery, before: Edition, by: Mapping[str, str], *, value: str, where: str
) -> None:
    """Refuse an edition in which an area alone has other counts, month by month, than stand: it is a month out of step.

    Args:
        before, by, value, where: as `check_rows_kept`; the area is the first of `by`.

    Raises:
        FaultyFile: `NOT_A_REVISION`.
    """
    months = _months_of_both(delivery, before)
    this, that = (
        _counts(delivery, load_id, by, value, where, months) for load_id in (delivery.load_id, before.load_id)
    )
    if wrong := list(_areas_of_other_times(this, that)):
        raise _refusal(delivery, before, wrong, "NOT_A_REVISION")


def check_not_doubled(delivery: Delivery, before: Edition, *, number: Sequence[str] = (), area: str = "''") -> None:
    """Refuse an edition in which nearly all rows, or those of an area, stand twice as often as in the one before, but for their number.

    Args:
        number: the columns that number rows.
        area: which area a row is of, in SQL.

    Raises:
        FaultyFile: `NOT_A_REVISION`.
    """
    columns = [
        sql.Identifier(column.name) for column in delivery.dataset.layout.kept_columns if column.name not in number
    ]
    found = delivery.cursor.execute(
        sql.SQL(
            """select area, sum(that)::bigint, coalesce(sum(that) filter (where this >= 2 * that), 0)::bigint
               from (
                   select {area} as area, count(*) filter (where _load_id = {before}) as that,
                       count(*) filter (where _load_id = {load}) as this
                   from {table} where _load_id in ({before}, {load}) group by {columns}
               ) as both_editions where that > 0 group by area order by area"""
        ).format(
            area=sql.SQL(area),
            before=sql.Literal(before.load_id),
            load=sql.Literal(delivery.load_id),
            table=delivery.table,
            columns=sql.SQL(", ").join(columns),
        )
    ).fetchall()
    groups = [
        ("", sum(had for _, had, _ in found), sum(twice for *_, twice in found)),
        *((f" of {area}", had, twice) for area, had, twice in found if area),
    ]
    wrong = [
        f"{twice:,} of the {had:,} rows{of} stand twice or more often"
        for of, had, twice in groups
        if (had >= ENOUGH_OF_A_GROUP and twice > DOUBLED * had) or twice == had >= FEW_OF_A_GROUP
    ]
    if wrong:
        raise _refusal(delivery, before, wrong, "NOT_A_REVISION")


def _counts(
    delivery: Delivery, load_id: int, by: Mapping[str, str], value: str | None, where: str, months: set[int] | None
) -> Counter[Key]:
    """What a load counts, in the months that both are about, by what its rows are about."""
    read = [_reader(delivery, name) for name in by]
    rows, only = _cells(delivery, load_id, months)
    place = _place_of_time(delivery, by)
    wanted = {*(months or ()), None}
    found: Counter[Key] = Counter()
    for *labels, count in delivery.cursor.execute(
        sql.SQL(
            "select {by}, {counted} from {rows} where _load_id = {load} and {where} and {only} group by {places}"
        ).format(
            by=sql.SQL(", ").join(sql.SQL(expression) for expression in by.values()),
            counted=sql.SQL("sum({}::numeric)::bigint").format(sql.Identifier(value)) if value else sql.SQL("count(*)"),
            rows=rows,
            load=sql.Literal(load_id),
            where=sql.SQL(where),
            only=only,
            places=sql.SQL(", ").join(sql.Literal(number) for number in range(1, len(by) + 1)),
        )
    ):
        key = tuple(one(str(label or "")) for one, label in zip(read, labels, strict=True))
        if place is None or months is None or _number_of(key[place]) in wanted:
            found[key] += count or 0
    return found


def _cells(delivery: Delivery, load_id: int, months: set[int] | None) -> tuple[sql.Composable, sql.Composable]:
    """Where the cells of a load stand, and the condition that they are of these months, where months are columns."""
    columns = delivery.dataset.layout.month_columns
    if columns is None:
        return delivery.table, sql.SQL("true")
    if columns.cells == "together":
        cells = sql.SQL("{} cross join unnest(string_to_array(cells, ',')) with ordinality as of_month (cell, number)")
        number = sql.SQL("left(first_month, 4)::integer * 12 + right(first_month, 2)::integer + number - 1")
        of_both = sql.SQL("({}) = any({})").format(number, sql.Literal(sorted(months or ())))
        return cells.format(delivery.table), of_both
    headers = delivery.cursor.execute(
        sql.SQL("select distinct month_header from {} where _load_id = %s").format(delivery.table), [load_id]
    ).fetchall()
    there = [header for (header,) in headers if months is None or _number_of(month_of(header, columns) or "") in months]
    return delivery.table, sql.SQL("month_header = any({})").format(sql.Literal(there))


def _number_of(month: str) -> int | None:
    """The number of a month or day as YYYYMM or YYYY-MM-DD, counted from the year 0; None where it is none."""
    digits = month.replace("-", "")
    return int(digits[:4]) * 12 + int(digits[4:6]) if digits[:6].isdigit() and len(digits) >= len("YYYYMM") else None


def _months_of_both(delivery: Delivery, before: Edition) -> set[int] | None:
    """The months, by their numbers, that both editions are about; None where one is about no time."""
    first, last = delivery.done.first, delivery.done.last
    if first is None or last is None or before.first is None or before.last is None:
        return None
    begin, end = max(first, before.first), min(last, before.last)
    partial = {_number_of(month) for month in partial_months(delivery.dataset, delivery.done.totals, before.totals)}
    return {*range(begin.year * 12 + begin.month, end.year * 12 + end.month + 1)} - partial


def _place_of_time(delivery: Delivery, by: Mapping[str, str]) -> int | None:
    """Which part of a key says the time."""
    period = delivery.dataset.layout.period
    named = period.column if period else "month_header"
    return next((place for place, name in enumerate(by) if name == named), None)


def _other_times(this: Counter[Key], that: Counter[Key], place: int | None) -> Iterator[str]:
    """Months whose counts are those of other months, in words: publishers put one right at a time."""
    if place is None:
        return
    counts: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    for key, count in that.items():
        if count >= LEAST_OF_A_MONTH and this[key]:
            counts[key[place]] += 1
            differing[key[place]] += abs(this[key] - count) > ANOTHER_BY * count
    others = [
        month for month in counts if counts[month] >= ENOUGH_OF_A_MONTH and differing[month] > ANOTHER * counts[month]
    ]
    if len(others) > MAY_BE_OTHERS:
        yield f"{len(others)} months have other counts than they had: nearly half of each differ by more than a tenth"


def _areas_of_other_times(this: Counter[Key], that: Counter[Key]) -> Iterator[str]:
    """Areas most of whose counts differ by more than a tenth where those of the others do not, in words."""
    counts: Counter[str] = Counter()
    differing: Counter[str] = Counter()
    for key, count in that.items():
        if count >= LEAST_OF_A_MONTH:
            counts[key[0]] += 1
            differing[key[0]] += abs(this[key] - count) > ANOTHER_BY * count
    for area, count in sorted(counts.items()):
        others = counts.total() - count
        if (
            count >= ENOUGH_OF_A_MONTH
            and differing[area] > ANOTHER * count
            and differing.total() - differing[area] < OTHERS_KEEP * others
        ):
            yield f"{area_name(area)} has other counts than it had: {differing[area]:,} of {count:,} differ by more than a tenth"


def _reader(delivery: Delivery, name: str) -> Callable[[str], str]:
    """How a label is read, so that two spellings of one thing are one."""
    layout = delivery.dataset.layout
    period = layout.period
    if period and name == period.column:
        return cache(lambda text: f"{day_of(text, period) or text}")
    columns = layout.month_columns
    if columns and name == "month_header":
        return cache(lambda text: month_of(text, columns) or text)
    codes = codes_of(layout, name)
    return cache(lambda text: codes.get(folded(text), folded(text)))


def _groups_moved(names: Sequence[str], moved: Counter[Key], that: Counter[Key], verb: str) -> Iterator[str]:
    """Areas, categories and times of which most is gone, or as much has come as more than half of it, in words."""
    for place, name in enumerate(names):
        had: Counter[str] = Counter()
        found: Counter[str] = Counter()
        for key, count in that.items():
            had[key[place]] += count
        for key, count in moved.items():
            found[key[place]] += count
        for label, count in sorted(found.items()):
            is_another = had[label] >= ENOUGH_OF_A_GROUP and count > MAY_MOVE_OF_A_GROUP * had[label]
            if label and (is_another or count >= had[label] >= FEW_OF_A_GROUP):
                yield f"{count:,} {verb} where {name} {area_name(label)} had {had[label]:,}"


def _refusal(delivery: Delivery, before: Edition, wrong: Sequence[str], code: str) -> Exception:
    more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
    return delivery.refuse(
        code,
        f"is no revision of load {before.load_id}: of what both are about {'; '.join(wrong[:5])}{more}",
        f"fetch it again; if load {before.load_id} is the one that is wrong, take it back (`vru withdraw`) and land this again",
    )
