"""What is true of every kind of chart, at both widths: it is named, described, readable, the same each time, and says no to rows it cannot draw."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from tests.chart_rows import EVERY, control_rows, curve_rows, drawn, index_rows, map_rows, trend_rows, week_rows
from tests.drawn_charts import SVG, parsed, size, texts
from warehouse.site import charts
from warehouse.site.charts import Chart, style

KINDS = sorted(EVERY)
# Rows that strain a layout: breaks side by side, long names, classes that say how an area stands, no classes.
STRAINED = {
    "trend, five breaks": ("trend", [row | {"is_break": row["period_start_date"].month in (1, 3, 6), "break_label": "recording moved to another system"} for row in trend_rows(30)]),
    "trend, eight breaks side by side": ("trend", [row | {"is_break": 5 < i % 40 < 14, "break_label": "a long reason that takes some room"} for i, row in enumerate(trend_rows())]),
    "trend, lines that end together": ("trend", [row | {"value": 5.0} for row in trend_rows()]),
    "trend, long names": ("trend", trend_rows(series=[f"Violence recorded by every police force that serves London {i}" for i in range(5)])),
    "index, long names": ("index_lines", [row | {"series": f"{row['series']} of London, the City and the airports as published, each month"} for row in index_rows()]),
    "cumulative, one place": ("cumulative", curve_rows()[:1]),
    "trend, sixteen years": ("trend", trend_rows(192)),
    "trend, three months": ("trend", trend_rows(3)),
    "control, a signal at the top left": ("control", [row | ({"value": 300, "signal": "above_upper_limit"} if i == 2 else {}) for i, row in enumerate(control_rows())]),
    "choropleth, beside London": ("choropleth", map_rows(("Below London", "In line with London", "Above London"))),
    "tiles, beside London": ("tiles", map_rows(("Low (0.001)", "Low (0.025)", "Not significant", "High (0.025)", "High (0.001)"))),
    "tiles, without classes": ("tiles", map_rows((None,))),
    "heatmap, without classes": ("heatmap", week_rows(classes=False)),
}  # fmt: skip
CASES = {kind: (kind, EVERY[kind]()) for kind in KINDS} | STRAINED


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Chart:
    kind, rows = CASES[request.param]
    return drawn(kind, rows)


def test_every_kind_that_is_exported_is_tested() -> None:
    assert sorted(name for name in charts.__all__ if name.islower()) == KINDS


def test_a_chart_is_an_image_with_a_name_and_its_description(case: Chart) -> None:
    for svg in (case.svg, case.narrow):
        root = parsed(svg)
        assert (root.get("role"), root.get("width"), root.get("height")) == ("img", None, None)
        title, description = root[0], root[1]
        assert (title.tag, title.text) == (f"{SVG}title", "Violence with injury is not falling")
        assert (description.tag, description.text) == (f"{SVG}desc", case.description)
        assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), description.get("id"))
    assert case.description.startswith("Offences per 1,000 residents in twelve months. ")
    assert len(case.description) > 70


def test_no_text_covers_another_or_leaves_the_picture(case: Chart) -> None:
    for svg in (case.svg, case.narrow):
        held, (across, down) = texts(svg), size(svg)
        assert [(a.words, b.words) for a, b in itertools.combinations(held, 2) if a.covers(b)] == []
        assert [
            one for one in held if one.left < -0.5 or one.right > across + 1 or one.top < -1 or one.bottom > down + 0.5
        ] == []


def test_text_is_large_enough_and_stands_out_from_what_it_is_on(case: Chart) -> None:
    for svg in (case.svg, case.narrow):
        assert [one.words for one in texts(svg) if one.size < 11] == []
        assert [
            (one.words, one.colour, one.ground) for one in texts(svg) if style.contrast(one.colour, one.ground) < 4.5
        ] == []
        assert {element.get("transform") for element in parsed(svg).iter()} == {None}


def test_a_chart_is_drawn_for_both_widths(case: Chart) -> None:
    is_small = "sparkline" in case.svg[:120]
    assert (size(case.svg)[0], size(case.narrow)[0]) == ((100, 100) if is_small else (640, 320))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_give_the_same_bytes_and_other_rows_other_ids(kind: str) -> None:
    rows = EVERY[kind]()
    first, again, other = drawn(kind, rows), drawn(kind, EVERY[kind]()), drawn(kind, rows, title="Another")
    assert first == again
    ids = [
        element.get("id")
        for chart in (first, other)
        for svg in {chart.svg, chart.narrow}
        for element in parsed(svg).iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids)) >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_text_whatever_is_in_them(kind: str) -> None:
    spoiled = "<script>alert(\"1\")</script> & 'x'\x00\x1b"
    rows = [{name: spoiled if isinstance(value, str) and name in ("series", "label", "measure_name", "column", "note", "signal", "class_label", "class", "state", "break_label") else value for name, value in row.items()} for row in EVERY[kind]()]  # fmt: skip
    unique: dict[tuple[object, ...], dict[str, object]] = {}
    for row in rows:
        unique.setdefault(tuple(row.get(name) for name in ("label", "month", "measure_name", "column", "period_start_date", "area_code", "area_name", "weekday", "hour")), row)  # fmt: skip
    chart = drawn(kind, list(unique.values()) if kind in ("rug", "grid") else rows, title=spoiled, subtitle=spoiled)
    for svg in (chart.svg, chart.narrow):
        assert "<script" not in svg
        assert {element.tag for element in parsed(svg).iter()} <= {
            SVG + tag for tag in ("svg", "title", "desc", "text", "line", "rect", "path", "circle")
        }
        assert parsed(svg)[0].text == "<script>alert(\"1\")</script> & 'x'  "


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_cannot_be_drawn_are_refused_by_a_sentence(kind: str) -> None:
    with pytest.raises(ValueError, match=f"^a {kind} chart needs rows, and there are none$"):
        drawn(kind, [])
    rows = EVERY[kind]()
    # What a chart takes where it is there, beside what it needs.
    for column in set(rows[0]) - {
        "is_this" if kind in ("tiles", "choropleth") else "",
        "is_provisional" if kind == "control" else "",
    }:
        with pytest.raises(ValueError, match=f"^a {kind} chart needs the column {column}, and row 2 has only "):
            drawn(kind, [rows[0], {name: value for name, value in rows[1].items() if name != column}])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"grid", "rug"}))
def test_rows_without_any_number_are_refused(kind: str) -> None:
    numbers = {"value", "share", "count_share", "rank_share"}
    with pytest.raises(ValueError, match=r"needs a number|needs rows that have both"):
        drawn(kind, [row | dict.fromkeys(numbers & set(row)) for row in EVERY[kind]()])


def test_what_is_no_number_or_no_day_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^value is no number: 'many'$"):
        drawn("trend", [row | {"value": "many"} for row in trend_rows(3)])
    with pytest.raises(ValueError, match=r"^value is no number: nan$"):
        drawn("trend", [row | {"value": float("nan")} for row in trend_rows(3)])
    with pytest.raises(ValueError, match=r"^period_start_date is no day: datetime"):
        drawn("trend", [row | {"period_start_date": dt.datetime(2024, 1, 1)} for row in trend_rows(3)])
    with pytest.raises(ValueError, match=r"^period_start_date is no day: '2024-01-01'$"):
        drawn("trend", [row | {"period_start_date": "2024-01-01"} for row in trend_rows(3)])
