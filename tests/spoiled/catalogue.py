"""The ways by name."""

from __future__ import annotations

from tests.spoiled.forms import Form, Table
from tests.spoiled.ways import (
    Way,
    again_of,
    all_the_same,
    areas,
    category,
    cell,
    column,
    columns_exchanged,
    exchanged,
    of_year,
    relabelled,
    renamed_months,
    rows,
    scaled,
    shuffled,
    with_months,
    without,
    without_areas,
)

AREA, MONTH, CATEGORY, VALUE = (frozenset({one}) for one in ("area", "month", "category", "value"))
WIDE = frozenset({"wide"})
LONG = frozenset({"month", "long"})


def _first_area(form: Form, table: Table) -> str:
    return areas(form, table)[0]


def _renamed(name: str) -> Way:
    return Way(lambda _, table: [[name if n == 1 else text for n, text in enumerate(table[0])], *table[1:]])


WAYS: dict[str, Way] = {
    # rows
    "there is nothing": Way(lambda _, __: []),
    "the header is alone": Way(lambda _, table: table[:1]),
    "there is no header": Way(lambda _, table: table[1:]),
    "the header stands twice": Way(lambda _, table: [table[0], *table]),
    "the last tenth of the rows is missing": Way(lambda _, table: table[: max(len(table) * 9 // 10, 2)]),
    "the last half of the rows is missing": Way(lambda _, table: table[: max(len(table) // 2, 2)]),
    "every other row is missing": Way(rows(lambda n, _: n % 2 == 0)),
    "the first row is missing": Way(rows(lambda n, _: n > 0)),
    "every row stands twice": Way(lambda _, table: [table[0], *(row for row in table[1:] for _ in range(2))]),
    "a row is cut": Way(lambda _, table: [*table[:-1], table[-1][:-4]]),
    "a row is too long": Way(lambda _, table: [*table[:-1], [*table[-1], "7"]]),
    "a row of totals is below": Way(lambda _, table: [*table, ["Total"] * (len(table[0]) - 1) + ["1"]]),
    "rows and columns have changed places": Way(lambda _, table: [list(one) for one in zip(*table, strict=False)]),
    # columns
    "a column is missing": Way(column(lambda row, place: row[:place] + row[place + 1 :])),
    "a column stands twice": Way(column(lambda row, place: [*row, row[place]])),
    "a header has another name": _renamed("Something else"),
    "a header is blank": _renamed(""),
    "two columns have changed places under their headers": Way(columns_exchanged),
    "all cells of a column are blank": Way(
        lambda form, table: [
            table[0],
            *(["" if n == (form.month or form.area or 0) else text for n, text in enumerate(row)] for row in table[1:]),
        ]
    ),
    # areas
    "an area is missing": Way(without_areas(1), AREA),
    "ten areas are missing": Way(without_areas(10), AREA),
    "an area stands twice": Way(again_of("area", _first_area), AREA),
    "an area has a name that nobody knows": Way(relabelled("area", _first_area, lambda *_: "Camdenshire"), AREA),
    "an area has no name": Way(relabelled("area", _first_area, lambda *_: ""), AREA),
    "an area has the name of another": Way(
        relabelled("area", _first_area, lambda form, table: areas(form, table)[-1]), AREA
    ),
    "two areas have changed places": Way(exchanged, AREA),
    "every area is the same": Way(all_the_same("area", _first_area), AREA),
    # categories
    "a category is missing": Way(without("category", category), CATEGORY),
    "a category has a name that nobody knows": Way(
        relabelled("category", category, lambda *_: "ANOTHER CATEGORY"), CATEGORY
    ),
    "a category is merged into another": Way(
        relabelled("category", category, lambda form, table: category(form, table, -1)), CATEGORY
    ),
    "every category is the same": Way(all_the_same("category", category), CATEGORY),
    # months
    "the newest month is missing": Way(with_months(lambda there: there[:-1]), MONTH | {"series"}),
    "the oldest month is missing": Way(with_months(lambda there: there[1:]), MONTH | {"series"}),
    "a month in the middle is missing": Way(
        with_months(lambda there: [*there[: len(there) // 2], *there[len(there) // 2 + 1 :]]), MONTH | {"series"}
    ),
    "half of the months are missing": Way(with_months(lambda there: there[len(there) // 2 :]), MONTH | {"series"}),
    "the newest month stands twice": Way(with_months(lambda there: [*there, there[-1]]), MONTH),
    "the months are in another order": Way(with_months(lambda there: there[::-1]), MONTH | {"series"}),
    "two months have changed places": Way(
        renamed_months(lambda there, n: there[{0: len(there) - 1, len(there) - 1: 0}.get(n, n)]), MONTH | {"series"}
    ),
    "every month is the one after": Way(
        renamed_months(lambda there, n: there[(n + 1) % len(there)]), MONTH | {"series"}
    ),
    "every month is the same": Way(renamed_months(lambda there, _: there[-1]), MONTH | {"series"}),
    "the months are of a year before": Way(renamed_months(of_year(-1)), MONTH),
    "the months are of a year to come": Way(renamed_months(of_year(1)), MONTH),
    "the months are of a century before": Way(renamed_months(of_year(-100)), MONTH),
    "the months are numbers": Way(renamed_months(lambda _, n: str(n)), MONTH),
    "a day is a word": Way(cell("soon", "month"), LONG),
    "a day is blank": Way(cell("", "month"), LONG),
    "a day is none of the calendar": Way(cell("2026-13-45", "month"), LONG),
    # counts
    "everything is ten times as much": Way(scaled(10), frozenset({"size"})),
    "everything is a tenth": Way(scaled(0.1), frozenset({"size"})),
    "everything is 11 percent less": Way(scaled(0.89), frozenset({"size"})),
    "everything is half": Way(scaled(0.5), frozenset({"size"})),
    "everything is double": Way(scaled(2), frozenset({"size"})),
    "everything is 0": Way(scaled(0), VALUE),
    "every sign is turned": Way(scaled(-1), VALUE),
    "an area is ten times as much": Way(scaled(10, area=True), AREA),
    "an area is 0": Way(scaled(0, area=True), AREA),
    "the newest month is ten times as much": Way(scaled(10, month=-1), MONTH | {"series"}),
    "the newest month is double": Way(scaled(2, month=-1), MONTH | {"series"}),
    "the newest month is half there": Way(scaled(0.5, month=-1), MONTH | {"series"}),
    "the newest month is a tenth": Way(scaled(0.1, month=-1), MONTH | {"series"}),
    "the newest month is 0": Way(scaled(0, month=-1), MONTH | {"series"}),
    "the oldest month is a tenth": Way(scaled(0.1, month=0), MONTH | {"series"}),
    "a month in the middle is ten times as much": Way(scaled(10, month=3), MONTH | {"series"}),
    "a month in the middle is 0": Way(scaled(0, month=3), MONTH | {"series"}),
    "all counts are of other rows": Way(shuffled, VALUE),
    "a count is a word": Way(cell("many", "value"), VALUE),
    "a count is blank": Way(cell("", "value"), VALUE),
    "a count has a comma": Way(cell("1,234", "value"), VALUE),
    "a count is below 0": Way(cell("-7", "value"), VALUE),
    "a count is a spreadsheet's error": Way(cell("#REF!", "value"), VALUE),
    "a count is no number": Way(cell("NaN", "value"), VALUE),
    "a count is infinite": Way(cell("1e999", "value"), VALUE),
    "a count is a date": Way(cell("05-Jan", "value"), VALUE),
    "a count is far too large": Way(cell("99999999999999", "value"), VALUE),
}
