"""The metrics that Superset is given: each is right whatever it is grouped by, or says nothing.

A count is summed within one measure, since measures lie within one another. A rate, its limits, a rank or a share stands for one row and is shown
for one row alone (`case when count(*) = 1 then max(rate) end`). What each borough's row repeats of London is shown where one window is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from warehouse.bi.semantic_model import COUNTS, Table

# Of one row, by the format they are shown in (d3).
OF_ONE_ROW = {
    "rate": ",.2f",
    "rate_lower_95": ",.2f",
    "rate_upper_95": ",.2f",
    "similar_areas_rate": ",.2f",
    "share_of_london_percent": ",.1f",
    "rank_in_london": ",d",
}
LONDON = {"london_rate": ",.2f"}
AREA = {"area_code", "area_name"}
ROWS = {"data_status", "rpt_gap", "series_break"}  # of which a dashboard counts rows


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of a dataset.

    Attributes:
        name: what charts call it.
        label: what readers see.
        expression: SQL that gives one value for any group of rows; null where there is no right one.
        form: how it is shown, in d3's words.
    """

    name: str
    label: str
    expression: str
    form: str
    description: str


def metrics(table: Table) -> list[Metric]:
    """The metrics of a view, by the columns and the key it has."""
    return [*_counts(table), *_of_one_row(table), *_of_london(table), *_of_quality(table)]


def _counts(table: Table) -> Iterator[Metric]:
    has = {one.name for one in table.columns}
    count = next((one for one in COUNTS if one in has), None)
    one_measure = "count(distinct measure_code) = 1"
    if count:
        yield Metric(
            "count",
            "Count",
            f"case when {one_measure} then sum({count}) end",
            ",d",
            "Of one measure: boroughs and periods add up.",
        )
        known = f"filter (where {count} is not null and residents is not null)"
        yield Metric(
            "rate_per_1000",
            "Rate per 1,000",
            f"case when {one_measure} then 1000.0 * sum({count}) {known} / nullif(sum(residents) {known}, 0) end",
            ",.2f",
            "Sum of counts by sum of residents, times 1,000, where both are known; of several months a monthly rate. Never a mean of rates.",
        )
        yield Metric(
            "change_percent",
            "Change, %",
            f"case when {one_measure} and bool_and(coalesce(is_comparable_on_year_before, false)) "
            f"then 100.0 * (sum({count}) - sum(count_year_before)) / nullif(sum(count_year_before), 0) end",
            "+,.1f",
            "Of the sum on the sum a year before; empty where a borough has none, or a break of recording lies between.",
        )
    if "rolling_12_count" in has:
        yield Metric(
            "count",
            "Count of 12 months",
            f"case when {_same(table)} then sum(rolling_12_count) end",
            ",d",
            "Of one measure and the twelve months that end with one month: boroughs add up, months overlap.",
        )
    if "period_end_date" in has:
        yield Metric("ends", "To", "max(period_end_date)", "", "The last day that is counted.")


def _of_one_row(table: Table) -> Iterator[Metric]:
    for column in table.columns:
        if column.name in OF_ONE_ROW:
            yield Metric(
                column.name,
                label(column.name),
                f"case when count(*) = 1 then max({column.name}) end",
                OF_ONE_ROW[column.name],
                f"{column.description} Of one row; empty for several, which have no sum or mean.",
            )


def _of_london(table: Table) -> Iterator[Metric]:
    for column in table.columns:
        if column.name in LONDON:
            yield Metric(
                column.name,
                label(column.name),
                f"case when {_same(table)} then max({column.name}) end",
                LONDON[column.name],
                f"{column.description} Of one measure and window; empty for several.",
            )
        elif column.name == "rate_per":
            yield Metric(
                "rate_base",
                label("rate_per"),
                "case when count(distinct rate_per) = 1 then max(rate_per) end",
                ",d",
                "How many residents the rate is per.",
            )


def _of_quality(table: Table) -> Iterator[Metric]:
    if table.name in ROWS:
        yield Metric("rows", "Rows", "count(*)", ",d", "How many there are.")
    if table.name == "data_status":
        yield Metric("fresh", "Fresh", "count(*) filter (where state = 'fresh')", ",d", "Datasets as new as promised.")
    if table.name == "series_break":
        yield Metric("measures", "Measures", "count(distinct measure_code)", ",d", "How many measures have one.")
        yield Metric("newest_break", "Newest", "max(break_month)", "", "The month of the newest.")
    if table.name == "rpt_data_quality":
        yield Metric(
            "share_percent",
            "Share, %",
            "case when count(distinct quality_code) = 1 then 100.0 * sum(numerator) / nullif(sum(denominator), 0) end",
            ",.1f",
            "Sum of the rows that are so by the sum of those looked at, of one check.",
        )


def _same(table: Table) -> str:
    """SQL that is true where all rows are of one measure and window: of one value of the key, less the area."""
    key = ", ".join(one for one in table.key if one not in AREA)
    return f"count(distinct ({key})) = 1" if "," in key else f"count(distinct {key}) = 1"


LABELS = {
    "area_name": "Borough",
    "measure_name": "Measure",
    "count_12_months": "Count",
    "rate_per": "Per",
    "rate_lower_95": "Lower 95 %",
    "rate_upper_95": "Upper 95 %",
    "london_rate": "London's rate",
    "similar_areas_rate": "Similar boroughs' rate",
    "share_of_london_percent": "Share of London, %",
    "count_year_before": "Year before",
    "change_on_year_before_percent": "Change, %",
    "is_comparable_on_year_before": "Comparable",
    "rank_in_london": "Rank",
    "period_end_date": "To",
    "newest_period_start_date": "Newest month",
    "checked_at": "Asked",
}


def label(name: str) -> str:
    """A column's name as a table's heading has it."""
    words = name.replace("_", " ").strip()
    return LABELS.get(name, words[:1].upper() + words[1:])
