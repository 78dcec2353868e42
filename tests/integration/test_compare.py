"""Two releases compared: which figures differ, by how much, and why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.candidates import Rows, judged
from tests.refused import refused_with
from warehouse.platform.settings import Settings
from warehouse.publish import publish
from warehouse.reports import comparing

AREAS = """create table candidate.dim_area (area_code text primary key, area_name text);
comment on table candidate.dim_area is 'Grain: one row an area.'"""
MEASURES = """create table candidate.dim_measure (measure_code text primary key, measure_name text);
comment on table candidate.dim_measure is 'Grain: one row a measure.'"""
BREAKS = """create table candidate.series_break (series_break_id text primary key, measure_code text, area_code text, break_month date);
comment on table candidate.series_break is 'Grain: one row a break.'"""
FACTS = """create table candidate.fct_measure (
    area_code text, period_kind text, period_start_date date, period_end_date date, measure_code text, sex text, age_band text, ethnicity text,
    value numeric, source_release text, primary key (area_code, period_start_date, measure_code)
);
comment on table candidate.fct_measure is 'Grain: one row a figure.'"""


def figure(area: str, month: int, value: int | None, edition: str, measure: str = "m") -> tuple[Any, ...]:
    return (area, "month", f"2026-{month:02}-01", f"2026-{month:02}-28", measure, "all", "all", "all", value, edition)


def released(settings: Settings, *figures: tuple[Any, ...], breaks: Rows | None = None) -> int:
    tables = [
        ("dim_area", AREAS, [("A", "Area A"), ("B", "Area B")]),
        ("dim_measure", MEASURES, [("m", "Measure M"), ("n", "Measure N")]),
        ("series_break", BREAKS, breaks or []),
        ("fct_measure", FACTS, list(figures)),
    ]
    return publish(settings, judged(settings, tables)).release_id  # type: ignore[arg-type] # not pinned: a publication


def test_every_figure_that_differs_is_given_with_why(warehouse: Settings) -> None:
    first = released(
        warehouse, figure("A", 1, 10, "e1"), figure("A", 2, 20, "e1"), figure("A", 3, 30, "e1"), figure("B", 1, 5, "e1"),
        figure("B", 2, 6, "e1"), figure("B", 3, 7, "e1"),
    )  # fmt: skip
    second = released(
        warehouse, figure("A", 1, 12, "e2"), figure("A", 2, 21, "e1"), figure("A", 3, 33, "e2"), figure("A", 4, 40, "e2"), figure("B", 1, 5, "e2"),
        figure("B", 2, None, "e1"), figure("A", 1, 1, "e2", "n"), breaks=[("b", "m", "A", "2026-03-01")],
    )  # fmt: skip

    def told(before: int, after: int, **only: str) -> list[tuple[Any, ...]]:
        rows = comparing.compare(warehouse, before, after, **only)
        return [
            (row["measure_code"], row["area_name"], row["period_start_date"].month, row["value_before"], row["value_after"], row["difference_percent"], row["why"])
            for row in rows
        ]  # fmt: skip

    assert told(first, second) == [
        ("m", "Area A", 3, 30, 33, 10, "break found"),
        ("m", "Area A", 1, 10, 12, 20, "revised by the publisher"),
        ("m", "Area A", 2, 20, 21, 5, "corrected by us"),
        ("m", "Area B", 2, 6, None, None, "corrected by us"),
        ("m", "Area B", 3, 7, None, None, "no longer given"),
        ("n", "Area A", 1, None, 1, None, "new"),
        ("m", "Area A", 4, None, 40, None, "newer period"),
    ]
    assert told(first, second, area="area b") == told(first, second)[3:5]
    assert told(first, second, measure="n") == told(first, second)[5:6]
    assert comparing.reasons(comparing.compare(warehouse, first, second))[2] == {
        "why": "corrected by us", "figures": 2, "measures": 1, "areas": 2,
    }  # fmt: skip
    # The other way round, and over a release between that went there and back.
    assert told(second, first)[-1] == ("m", "Area B", 3, None, 7, None, "new")
    third = released(
        warehouse, figure("A", 1, 10, "e1"), figure("A", 2, 20, "e1"), figure("A", 3, 30, "e1"), figure("B", 1, 5, "e1"),
        figure("B", 2, 6, "e1"), figure("B", 3, 7, "e1"),
    )  # fmt: skip
    assert told(first, third) == []


@pytest.mark.parametrize(
    ("before", "after", "only", "code"),
    [
        (1, 99, {}, "RELEASE_UNKNOWN"),
        (1, 1, {}, "OPTION_INVALID"),
        (1, 2, {"area": "Atlantis"}, "AREA_UNKNOWN"),
        (1, 2, {"measure": "mps_piracy"}, "FIGURE_UNKNOWN"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    warehouse: Settings, before: int, after: int, only: dict[str, str], code: str
) -> None:
    numbers = {
        1: released(warehouse, figure("A", 1, 10, "e1")),
        2: released(warehouse, figure("A", 1, 12, "e2")),
        99: 99,
    }
    with refused_with(code):
        comparing.compare(warehouse, numbers[before], numbers[after], **only)
