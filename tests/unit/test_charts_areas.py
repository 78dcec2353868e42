"""Bars, dots, cells and maps: what begins at zero, what stands out, what is outlined, and what is said where there is no figure."""

from __future__ import annotations

import pytest

from tests.chart_rows import (
    curve_rows,
    dots_rows,
    drawn,
    funnel_rows,
    grid_rows,
    map_rows,
    pyramid_rows,
    quintile_rows,
    ranked_rows,
    rug_rows,
    shares_rows,
    spine_rows,
    week_rows,
)
from tests.drawn_charts import named, points, size, texts
from warehouse.site.charts import style
from warehouse.site.geography.boroughs import CITY, TILES, outlines


def words(svg: str) -> list[str]:
    return [one.words for one in texts(svg)]


def test_bars_begin_at_zero_and_are_as_long_as_their_values() -> None:
    rows = [row for row in ranked_rows() if row["value"] is not None]
    svg = drawn("ranked", rows).svg
    bars = named(svg, "bar")
    assert len(bars) == 31
    (zero,) = [one for one in texts(svg) if one.words == "0"]
    assert [float(one.get("x", "")) for one in bars] == [pytest.approx((zero.left + zero.right) / 2, abs=0.1)] * 31
    held = sorted((float(row["value"]) for row in rows if not row["area_name"].startswith("London")), reverse=True)
    unit = float(bars[0].get("width", "")) / held[0]
    assert [float(one.get("width", "")) for one in bars] == pytest.approx([value * unit for value in held], abs=0.11)


def test_an_axis_of_bars_begins_at_zero_however_high_the_values_are() -> None:
    shares = [
        {"label": label, "share": share, "lower": share - 1, "upper": share + 1}
        for label, share in (("one", 88), ("other", 91))
    ]
    assert "0%" in words(drawn("shares", shares, unit="%").svg)
    assert "0" in words(
        drawn("quintiles", [{"quintile": i, "value": 90 + i, "lower": 89, "upper": 97} for i in range(1, 6)]).svg
    )


def test_this_borough_stands_out_and_london_is_a_line() -> None:
    chart = drawn("ranked", ranked_rows())
    dark = [one for one in named(chart.svg, "bar") if one.get("fill") == style.NAVY]
    (line,) = named(chart.svg, "benchmark")
    assert len(dark) == 1
    assert "London (32 boroughs) 5.2" in words(chart.svg)
    assert float(dark[0].get("x", "")) < float(line.get("x1", "")) == float(line.get("x2", ""))
    assert len(named(chart.svg, "interval")) == 31
    assert chart.description.endswith(
        "Brent: 3.17 (2.93 to 3.51). London (32 boroughs): 5.2. Highest: Bromley, 10.6 (9.89 to 11.4). Lowest: Enfield, 1 (0.9 to 1.2)."
    )


def test_a_borough_without_a_figure_says_why_and_a_note_is_written_once() -> None:
    held = words(drawn("ranked", ranked_rows()).svg)
    assert held.count("withheld: a month of the window has no count") == 1
    assert held.count("Far more people are here by day than live here") == 1
    assert held.count("a") == 3  # at both values, and before the note


def test_upright_bars_begin_at_zero_too() -> None:
    rows = [row for row in quintile_rows() if row["value"] is not None]
    bars = named(drawn("quintiles", rows).svg, "bar")
    feet = {round(float(one.get("y", "")) + float(one.get("height", "")), 1) for one in bars}
    assert len(bars) == 4
    assert max(feet) - min(feet) <= 0.11
    heights = [float(one.get("height", "")) for one in bars]
    assert heights[0] / heights[-1] == pytest.approx(8.5 / 4.5, rel=0.01)
    assert {"most deprived", "least deprived", "no figure"} <= set(words(drawn("quintiles", quintile_rows()).svg)) | {
        "no figure"
    }


def test_shares_and_dots_say_where_there_is_no_figure() -> None:
    shares = drawn("shares", shares_rows(), unit="").svg
    assert words(shares).count("no figure") == 1
    assert {"41.2%", "95% limits"} <= set(words(shares))
    assert {one.get("fill") for one in named(shares, "bar")} == {style.NAVY}
    assert "bold" not in shares
    assert words(drawn("dots", dots_rows()).svg).count("no figure") == 1
    assert drawn("shares", shares_rows(), unit="%").description.endswith(
        "Charged: 12.4%; Not in the public interest: 1.1%; Withheld: no figure."
    )


