"""Health beside police, and what came of what was recorded."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import Area, Column, Figure, Row, Rows, Topic
from warehouse.site.topics import findings

PAIRS = {
    "safestats_las_assaults": "Ambulance assaults per violent offence with injury",
    "safestats_las_knife_injuries": "Ambulance knife injuries per knife crime with injury",
}
STANDS = {"higher": "above London's", "lower": "below London's", "similar": "like London's"}
AMBULANCE = {
    "safestats_las_assaults": "Assaults attended by ambulance",
    "safestats_las_knife_injuries": "Knife injuries attended by ambulance",
}
OUTCOMES_OF = {
    "police_uk_metropolitan_violence_and_sexual_offences": "Violence and sexual offences",
    "police_uk_metropolitan_robbery": "Robbery",
    "police_uk_metropolitan_all_crime": "All crime",
}


def _pair(name: str) -> Any:
    def title(rows: Rows, area: Area) -> str:
        last = findings.newest(rows, "period_start_date")
        found = STANDS.get(last["compared_with_london"] or "")
        return f"{name}: {found}" if found else f"{name}: too few to compare"

    return title


def _index(rows: Rows, area: Area) -> list[dict[str, Any]]:
    """Health events for each police record: the area with its limits, and London."""
    found = []
    for row in rows:
        shared = {
            "period_start_date": row["period_end_date"].replace(day=1),
            "is_provisional": False,
            "is_break": False,
            "break_label": None,
        }
        for series, columns in (
            (area.name, ("health_per_police", "health_per_police_lower_95", "health_per_police_upper_95")),
            ("London", ("london_health_per_police", None, None)),
        ):
            value, lower, upper = (None if column is None else row[column] for column in columns)
            if value is not None:
                found.append({**shared, "series": series, "value": value, "lower": lower, "upper": upper})
    return found


def _year(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "period_start_date": row["month_start_date"], "value": row["count_12_months"], "lower": None, "upper": None, "series": area.name,
            "is_provisional": False, "is_break": False, "break_label": None,
        }
        for row in rows
        if row["count_12_months"] is not None
    ]  # fmt: skip


def _newest(name: str) -> Any:
    def title(rows: Rows, area: Area) -> str:
        last = findings.newest(rows)
        if last["count_12_months"] is None:
            return f"{name}: fewer than twelve months are held"
        return f"{name}: {formats.count(last['count_12_months'])} in twelve months"

    return title


def charged(name: str) -> Any:
    """Says how many of a month's crimes led to a charge or a court result: shares where there are enough crimes, else counts. The subtitle says of how many."""

    def title(rows: Rows, area: Area) -> str:
        of = {row["outcome_code"]: row for row in rows}
        cohort = rows[0]["cohort_count"]
        if "charged" not in of or of["charged"]["crime_count"] is None or not cohort:
            return f"{name}: outcomes are not known"
        ended = [
            f"{_part(of[code], cohort)} {words}"
            for code, words in (("charged", "charged"), ("court_result", "with court result"))
            if code in of and of[code]["crime_count"]
        ]
        return f"{name}: {', '.join(ended) or 'none charged so far'}"

    return title


def _part(row: Row, cohort: int) -> str:
    return formats.count(row["crime_count"]) if cohort < findings.LEAST else formats.percent(row["share_percent"])


def _followed(rows: Rows, area: Area) -> str:
    first = rows[0]
    return (
        f"{findings.counted(first['cohort_count'], 'crime')} recorded in {formats.month(first['month_start_date'])}, "
        f"followed for {findings.counted(first['months_followed'], 'month')}: share by newest outcome, with 95% limits"
    )


def _outcomes(rows: Rows, area: Area) -> list[dict[str, Any]]:
    return [
        {
            "label": row["outcome_code"].replace("_", " ").capitalize(), "share": row["share_percent"], "lower": row["share_lower_95_percent"],
            "upper": row["share_upper_95_percent"],
        }
        for row in rows
        if row["share_percent"] is not None
    ]  # fmt: skip


