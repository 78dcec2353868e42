"""Who: victims beside residents, and how far groups differ from their share of residents."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Topic
from warehouse.site.topics import findings

WHO_COLUMNS = (
    Column("group", "Group"),
    Column("person_count", "People", "count"),
    Column("share_percent", "Share of all", "percent"),
    Column("share_of_known_percent", "Share of those known", "percent"),
    Column("residents_share_percent", "Share of residents", "percent"),
    Column("disproportionality", "Ratio of shares", "number"),
    Column("disproportionality_lower_95", "Lower 95% limit", "number"),
    Column("disproportionality_upper_95", "Upper 95% limit", "number"),
    Column("rate_per_100000", "Per 100,000 a year", "rate"),
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
    return row["sex"] != "all" and row["age_band"] not in WIDE_BANDS and row["ethnicity"] == "all"


def _by_age(row: Row) -> bool:
    return row["sex"] == "all" and row["age_band"] not in WIDE_BANDS and row["ethnicity"] == "all"


def _totals(row: Row) -> bool:
    return row["ethnicity"] == "all" and (row["age_band"] == "all" or row["age_band"] in WIDE_BANDS)


def pyramid(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Of each age that the mart has, of whichever sex, both sides: one without a row has nobody, and no share."""
    held = {(row["age_band"], row["sex"]): row for row in rows}
    bands = dict.fromkeys(row["age_band"] for row in rows if row["age_band"] != "unknown")
    nobody = {"share_of_known_percent": None, "residents_share_percent": None}
    return [
        {"age_band": band, "sex": sex, "share": row["share_of_known_percent"], "residents_share": row["residents_share_percent"]}
        for band in bands
        for sex in ("female", "male")
        for row in [held.get((band, sex), nobody)]
    ]  # fmt: skip


def _dots(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "label": row["group"], "value": row["disproportionality"], "lower": row["disproportionality_lower_95"],
            "upper": row["disproportionality_upper_95"], "benchmark": 1.0,
        }
        for row in rows
        if row["disproportionality"] is not None
    ]  # fmt: skip


def _of(what: str, known: str = "") -> Any:
    """Says how many people a figure is of, and how many of them are of known age or group: of these the ratios are."""

    def subtitle(rows: Rows, area: Area) -> str:
        people = next((row["whole_count"] for row in rows if row["whole_count"] is not None), None)
        of_known = next((row["known_count"] for row in rows if row["known_count"] is not None), None)
        counted = f": {findings.counted(people, 'person', 'people')}" if people is not None else ""
        told = f", {formats.count(of_known)} of known {known}" if known and counted and of_known is not None else ""
        return f"{what}, {findings.period(rows[0])}{counted}{told}"

    return subtitle


def apart(what: str) -> Any:
    """Says which groups' intervals lie above 1, as the mart's limits have it."""

    def title(rows: Rows, area: Area) -> str:
        tested = [row for row in rows if row["disproportionality_lower_95"] is not None]
        high = [row["group"] for row in tested if row["disproportionality_lower_95"] > 1]
        if not tested:
            return f"{what}: too few to compare"
        if not high:
            return f"{what}: none clearly above its share"
        return f"{what}: {findings.listed(high)} above their share"

    return title


RATIO_NOTE = "The ratio is the share of those known over the share of residents; 1 is the same share."
SEARCH_NOTE = f"{RATIO_NOTE} A search shows where and whom the police searched, not who does harm."


WHO = Topic(
    7,
    "who",
    "Who",
    "Who is harmed, and how does that compare with who lives here?",
    (
        Figure(
            "homicide-age", "victims", apart("Homicide victims by age"), _of("Homicide victims by age band, ratio of their share to that of residents", "age"),
            WHO_COLUMNS, "dots", name="Homicide victims by age", only={"measure_code": "mps_homicide_victims"}, keep=_by_age, shaped=_dots, report="rpt_victim_profile",
            note=f"{RATIO_NOTE} An interval that leaves 1 out is more than chance.",
        ),
        Figure(
            "homicide-ethnicity", "victims", apart("Homicide victims by ethnicity"),
            _of("Homicide victims by ethnic group as officers saw it, ratio of their share to that of residents", "ethnic group"), WHO_COLUMNS, "dots",
            name="Homicide victims by ethnicity", only={"measure_code": "mps_homicide_victims", "ethnicity_basis": "officer_observed"}, shaped=_dots, report="rpt_victim_profile",
            note=RATIO_NOTE,
        ),
        Figure(
            "dispatches-pyramid", "victims", "Ambulance dispatches to violence: patients by sex and age",
            _of("Patients of ambulance dispatches to violence: share of those known, and of residents", "sex and age"), WHO_COLUMNS, "pyramid",
            only={"measure_code": "safestats_las_violence_dispatches"}, keep=_ages, shaped=pyramid, report="rpt_victim_profile",
            note="A side marked – has nobody known to be of that sex and age. An age that nobody is known to be of is left out. Patients of unknown sex or age stand in the table alone.",
        ),
        Figure(
            "dispatches", "victims", "Ambulance dispatches to violence: all patients",
            _of("Patients of ambulance dispatches to violence"), WHO_COLUMNS, only={"measure_code": "safestats_las_violence_dispatches"},
            keep=_totals, report="rpt_victim_profile",
        ),
        *(
            Figure(
                key, "victims", apart(f"People searched (ethnicity {short})"),
                _of(f"People stopped and searched by the ethnic group {said}, ratio of their share to that of residents", "ethnic group"),
                WHO_COLUMNS, "dots", name=f"People searched, by the ethnic group {said}", only={"measure_code": "police_uk_people_searched", "ethnicity_basis": basis}, shaped=_dots,
                report="rpt_victim_profile", note=SEARCH_NOTE,
            )
            for key, basis, said, short in (
                ("searched", "self_defined", "they gave", "given"), ("searched-officer-observed", "officer_observed", "officers saw", "seen"),
            )
        ),
    ),
    chapters=("Who",),
    questions=(22, 21, 30),
)  # fmt: skip