def test_one_benchmark_is_a_line_through_all_and_several_are_a_tick_each() -> None:
    assert len(named(drawn("dots", dots_rows()).svg, "benchmark")) == 1
    assert (
        len(named(drawn("dots", [row | {"benchmark": i} for i, row in enumerate(dots_rows())]).svg, "benchmark")) == 5
    )


def test_a_funnel_names_what_is_outside_and_this_borough() -> None:
    chart = drawn("funnel", funnel_rows())
    assert [len(named(chart.svg, column)) for column in ("upper_3", "upper_2", "centre", "lower_2", "lower_3")] == [
        1,
        1,
        1,
        1,
        1,
    ]
    assert (len(named(chart.svg, "area")), len(named(chart.svg, "this"))) == (31, 1)
    for svg in (chart.svg, chart.narrow):
        assert {"Kensington and Chelsea", "Westminster"} <= set(words(svg))
    assert "Outside the 99.8% limits: Westminster (above)" in chart.description


def test_a_cumulative_curve_begins_at_nothing_and_passes_its_rows() -> None:
    (curve,), (even,) = (
        named(drawn("cumulative", curve_rows()).svg, "series"),
        named(drawn("cumulative", curve_rows()).svg, "even"),
    )
    assert len(points(curve)) == 21
    assert points(curve)[0] == points(even)[0]
    assert points(curve)[-1] == points(even)[-1]
    assert drawn("cumulative", curve_rows()).description.endswith("6 of 20 places have 51% of the count.")


def test_a_rug_repeats_each_colour_by_a_mark_and_keeps_a_pair_without_a_row_empty() -> None:
    rows = rug_rows()
    assert len(named(drawn("rug", rows[1:]).svg, "cell")) == 34
    assert {
        "higher, beyond the 99.8% limits", "higher, beyond the 95% limits", "no significant difference", "lower, beyond the 95% limits",
        "lower, beyond the 99.8% limits",
    } <= set(words(drawn("rug", rows).svg))  # fmt: skip
    with pytest.raises(ValueError, match=r"there are two of Violence with injury and 2018/19$"):
        drawn("rug", [*rows, rows[0]])


def test_a_spine_has_its_benchmarks_below_one_another_whatever_the_scale() -> None:
    svg = drawn("spine", spine_rows()).svg
    assert len({one.get("x1") for one in named(svg, "benchmark")}) == 1
    assert (len(named(svg, "low")), len(named(svg, "q1")), len(named(svg, "here"))) == (
        5,
        5,
        4 + 5,
    )  # a mark each, and one each in the key
    lows = {(one.get("x"), one.get("width")) for one in named(svg, "low")}
    assert len(lows) == 1


def test_tiles_are_33_squares_and_the_city_is_outlined_as_not_one_of_the_32() -> None:
    svg = drawn("tiles", map_rows()).svg
    areas, cities = named(svg, "area"), named(svg, "city")
    assert (len(areas), len(cities), len(TILES)) == (33, 1, 33)
    assert len({(one.get("x"), one.get("y")) for one in areas}) == 33
    assert (cities[0].get("fill"), cities[0][0].text) == ("#ffffff", "City of London: not in the 32")
    assert "City of London: not in the 32" in words(svg)
    assert len(named(svg, "this")) == 1


def test_a_map_has_33_shapes_of_which_none_takes_a_fifth_of_the_frame() -> None:
    for svg in (drawn("choropleth", map_rows()).svg, drawn("choropleth", map_rows()).narrow):
        areas = named(svg, "area")
        assert len(areas) == 33
        across, down = size(svg)
        boxes = [[max(axis) - min(axis) for axis in zip(*points(one), strict=True)] for one in areas]
        assert max(wide * high for wide, high in boxes) < across * down / 5
        assert "OS data © Crown copyright" in " ".join(words(svg))


def test_the_outlines_are_those_of_the_33_and_keep_their_proportions() -> None:
    assert set(outlines()) == {tile.code for tile in TILES}
    svg = drawn("choropleth", map_rows()).svg
    xs, ys = zip(*(point for one in named(svg, "area") for point in points(one)), strict=True)
    # London is 58 km from west to east and 45 km from south to north.
    assert (max(xs) - min(xs)) / (max(ys) - min(ys)) == pytest.approx(58.3 / 45.0, rel=0.03)