HEALTH = Topic(
    8,
    "health",
    "Health beside police",
    "Does the health service see what the police record?",
    (
        *(
            Figure(
                f"pair-{code.replace('_', '-')}", "police_health", _pair(name), "Health events for each police record, rolling 12 months, with 95% limits",
                (
                    Column("period_start_date", "From", "month"), Column("period_end_date", "To", "month"), Column("health_count", "Health", "count"),
                    Column("police_count", "Police", "count"), Column("health_per_police", "Health per police record", "number"),
                    Column("health_per_police_lower_95", "Lower 95% limit", "number"), Column("health_per_police_upper_95", "Upper 95% limit", "number"),
                    Column("london_health_per_police", "London", "number"), Column("index_to_london", "London = 100", "number"),
                    Column("compared_with_london", "Compared"), Column("withheld_reason", "Why a figure is missing", "long"),
                ),
                "trend", name=name, only={"measure_code": code}, shaped=_index, report="rpt_police_health",
            )
            for code, name in PAIRS.items()
        ),
        *(
            Figure(
                f"ambulance-{code.replace('_', '-')}", "ambulance", _newest(name), "Incidents attended by the London Ambulance Service, rolling 12 months",
                (
                    Column("month_start_date", "12 months to", "month"), Column("month_count", "In the month", "count"),
                    Column("count_12_months", "In 12 months", "count"), Column("previous_count_12_months", "Year before", "count"),
                    Column("change_on_year_12_months_percent", "Change", "signed"),
                    Column("is_comparable_12_months", "Comparable", "flag"),
                ),
                "trend", unit="incidents in 12 months", name=name, only={"measure_code": code}, shaped=_year, report="rpt_ambulance_month",
            )
            for code, name in AMBULANCE.items()
        ),
        Figure(
            "emergency", "emergency", "Assaults seen in emergency departments, by weapon and place",
            lambda rows, area: f"Attendances after an assault in the borough, {findings.period(rows[0], 'first_month', 'last_month')}",
            (
                Column("weapon_group", "Weapon", "code"), Column("place_group", "Place", "code"), Column("measure_code", "Collected by"),
                Column("attendance_count", "Attendances", "count"),
            ),
            report="rpt_ed_attendance", note="Each department shares what it collected: how complete that is stands in the table below.",
        ),
        Figure(
            "emergency-completeness", "emergency_completeness", "How complete each department's record is",
            "Attendances of the department in the month, and the share of them with a weapon and a place",
            (
                Column("site_code", "Department", "code"), Column("measure_code", "Collected by"), Column("month_start_date", "Month", "month"),
                Column("site_count", "Attendances", "count"), Column("weapon_stated_percent", "Weapon stated", "percent"),
                Column("place_stated_percent", "Place stated", "percent"),
            ),
            report="rpt_ed_attendance",
        ),
    ),
    chapters=("Health",),
    questions=(9, 10, 11, 12),
)  # fmt: skip

OUTCOMES = Topic(
    9,
    "outcomes",
    "What came of it",
    "How did the crimes of a month end, and how long have they been followed?",
    tuple(
        Figure(
            f"outcomes-{code.replace('_', '-')}", "outcomes", charged(name), _followed,
            (
                Column("outcome_code", "Outcome", "code"), Column("crime_count", "Crimes", "count"), Column("share_percent", "Share", "percent"),
                Column("share_lower_95_percent", "Lower 95% limit", "percent"), Column("share_upper_95_percent", "Upper 95% limit", "percent"),
                Column("months_followed", "Months followed", "count"), Column("value_note", "Note", "long"),
            ),
            "shares", name=f"{name}: outcomes", only={"measure_code": code}, shaped=_outcomes, report="rpt_crime_outcome",
            note="These are the crimes of one month; the sentences above count those of twelve months.",
        )
        for code, name in OUTCOMES_OF.items()
    ),
    chapters=("Outcomes",),
    questions=(28, 29),
)  # fmt: skip
