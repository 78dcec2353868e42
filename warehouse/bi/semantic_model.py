"""The narrow views as a BI tool wants them: tables, columns, keys from facts to dimensions, and measures that add up."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import yaml

from ingest.errors import Refusal

DIMENSIONS = {"bi_area": "area_code", "bi_measure": "measure_code", "bi_date": "date"}
FACTS = ("bi_month", "bi_financial_year", "bi_latest_12_months")
COUNTS = ("month_count", "year_count", "count_12_months")  # what each fact counts
# Of each fact, the day that leads to bi_date: one way from each, so that a filter on a date reaches every fact once.
DAYS = {
    "bi_month": "month_start_date",
    "bi_financial_year": "year_start_date",
    "bi_latest_12_months": "period_end_date",
}
# What dashboards read besides: views that are no star of facts and dimensions, or of which not every sum is right.
REPORTS = (
    "bi_rolling_12",
    "bi_month_wide",
    "rpt_borough_measure",
    "rpt_data_quality",
    "rpt_gap",
    "rpt_revision_release",
    "series_break",
)
VIEWS = Path(__file__).with_name("dashboards") / "views.yaml"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column: its type in PostgreSQL, and what it is."""

    name: str
    data_type: str
    description: str


@dataclasses.dataclass(frozen=True)
class Table:
    """A view of schema marts, with its key."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    classification: str = "OFFICIAL"


@dataclasses.dataclass(frozen=True)
class Relationship:
    """Many rows of a fact to one row of a dimension, by one column each."""

    fact: str
    column: str
    dimension: str
    key: str


@dataclasses.dataclass(frozen=True)
class Measure:
    """A figure of a fact that stays right whatever it is grouped by.

    Attributes:
        numerator: the column that is summed.
        denominator: the column whose sum it is divided by, row for row where both are known; None for a sum.
    """

    table: str
    name: str
    description: str
    numerator: str
    denominator: str | None = None


@dataclasses.dataclass(frozen=True)
class SemanticModel:
    """Everything a tool is told.

    Attributes:
        name: what the connection is called; while the data are invented it says so.
        tables: the star of facts and dimensions.
        reports: what dashboards read besides.
    """

    name: str
    tables: tuple[Table, ...]
    relationships: tuple[Relationship, ...]
    measures: tuple[Measure, ...]
    reports: tuple[Table, ...] = ()

    @property
    def explored(self) -> tuple[Table, ...]:
        """Every view there is."""
        return self.tables + self.reports

    @property
    def is_synthetic(self) -> bool:
        """Whether the data are invented, as the name says."""
        return "SYNTHETIC" in self.name


def read(manifest: Path, name: str) -> SemanticModel:
    """The model of what dbt built.

    Args:
        manifest: dbt's manifest.json of the newest whole build.
        name: of the connection.

    Raises:
        Refusal: nothing was built yet.
    """
    if not manifest.exists():
        raise Refusal(
            "NOTHING_LOADED",
            f"{manifest}: no build has described the marts yet",
            next_step="`make nightly`, or `vru build`",
        )
    nodes: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    tables = {one: _table(nodes[f"model.vru.{one}"]) for one in (*DIMENSIONS, *FACTS)}
    relationships = tuple(
        Relationship(fact, DAYS[fact] if dimension == "bi_date" else key, dimension, key)
        for fact in FACTS
        for dimension, key in DIMENSIONS.items()
    )
    reports = tuple(_table(nodes[f"model.vru.{one}"]) for one in REPORTS)
    return SemanticModel(
        name, tuple(tables.values()), relationships, tuple(_measures(tables)), reports + tuple(_views())
    )


def _table(node: dict[str, Any]) -> Table:
    (key,) = (one["columns"] for one in node["constraints"] if one["type"] == "primary_key")
    columns = (Column(one["name"], one["data_type"], one["description"].strip()) for one in node["columns"].values())
    classification = node["config"]["meta"]["classification"]
    return Table(node["name"], node["description"].strip(), tuple(key), tuple(columns), classification)


def _views() -> list[Table]:
    """The views that set-up makes and dbt does not know."""
    given: dict[str, Any] = yaml.safe_load(VIEWS.read_text(encoding="utf-8"))
    return [
        Table(
            name,
            one["description"],
            tuple(one["key"]),
            tuple(Column(column, *described) for column, described in one["columns"].items()),
        )
        for name, one in given.items()
    ]


def _measures(tables: dict[str, Table]) -> list[Measure]:
    found = []
    for fact in FACTS:
        (count,) = (one.name for one in tables[fact].columns if one.name in COUNTS)
        found.append(Measure(fact, "Count", "Of one measure: boroughs and periods add up.", count))
        found.append(
            Measure(
                fact,
                "Rate per 1,000",
                "Sum of counts by sum of residents, times 1,000, where both are known; of several months a monthly rate. Never a mean of rates.",
                count,
                "residents",
            )
        )
    return found