def test_a_borough_without_a_figure_is_white_and_the_key_says_so() -> None:
    for kind in ("tiles", "choropleth"):
        rows = [row for row in map_rows() if row["area_name"] != "Camden"]
        chart = drawn(kind, rows)
        white = [one[0].text for one in named(chart.svg, "area") if one.get("fill") == "#ffffff"]
        assert len(white) == 3  # Camden without a row, one without a value, and the City
        assert "no figure" in words(chart.svg)
        assert "No figure: Brent, Camden. City of London: not in the 32." in chart.description


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"area_code": "E92000001"}, "shows London's boroughs, and 'E92000001' is none$"),
        ({"area_code": "E09000015"}, "has one row an area, and there are two of E09000015$"),
    ],
)
def test_a_map_refuses_another_area_and_two_rows_of_one(changed: dict[str, str], sentence: str) -> None:
    rows = map_rows()
    for kind in ("tiles", "choropleth"):
        with pytest.raises(ValueError, match=sentence):
            drawn(kind, [rows[0] | changed, *rows[1:]])


def test_the_city_of_a_row_changes_nothing() -> None:
    city = {
        "area_code": CITY,
        "area_name": "City of London",
        "value": 99,
        "class_label": "Highest fifth",
        "is_this": False,
    }
    for kind in ("tiles", "choropleth"):
        first, second = drawn(kind, map_rows()), drawn(kind, [*map_rows(), city])
        assert first.description == second.description
        assert [one.attrib for one in named(first.svg, "area")] == [one.attrib for one in named(second.svg, "area")]


def test_classes_go_from_light_to_dark_and_eight_are_too_many() -> None:
    svg = drawn("tiles", map_rows()).svg
    fills = [style.luminance(one.get("fill", "")) for one in named(svg, "area") if one.get("fill") != "#ffffff"]
    first = [style.luminance(style.SEQUENCE[5][i]) for i in range(5)]
    assert sorted(set(fills), reverse=True) == first
    assert [one.get("fill") for one in named(svg, "area") if one[0].text in ("Enfield: 1", "Bromley: 13.4")] == [
        "#eef4fa",
        "#0f3558",
    ]
    with pytest.raises(ValueError, match=r"has colours for 7 classes, and there are 8$"):
        drawn("tiles", map_rows([f"class {i}" for i in range(8)]))


def test_classes_that_compare_have_marks_beside_colours_of_two_hues() -> None:
    svg = drawn("tiles", map_rows(("Below London", "In line with London", "Above London"))).svg
    held = words(svg)
    assert {"Below London", "In line with London", "Above London"} <= set(held)
    assert len({one.get("fill") for one in named(svg, "area")}) == 4
    other = drawn("tiles", map_rows(("few", "no clear change", "many"))).svg
    assert {one.get("fill") for one in named(other, "area")} == {"#ffffff", *style.SEQUENCE[3]}


def test_a_week_has_a_cell_for_each_hour_and_one_without_a_figure_is_empty() -> None:
    for svg in (drawn("heatmap", week_rows()).svg, drawn("heatmap", week_rows()).narrow):
        assert (len(named(svg, "cell")), len(named(svg, "empty"))) == (168, 1)
    assert words(drawn("heatmap", week_rows()).svg)[:24] == [f"{hour:02d}" for hour in range(24)]
    stretches = [{"weekday": "Friday", "hour": "20-23", "value": 4, "class": None}]
    assert words(drawn("heatmap", stretches).svg)[:6] == ["00-03", "04-07", "08-11", "12-15", "16-19", "20-23"]
    with pytest.raises(ValueError, match=r"^weekday is no day of the week: 'Caturday'$"):
        drawn("heatmap", [{"weekday": "Caturday", "hour": 1, "value": 1, "class": "few"}])


def test_a_pyramid_keeps_who_is_not_known() -> None:
    chart = drawn("pyramid", pyramid_rows(), unit="%")
    held = words(chart.svg)
    assert [word for word in held if word in ("female", "male")] == ["female", "male"]
    assert "Apart: unknown all: 3.2%" in held
    assert held.index("65+") < held.index("0-12") < held.index("unknown")
    assert (len(named(chart.svg, "bar")), len(named(chart.svg, "residents"))) == (18, 16)
    alone = [row | {"sex": "all"} for row in pyramid_rows() if row["sex"] == "male"]
    assert len(named(drawn("pyramid", alone, unit="%").svg, "bar")) == 9


def test_a_grid_marks_each_state_by_a_shape_of_its_own() -> None:
    chart = drawn("grid", grid_rows())
    shapes = {(one.tag, one.get("fill"), len(points(one))) for one in named(chart.svg, "state")}
    assert len(shapes) == 6
    assert len(named(chart.svg, "state")) == sum(row["state"] is not None for row in grid_rows()) + 6
    assert {"delivered", "missing", "late", "held back", "provisional", "something else"} <= set(words(chart.svg))
    assert "missing: Police recorded crime Mar 2024" in chart.description
