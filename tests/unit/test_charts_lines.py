"""Lines over time: where they are cut, interrupted and dashed, and what signals look like."""

from __future__ import annotations

import pytest

from tests.chart_rows import control_rows, drawn, index_rows, line_rows, month, trend_rows
from tests.drawn_charts import named, parsed, points, texts
from warehouse.site.charts.axes import figure, ticks
from warehouse.site.charts.text import apart, width, wrap

ONE = ("Brent",)


def marked(rows: list[dict[str, object]], place: int, **values: object) -> list[dict[str, object]]:
    """The rows with other values in the month of that place."""
    return [row | values if row["period_start_date"] == month(place) else row for row in rows]


def spans(svg: str, name: str) -> list[tuple[float, float]]:
    """From where to where each path of a class goes."""
    return sorted((points(one)[0][0], points(one)[-1][0]) for one in named(svg, name))


def test_a_break_cuts_the_line_and_its_band_at_exactly_its_month() -> None:
    rows = [row | {"is_provisional": False} for row in trend_rows(12, ONE)]
    places = [x for x, _ in points(named(drawn("trend", rows).svg, "final")[0])]
    svg = drawn("trend", marked(rows, 5, is_break=True, break_label="CONNECT replaced CRIS")).svg
    assert spans(svg, "final") == [(places[0], places[4]), (places[5], places[11])]
    assert [(min(x for x, _ in points(one)), max(x for x, _ in points(one))) for one in named(svg, "band")] == spans(
        svg, "final"
    )
    (rule,) = named(svg, "break")
    assert rule.get("x1") == rule.get("x2")
    assert places[4] < float(rule.get("x1", "")) < places[5]
    assert "Jun 2022: CONNECT replaced CRIS" in [one.words for one in texts(svg)]


def test_a_break_of_one_series_cuts_all_of_them() -> None:
    rows = [row | {"is_provisional": False} for row in trend_rows(12)]
    rows[5] |= {"is_break": True, "break_label": "CONNECT replaced CRIS"}
    assert len(named(drawn("trend", rows).svg, "final")) == 6


def test_a_break_in_a_month_that_the_series_lacks_still_cuts_it() -> None:
    rows = [row | {"is_provisional": False} for row in trend_rows(12, ONE)]
    assert len(named(drawn("trend", marked(rows, 5, is_break=True, value=None)).svg, "final")) == 2
    assert len(named(drawn("trend", marked(rows, 5, is_break=True)).svg, "break")) == 1
    assert len(named(drawn("trend", marked(rows, 0, is_break=True)).svg, "break")) == 0


def test_a_value_that_is_null_leaves_a_hole_and_so_does_a_month_without_a_row() -> None:
    rows = [row | {"is_provisional": False} for row in trend_rows(12, ONE)]
    places = [x for x, _ in points(named(drawn("trend", rows).svg, "final")[0])]
    hole = [(places[0], places[5]), (places[7], places[11])]
    assert spans(drawn("trend", marked(rows, 6, value=None)).svg, "final") == hole
    assert spans(drawn("trend", [row for row in rows if row["period_start_date"] != month(6)]).svg, "final") == hole


def test_quarters_and_years_follow_one_another() -> None:
    for step in (3, 12):
        rows = [
            row | {"period_start_date": month(i * step), "is_provisional": False}
            for i, row in enumerate(trend_rows(8, ONE))
        ]
        assert len(named(drawn("trend", rows).svg, "final")) == 1


def test_provisional_months_are_dashed_with_hollow_points_and_final_ones_are_not() -> None:
    chart = drawn("trend", trend_rows(12, ONE))
    (final,), (provisional,) = named(chart.svg, "final"), named(chart.svg, "provisional")
    assert (len(points(final)), final.get("stroke-dasharray")) == (6, None)
    assert (len(points(provisional)), provisional.get("stroke-dasharray")) == (7, "3 3")
    assert points(final)[-1] == points(provisional)[0]
    hollow = named(chart.svg, "hollow")
    assert [(one.get("cx"), one.get("fill")) for one in hollow] == [
        (f"{x:.1f}".removesuffix(".0"), "#ffffff") for x, _ in points(provisional)[1:]
    ]
    assert "provisional" in [one.words for one in texts(chart.svg)]


def test_limits_are_a_band_where_both_are_there() -> None:
    rows = trend_rows(12, ONE)
    assert len(named(drawn("trend", rows).svg, "band")) == 1
    assert len(named(drawn("trend", marked(rows, 6, lower=None)).svg, "band")) == 2
    assert named(drawn("trend", [row | {"lower": None, "upper": None} for row in rows]).svg, "band") == []


def test_no_line_lies_below_a_band() -> None:
    painted = [
        one.get("class")
        for one in parsed(drawn("trend", trend_rows(12)).svg)
        if one.get("class") in ("band", "final", "provisional")
    ]
    assert painted == ["band", *["final", "provisional"] * 3]


def test_a_trend_begins_at_zero_and_names_its_lines_with_their_newest_values() -> None:
    found = [one.words for one in texts(drawn("trend", trend_rows(12, ("Brent", "London"))).svg)]
    assert {"0", "Brent", "9.1", "London", "8.1"} <= set(found)


def test_months_before_the_first_value_take_no_room() -> None:
    rows = trend_rows(24, ONE)
    empty = [row | {"value": None, "lower": None, "upper": None} for row in rows[:12]]
    assert drawn("trend", [*empty, *rows[12:]]).svg.count("2022") == 0


