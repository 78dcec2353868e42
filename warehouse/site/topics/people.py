"""Who: victims beside residents, and how far groups differ from their share of residents."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Topic
from warehouse.site.topics import findings

WHO_COLUMNS = (
    Column("group", "Group"),
    Column("person_count", "People", "count"),
    Column("share_percent", "Share", "percent"),
    Column("residents_share_percent", "Share of residents", "percent"),
    Column("disproportionality", "Ratio of shares", "number"),
    Column("disproportionality_lower_95", "Lower 95% limit", "number"),
    Column("disproportionality_upper_95", "Upper 95% limit", "number"),
    Column("rate_per_100000", "Per 100,000", "rate"),
    Column("is_below_5", "Below 5 people", "flag"),
    Column("withheld_reason", "Why a figure is missing", "long"),
)
WIDE_BANDS = frozenset({"all", "0-24", "25+", "under_25"})


def group(row: Row) -> dict[str, Any]:
    """The row with what it is of in one column: ethnic group, or sex and ages."""
    if row["ethnicity"] != "all":
        name = row["ethnicity"].replace("_", " ").capitalize()
    else:
        parts = ["" if row["sex"] == "all" else row["sex"], "" if row["age_band"] == "all" else row["age_band"]]
        name = " ".join(part for part in parts if part).capitalize() or "Everybody"
    return {**row, "group": name}


def _ages(row: Row) -> bool:
    return row["sex"] in ("male", "female") and row["age_band"] not in WIDE_BANDS and row["ethnicity"] == "all"


def _by_age(row: Row) -> bool:
    return row["sex"] == "all" and row["age_band"] not in WIDE_BANDS and row["ethnicity"] == "all"


def _totals(row: Row) -> bool:
    return row["ethnicity"] == "all" and (row["age_band"] == "all" or row["age_band"] in WIDE_BANDS)


def _pyramid(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "age_band": row["age_band"],
            "sex": row["sex"],
            "share": row["share_percent"],
            "residents_share": row["residents_share_percent"],
        }
        for row in rows
        if row["age_band"] != "unknown"
    ]


def _dots(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "label": row["group"], "value": row["disproportionality"], "lower": row["disproportionality_lower_95"],
            "upper": row["disproportionality_upper_95"], "benchmark": 1.0,
        }
        for row in rows
        if row["disproportionality"] is not None
    ]  # fmt: skip


def _of(what: str) -> Any:
    def subtitle(rows: Rows, area: Area) -> str:
        people = next((row["whole_count"] for row in rows if row["whole_count"] is not None), None)
        counted = f": {formats.count(people)} people, unknown kept" if people is not None else ""
        return f"{what}, {findings.period(rows[0])}{counted}"

    return subtitle


def _apart(what: str) -> Any:
    """Says which groups' intervals leave 1 out, as the mart's limits have it."""

    def title(rows: Rows, area: Area) -> str:
        high = [
            row["group"]
            for row in rows
            if row["disproportionality_lower_95"] is not None and row["disproportionality_lower_95"] > 1
        ]
        if not high:
            return f"{what}: no group is clearly above its share of residents"
        return f"{what}: {', '.join(high[:3])} above their share of residents"

    return title


WHO = Topic(
    7,
    "who",
    "Who",
    "Who is harmed, and how does that compare with who lives here?",
    (
        Figure(
            "homicide-age", "victims", _apart("Homicide victims by age"), _of("Homicide victims by age band, ratio of their share to that of residents"),
            WHO_COLUMNS, "dots", only={"measure_code": "mps_homicide_victims"}, keep=_by_age, shaped=_dots, report="rpt_victim_profile",
            note="1 is the same share as among residents. An interval that leaves 1 out is more than chance.",
        ),
        Figure(
            "homicide-ethnicity", "victims", _apart("Homicide victims by ethnic group"),
            _of("Homicide victims by ethnic group as officers saw it, ratio of their share to that of residents"), WHO_COLUMNS, "dots",
            only={"measure_code": "mps_homicide_victims", "ethnicity_basis": "officer_observed"}, shaped=_dots, report="rpt_victim_profile",
        ),
        Figure(
            "dispatches-pyramid", "victims", "Ages and sexes of those the ambulance service was sent to",
            _of("Patients of ambulance dispatches to violence by sex and age, and residents"), WHO_COLUMNS, "pyramid",
            only={"measure_code": "safestats_las_violence_dispatches"}, keep=_ages, shaped=_pyramid, report="rpt_victim_profile",
        ),
        Figure(
            "dispatches", "victims", "Those the ambulance service was sent to, in all",
            _of("Patients of ambulance dispatches to violence"), WHO_COLUMNS, only={"measure_code": "safestats_las_violence_dispatches"},
            keep=_totals, report="rpt_victim_profile",
        ),
        Figure(
            "searched", "victims", _apart("People searched"), _of("People stopped and searched by the ethnic group they gave, ratio of their share to that of residents"),
            WHO_COLUMNS, "dots", only={"measure_code": "police_uk_people_searched", "ethnicity_basis": "self_defined"}, shaped=_dots,
            report="rpt_victim_profile", note="A search shows where and whom the police searched, not who does harm.",
        ),
    ),
    chapters=("Who",),
    questions=(22, 21, 30),
)  # fmt: skip
