"""The ways of spoiling a table, each told of any form: a scaling of events, for one, leaves rows out or repeats them."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable

from tests.spoiled.forms import Form, Table

Row = list[str]
Where = Callable[[Row], bool]
Change = Callable[[Form, Table], Table]


@dataclasses.dataclass(frozen=True)
class Way:
    """A way of spoiling, and what a form must have for it (Form.traits)."""

    change: Change
    needs: frozenset[str] = frozenset()


def areas(form: Form, table: Table) -> list[str]:
    """The areas that most rows are of, first those that have most."""
    return [name for name, _ in Counter(row[form.area] for row in table[1:] if row[form.area]).most_common()]  # type: ignore[index]


def category(form: Form, table: Table, place: int = 0) -> str:
    """A category of many rows."""
    return Counter(row[form.category] for row in table[1:]).most_common()[place][0]  # type: ignore[index]


def months(form: Form, table: Table) -> list[str]:
    """The months of a file, oldest first, as it writes them: whole headers, or what stands in the column."""
    if form.labels is not None:
        return table[0][form.labels :]
    return list(dict.fromkeys(_month_of(form, row) for row in table[1:]))


def _month_of(form: Form, row: Row) -> str:
    text = row[form.month]  # type: ignore[index]
    return text[3:10] if text[2:3] == "/" else text[:7]  # dd/mm/yyyy, yyyy-mm-dd, Mon-yy


def number(text: str) -> float | None:
    """The number that a cell holds; None where it holds none."""
    try:
        return float(text)
    except ValueError:
        return None


def scaled(factor: float, *, area: bool = False, month: int | None = None) -> Change:
    """Counts times a factor: of all, of one area, or of one month (by its place among those of the file)."""

    def change(form: Form, table: Table) -> Table:
        of_area = areas(form, table)[0] if area else None
        of_month = months(form, table)[month] if month is not None else None
        taken = [0.0]

        def touched(row: Row) -> bool:
            in_month = of_month is None or form.labels is not None or _month_of(form, row) == of_month
            return in_month and (of_area is None or row[form.area] == of_area)  # type: ignore[index]

        def counts(row: Row) -> Row:
            if form.labels is not None:
                start = form.labels
                return [
                    _times(cell, factor)
                    if place >= start and (of_month is None or table[0][place] == of_month)
                    else cell
                    for place, cell in enumerate(row)
                ]
            return [_times(cell, factor) if place in form.values else cell for place, cell in enumerate(row)]

        out: Table = [table[0]]
        for row in table[1:]:
            if not touched(row):
                out.append(row)
            elif form.labels is not None or form.values:
                out.append(counts(row))
            else:  # an event: so many of it
                taken[0] += factor
                while taken[0] >= 1:
                    taken[0] -= 1
                    out.append(_another(form, row, len(out)))
        return out

    return change


def _times(cell: str, factor: float) -> str:
    value = number(cell)
    if value is None:
        return cell
    return str(int(value * factor)) if value.is_integer() else repr(value * factor)


def _another(form: Form, row: Row, count: int) -> Row:
    """The same event under another number."""
    if form.number is None:
        return row
    text = row[form.number]
    return [
        (f"{text[:-5]}{count:05x}" if len(text) > 5 else str(count)) if place == form.number and text else cell
        for place, cell in enumerate(row)
    ]


def rows(keep: Callable[[int, Row], bool]) -> Change:
    """Rows left out."""
    return lambda _, table: [table[0], *(row for n, row in enumerate(table[1:]) if keep(n, row))]


def without_areas(count: int) -> Change:
    def change(form: Form, table: Table) -> Table:
        gone = set(areas(form, table)[:count])
        return [table[0], *(row for row in table[1:] if row[form.area] not in gone)]  # type: ignore[index]

    return change


def without(column: str, label: Callable[[Form, Table], str]) -> Change:
    """Without the rows of one label."""

    def change(form: Form, table: Table) -> Table:
        place, gone = getattr(form, column), label(form, table)
        return [table[0], *(row for row in table[1:] if row[place] != gone)]

    return change


def again_of(column: str, label: Callable[[Form, Table], str]) -> Change:
    """The rows of one label once more at the end."""

    def change(form: Form, table: Table) -> Table:
        place, again = getattr(form, column), label(form, table)
        return [*table, *(row for row in table[1:] if row[place] == again)]

    return change


def all_the_same(column: str, label: Callable[[Form, Table], str]) -> Change:
    """One label in every row."""

    def change(form: Form, table: Table) -> Table:
        place, only = getattr(form, column), label(form, table)
        return [table[0], *([only if n == place else text for n, text in enumerate(row)] for row in table[1:])]

    return change


def relabelled(column: str, before: Callable[[Form, Table], str], after: Callable[[Form, Table], str]) -> Change:
    """Another label in the place of one."""

    def change(form: Form, table: Table) -> Table:
        place, old, new = getattr(form, column), before(form, table), after(form, table)
        return [
            table[0],
            *([new if n == place and cell == old else cell for n, cell in enumerate(row)] for row in table[1:]),
        ]

    return change


def exchanged(form: Form, table: Table) -> Table:
    """Two areas have changed places: the labels of one stand by the counts of the other."""
    one, other = areas(form, table)[0], areas(form, table)[-1]
    swap = {one: other, other: one}
    return [
        table[0],
        *([swap.get(cell, cell) if n == form.area else cell for n, cell in enumerate(row)] for row in table[1:]),
    ]


def shuffled(form: Form, table: Table) -> Table:
    """All labels stay where they are, and the counts are of other rows."""
    places = range(form.labels, len(table[0])) if form.labels is not None else form.values
    counts = [[row[place] for place in places] for row in table[1:]]
    random.Random(1).shuffle(counts)  # noqa: S311 - the same each time
    out = [list(row) for row in table]
    for row, other in zip(out[1:], counts, strict=True):
        for place, cell in zip(places, other, strict=True):
            row[place] = cell
    return out


def with_months(pick: Callable[[list[str]], list[str]]) -> Change:
    """Only some months, some twice, or in another order."""

    def change(form: Form, table: Table) -> Table:
        there = months(form, table)
        wanted = pick(there)
        if form.labels is not None:
            kept = [*range(form.labels), *(form.labels + there.index(one) for one in wanted)]
            return [[row[place] for place in kept] for row in table]
        by_month: dict[str, Table] = {}
        for row in table[1:]:
            by_month.setdefault(_month_of(form, row), []).append(row)
        return [table[0], *(row for one in wanted for row in by_month[one])]

    return change


def renamed_months(other: Callable[[list[str], int], str]) -> Change:
    """Months under the name of others, their counts where they were."""

    def change(form: Form, table: Table) -> Table:
        there = months(form, table)
        name = {one: other(there, place) for place, one in enumerate(there)}
        if form.labels is not None:
            return [[*table[0][: form.labels], *(name[one] for one in there)], *table[1:]]

        def at(row: Row) -> Row:
            one = _month_of(form, row)
            return [cell.replace(one, name[one]) if n == form.month else cell for n, cell in enumerate(row)]

        return [table[0], *(at(row) for row in table[1:])]

    return change


def of_year(shift: int) -> Callable[[list[str], int], str]:
    """A month so many years later, in the form that it is written in."""

    def other(there: list[str], place: int) -> str:
        text = there[place]
        for start, stop in ((0, 4), (3, 7), (4, 8)):  # 2026-10 and 202610, 10/2026, Oct 2026
            if text[start:stop].isdigit() and text[start : start + 2] in {"19", "20"}:
                return f"{text[:start]}{int(text[start:stop]) + shift}{text[stop:]}"
        return f"{text[:4]}{(int(text[4:6]) + shift) % 100:02}"  # Jan-23

    return other


def cell(text: str, of: str) -> Change:
    """Something else in one cell of the last row: a count, or a day."""

    def change(form: Form, table: Table) -> Table:
        place = form.month if of == "month" else len(table[0]) - 1 if form.labels is not None else form.values[0]
        return [*table[:-1], [text if n == place else found for n, found in enumerate(table[-1])]]

    return change


def columns_exchanged(form: Form, table: Table) -> Table:
    """The column of the area, the category or the first one beside the one next to it, below the headers of both."""
    place = next(one for one in (form.area, form.category, 0) if one is not None)
    one, other = sorted((place, place + 1 if place + 1 < len(table[0]) else place - 1))
    return [table[0], *([*row[:one], row[other], row[one], *row[other + 1 :]] for row in table[1:])]


def column(alter: Callable[[Row, int], Row]) -> Change:
    """Every row with the column of the category, the area or the first one altered."""

    def change(form: Form, table: Table) -> Table:
        place = next(one for one in (form.category, form.area, form.month, 0) if one is not None)
        return [alter(list(row), place) for row in table]

    return change