def test_no_rule_of_a_break_goes_through_a_text() -> None:
    for breaks in ((33, 38), (8, 12, 30), (8, 12, 15, 30)):
        rows = [
            row | {"is_break": i in breaks, "break_label": "recording moved"}
            for i, row in enumerate(trend_rows(40, ONE))
        ]
        chart = drawn("trend", rows)
        for svg in (chart.svg, chart.narrow):
            rules = [tuple(float(one.get(name, "")) for name in ("x1", "y1", "y2")) for one in named(svg, "break")]
            assert len(rules) == len(breaks)
            assert [
                (x, one.words)
                for x, top, end in rules
                for one in texts(svg)
                if one.left < x < one.right and top < one.bottom and one.top < end
            ] == []


def test_labels_of_many_breaks_become_numbers_with_their_text_below() -> None:
    rows = [
        row | {"is_break": 5 < i < 14, "break_label": "a long reason that takes some room"}
        for i, row in enumerate(trend_rows(24, ONE))
    ]
    held = texts(drawn("trend", rows).svg)
    assert [one.words for one in held if one.words in list("12345678") and one.size == 11] == [*"12345678", *"12345678"]
    assert "Jul 2022: a long reason that takes some room" in [one.words for one in held]


def test_a_signal_has_a_shape_a_figure_and_a_meaning_beside_its_colour() -> None:
    chart = drawn("control", control_rows())
    signals = named(chart.svg, "signal")
    assert [one[0].text for one in signals] == [
        "Nov 2022: 260, above the upper limit", "Sep 2023: 120, below the lower limit",
        "Jul 2024: 200, eight or more in a row above the centre", "Aug 2024: 205, eight or more in a row above the centre",
    ]  # fmt: skip
    assert [len(points(one)) for one in signals] == [3, 3, 4, 4]
    tops = [min(y for _, y in points(one)) - sum(y for _, y in points(one)) / len(points(one)) for one in signals[:2]]
    assert tops[0] < tops[1]
    words = [one.words for one in texts(chart.svg)]
    assert {
        "260",
        "120",
        "above the upper limit",
        "below the lower limit",
        "eight or more in a row above the centre",
    } <= set(words)


def test_limits_that_nobody_has_are_not_drawn() -> None:
    rows = [row | {"lower_2": None, "upper_2": None} for row in control_rows()]
    svg = drawn("control", rows).svg
    assert [len(named(svg, column)) for column in ("upper_3", "upper_2", "centre", "lower_2", "lower_3")] == [
        1,
        0,
        1,
        0,
        1,
    ]
    assert "upper warning" not in {one.words for one in texts(svg)}


def test_a_limit_steps_with_its_months_and_stops_where_there_is_none() -> None:
    rows = [
        row | {"centre": 200.0 if i < 10 else 210.0, "upper_3": 250.0 if i < 10 or i > 20 else None}
        for i, row in enumerate(control_rows())
    ]
    svg = drawn("control", rows).svg
    (centre,), (first, second) = named(svg, "centre"), named(svg, "upper_3")
    assert [len(points(one)) for one in (centre, first, second)] == [4, 2, 2]
    assert points(first)[-1][0] == points(centre)[1][0] < points(second)[0][0]


def test_index_lines_have_each_a_style_and_a_hole_where_a_value_is_missing() -> None:
    svg = drawn("index_lines", index_rows()).svg
    drawn_as = [(one.get("stroke"), one.get("stroke-dasharray")) for one in named(svg, "series")]
    assert len(drawn_as) == 4
    assert len(set(drawn_as)) == len({dash for _, dash in drawn_as}) == 3


def test_a_sparkline_is_one_line_and_its_newest_point() -> None:
    chart = drawn("sparkline", line_rows())
    assert [len(points(one)) for one in named(chart.svg, "series")] == [24]
    assert len(named(chart.svg, "newest")) == 1
    assert chart.svg == chart.narrow
    assert len(chart.svg) < 1200


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0, 9.4, 5, [0, 2, 4, 6, 8, 10]),
        (0, 0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (84, 113, 5, [80, 90, 100, 110, 120]),
        (-3, 12, 3, [-5, 0, 5, 10, 15]),
    ],
)
def test_ticks_are_round_and_hold_both_ends(low: float, high: float, about: int, expected: list[float]) -> None:
    assert ticks(low, high, about) == expected


def test_figures_have_three_digits_that_count() -> None:
    assert [figure(value) for value in (0, 0.0567, 4.2, 9.996, 12.34, 103.4, 12345.6, -1.5)] == [
        "0",
        "0.06",
        "4.2",
        "10.0",
        "12.3",
        "103",
        "12,346",
        "−1.5",
    ]
    assert figure(41.25, "%") == "41.2%"


def test_widths_are_those_of_the_font_and_labels_keep_apart() -> None:
    assert width("Brent", 10) == pytest.approx(10 * (667 + 333 + 556 + 556 + 278) / 1000)
    assert wrap("Richmond upon Thames", 80) == ["Richmond", "upon Thames"]
    assert wrap("Llanfairpwllgwyngyll", 60) == ["Llanfairpwl", "lgwyngyll"]
    assert apart([5, 5, 5], [10, 10, 10], 0, 100) == [5, 15, 25]
    assert apart([99, 50], [10, 10], 0, 100) == [95, 50]
