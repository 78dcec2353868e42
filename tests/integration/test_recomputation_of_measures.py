"""The table of facts, what it leaves out, and the windows of small areas a second time: in pandas, from the counts of each source."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Due, Read, breaks_of_series, differing, poisson, reader, unlike

pytestmark = pytest.mark.timeout(600)

FACT = ["area_code", "period_kind", "period_start_date", "measure_code", "sex", "age_band", "ethnicity"]
COUNTS = {
    "int_mps_borough_month": "mps", "int_mps_composite_month": "mps", "int_mps_dashboard_month": "mps", "int_mps_homicide_month": "mps",
    "int_mps_vawg_month": "mps", "int_safestats_ambulance_month": "safestats", "int_safestats_event_month": "safestats",
}  # fmt: skip
FACTS = ["int_police_uk_month", "int_mps_homicide_split", "int_fingertips_measure", "int_nomis_measure"]
# Whole measures, so that the sums over areas are whole, and every one that withholds a month.
SOME = """(abs(hashtext(measure_code)) % 5 = 0
    or measure_code in (select u.measure_code from intermediate.int_unplaced_share as u where u.is_withheld))"""
LENGTHS = {"month": 1, "rolling_3": 3, "rolling_6": 6, "rolling_12": 12}
WARD_MEASURES = {
    "all_offences_count": "mps_all_offences", "homicide_count": "mps_homicide", "violence_with_injury_count": "mps_violence_with_injury",
    "violence_without_injury_incl_stalking_count": "mps_violence_without_injury_incl_stalking",
    "personal_robbery_count": "mps_robbery_personal", "weapons_possession_count": "mps_weapons_possession",
    "theft_from_person_count": "mps_theft_from_person", "drug_offences_count": "mps_drug_offences",
    "arson_criminal_damage_count": "mps_arson_criminal_damage", "rape_count": "mps_rape",
    "other_sexual_offences_count": "mps_other_sexual_offences",
}  # fmt: skip


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def counts(read: Read) -> pd.DataFrame:
    parts = [read(f"select *, '{source}' as source from intermediate.{model}") for model, source in COUNTS.items()]
    return pd.concat(parts, ignore_index=True).rename(columns={"month_start_date": "month"})


def test_the_facts_are_the_counts_of_each_source_with_london_s_sums_but_what_is_withheld(
    read: Read, counts: pd.DataFrame
) -> None:
    borough = read("select borough_code as area_code, upper(ons_inner_outer) as half from intermediate.boroughs")
    of_london = counts.merge(borough, on="area_code")
    together = pd.concat([of_london.assign(area_code="LONDON_32"), of_london.assign(area_code=of_london["half"])])
    sums = together.groupby(["area_code", "month", "measure_code"], as_index=False).agg(
        month_count=("month_count", "sum"), load_id=("load_id", "min"), source_release=("source_release", "min"), is_provisional=("is_provisional", "any"),
    )  # fmt: skip
    rows = pd.concat([counts, sums], ignore_index=True)
    known = read("select source, month_start_date as month, note from intermediate.known_unallocated_months")
    noted = counts[counts["area_code"] != "LONDON_PUBLISHED"].merge(known, on=["source", "month"])
    unplaced = noted["month_count"].where(noted["area_code"] == "UNALLOCATED")
    noted = (
        noted.assign(unplaced=unplaced)
        .groupby(["load_id", "month", "note"], as_index=False)[["unplaced", "month_count"]]
        .sum()
    )
    noted = noted.loc[noted["unplaced"] > noted["month_count"] / 20, ["load_id", "month", "note"]]
    rows = rows.merge(noted, on=["load_id", "month"], how="left")
    rows = rows.assign(
        period_kind="month", period_start_date=rows["month"], period_end_date=rows["month"] + pd.offsets.MonthEnd(0), sex="all", age_band="all",
        ethnicity="all", value=rows["month_count"], numerator=rows["month_count"], denominator=np.nan,
        value_note=rows["note"].where(rows["area_code"] != "LONDON_PUBLISHED"),
    )  # fmt: skip
    columns = [
        *FACT,
        "period_end_date",
        "numerator",
        "denominator",
        "value",
        "value_note",
        "source_release",
        "is_provisional",
    ]
    figures = ["numerator", "denominator", "value"]
    asked_for = ", ".join(f"{name}::numeric(18, 4) as {name}" if name in figures else name for name in columns)
    whole = [read(f"select {asked_for} from intermediate.{model} where {SOME}") for model in FACTS]
    due = pd.concat([rows[columns], *whole], ignore_index=True)

    withheld = read(
        "select *, month_start_date as period_start_date from intermediate.int_unplaced_share where is_withheld"
    )
    withheld = withheld.astype({"is_of_measure": bool})
    key = ["measure_code", "period_start_date"]
    why = {
        what: withheld[those].groupby(key)["note"].max().rename(f"why_{what}")
        for what, those in {
            "whole": withheld["is_of_measure"],
            **{name: ~withheld["is_of_measure"] & (withheld["dimension"] == name) for name in ("area", "sex", "age", "ethnicity")},
        }.items()
    }  # fmt: skip
    for notes in why.values():
        due = due.merge(notes.reset_index(), on=key, how="left")
    unknown = ["all", "unknown", "not_recorded"]
    asked = {
        "whole": pd.Series(True, due.index), "area": ~due["area_code"].isin(["UNALLOCATED", "LONDON_PUBLISHED"]),
        "sex": ~due["sex"].isin(["all", "unknown"]), "age": ~due["age_band"].isin(unknown), "ethnicity": ~due["ethnicity"].isin(unknown),
    }  # fmt: skip
    is_month = due["period_kind"] == "month"
    note = pd.Series("", due.index)
    for what, those in asked.items():
        note = note + " " + due[f"why_{what}"].where(those & is_month).fillna("")
    note = note.str.split().str.join(" ")
    due = due.assign(
        value=due["value"].where(note == ""), numerator=due["numerator"].where(note == ""), value_note=due["value_note"].where(note == "", note)
    )[columns]  # fmt: skip
    found = read(f"select * from marts.fct_measure where {SOME}")
    due = due[due["measure_code"].isin(found["measure_code"])]
    assert unlike(found, due, FACT) == {}


def test_wards_have_windows_rates_and_changes_of_their_months(read: Read) -> None:
    some = "abs(hashtext(ward_code)) % 8 = 0"
    months = read(f"select *, month_start_date as month from marts.fct_ward_month where {some}")
    place = ["ward_code", "area_code"]
    long = months.melt(
        id_vars=[*place, "month", "residents"],
        value_vars=list(WARD_MEASURES),
        var_name="column",
        value_name="count",
    )
    long["measure_code"] = long["column"].map(WARD_MEASURES)
    series = [*place, "measure_code"]
    long["number"] = long["month"].dt.year * 12 + long["month"].dt.month - 1
    long = long.sort_values([*series, "number"], ignore_index=True)
    ids = long.groupby(series, sort=False).ngroup().to_numpy()
    first = int(long["number"].min())
    at = (long["number"] - first).to_numpy()
    table = np.full((ids.max() + 1, at.max() + 13), np.nan)
    table[ids, at] = long["count"]
    is_there = np.zeros(table.shape, dtype=bool)
    is_there[ids, at] = True

    def summed(length: np.ndarray) -> np.ndarray:
        total = np.zeros(len(long))
        for back in range(12):
            places = at - back
            value = np.where(places >= 0, table[ids, places], np.nan)
            total = total + np.where(back < length, value, 0)
        return total

    of_year = (long["number"].to_numpy() - 3) % 12 + 1
    lengths = {name: np.full(len(long), length) for name, length in LENGTHS.items()} | {
        "financial_year_to_date": of_year
    }
    ends = {"calendar_year": of_year == 9, "financial_year": of_year == 12}
    whole_year = np.logical_and.reduce(
        [np.where(at - back >= 0, is_there[ids, at - back], False) for back in range(13)]
    )
    parts = []
    for name, length in lengths.items():
        sums = summed(length)
        by_cell = np.full(table.shape, np.nan)
        by_cell[ids, at] = sums
        before = np.where(whole_year, by_cell[ids, at - 12], np.nan)
        part = long.assign(window_kind=name, months=length, due=sums, before=before)
        parts.append(part)
        if name == "rolling_12":
            parts += [part[those].assign(window_kind=kind) for kind, those in ends.items()]
    due = pd.concat(parts).dropna(subset="due")
    found = read(f"select *, month_start_date as month from marts.rpt_ward_measure where {some}")
    rows = found.drop(columns="residents").merge(
        due, on=[*series, "month", "window_kind"], how="outer", indicator="side"
    )
    assert set(rows["side"]) == {"both"}
    lower, upper = poisson(rows["due"], 0.95)
    people = rows["residents"]
    breaks = breaks_of_series(read).rename(columns={"area_code": "of_area"})
    breaks["number"] = breaks["break_month"].dt.year * 12 + breaks["break_month"].dt.month - 1
    keys = rows[["measure_code", "area_code", "number"]].drop_duplicates().rename(columns={"number": "last"})
    met = keys.merge(breaks[["measure_code", "of_area", "number"]], on="measure_code")
    met = met[(met["of_area"].isna() | (met["of_area"] == met["area_code"])) & (met["number"] <= met["last"])]
    newest = (
        met.groupby(["measure_code", "area_code", "last"], as_index=False)["number"]
        .max()
        .rename(columns={"number": "newest", "last": "number"})
    )
    rows = rows.merge(newest, on=["measure_code", "area_code", "number"], how="left")
    start = rows["number"] - rows["months"] + 1
    dues: Due = {
        "window_count": (rows["due"], 0), "count_year_before": (rows["before"], 0), "rate_per_1000": (1000 * rows["due"] / people, 5e-5),
        "rate_per_1000_lower_95": (1000 * lower / people, 5e-5), "rate_per_1000_upper_95": (1000 * upper / people, 5e-5),
        "change_on_year_before_percent": (100 * (rows["due"] - rows["before"]) / rows["before"].replace(0, np.nan), 0.005),
        "has_series_break": (rows["newest"] > start, 0), "has_break_on_year_before": (rows["newest"] > start - 12, 0),
    }  # fmt: skip
    assert differing(rows, dues) == {}
    first_day = (start.to_numpy(dtype="int64") - 1970 * 12).astype("datetime64[M]")
    assert int((rows["window_start_date"].to_numpy() != first_day).sum()) == 0
    assert int((rows["window_end_date"] != rows["month"] + pd.offsets.MonthEnd(0)).sum()) == 0


def test_places_have_the_12_newest_months_and_the_12_before(read: Read) -> None:
    spans = read("select * from intermediate.int_small_area_span").set_index("area_level")
    found = read("select * from intermediate.int_small_area_window")
    measures = {
        column: code
        for column, code in WARD_MEASURES.items()
        if code not in ("mps_homicide", "mps_arson_criminal_damage")
    }
    boroughs = set(read("select borough_code from intermediate.boroughs")["borough_code"])
    for level, ours in (
        ("ward", measures),
        ("lsoa", {c: m for c, m in measures.items() if "rape" not in c and "sexual" not in c}),
    ):
        span = spans.loc[level]
        months = read(f"select *, month_start_date as month from intermediate.int_mps_{level}_month")
        months = months[months["area_code"].isin(boroughs) & (months["month"] >= span["previous_start_date"])]
        now = months["month"] >= span["window_start_date"]
        code = f"{level}_code"
        parts = []
        for column, measure in ours.items():
            sums = [
                months[those].groupby([code, "area_code"])[column].agg(lambda one: one.sum(skipna=False))
                for those in (now, ~now)
            ]
            both = pd.concat(sums, axis=1, keys=["now", "before"])
            missing = both.isna()
            # A place that no month of a window names had none of it.
            there = [
                months[those].groupby([code, "area_code"])[column].size().reindex(both.index) for those in (now, ~now)
            ]
            for side, size in zip(("now", "before"), there, strict=True):
                both.loc[missing[side] & size.isna(), side] = 0
            if not span["has_previous"]:
                both["before"] = np.nan
            parts.append(both.reset_index().assign(measure_code=measure))
        due = pd.concat(parts).rename(
            columns={code: "small_area_code", "now": "window_count", "before": "previous_window_count"}
        )
        due = due[(due["window_count"] > 0) | (due["previous_window_count"] > 0)]
        of_level = found[(found["area_level"] == level) & found["measure_code"].isin(ours.values())]
        assert unlike(of_level, due, ["small_area_code", "area_code", "measure_code"]) == {}, level
