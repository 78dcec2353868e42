"""What the archives of data.police.uk say of areas and months a second time: in pandas, from the rows that each force's file has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Read, loads_of, reader, unlike

pytestmark = pytest.mark.timeout(600)

FILE = ["dataset", "force_code", "month"]
FORCES = ["metropolitan", "city_of_london", "btp"]
NOT_SUMMED = ["UNALLOCATED", "OUTSIDE_LONDON", "E09000001"]


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def files(read: Read) -> pd.DataFrame:
    """Each force's file of each month between the first and the last of a dataset, there or not."""
    held = loads_of(read, "police_uk")
    held = held.assign(
        month=pd.to_datetime(held["part"].str[:7]),
        force_code=held["part"].str[8:].str.replace("-", "_"),
        sha=held["sha256"].str[:8],
    )
    spans = held.groupby("dataset")["month"].agg(["min", "max"])
    every = pd.concat(
        [
            pd.MultiIndex.from_product(
                [[name], FORCES, pd.date_range(first, last, freq="MS")], names=FILE
            ).to_frame(index=False)
            for name, first, last in spans.itertuples()
        ]
    )  # fmt: skip
    gaps = read(
        "select dataset, part as force_code, first_month, last_month, note from intermediate.known_gap where source = 'police_uk'"
    )
    known = every.merge(gaps, on=["dataset", "force_code"])
    known = known[known["month"].between(known["first_month"], known["last_month"])]
    found = every.merge(held[[*FILE, "load_id", "release_date", "sha"]], on=FILE, how="left")
    found = found.merge(known[[*FILE, "note"]], on=FILE, how="left")
    is_there = found["load_id"].notna()
    state = np.select([is_there, found["note"].notna()], ["loaded", "known_gap"], "missing")
    return found.assign(state=state, gap_note=found["note"].where(~is_there)).drop(columns="note")


@pytest.fixture(scope="module")
def published(files: pd.DataFrame) -> pd.DataFrame:
    """For which months each force is published, and all three together: where each has a file or is known not to have one."""
    day = files["release_date"].dt.strftime("%Y-%m-%d")
    own = files.assign(
        day=day, scope=files["force_code"], source_release=files["dataset"] + " " + day + " sha256:" + files["sha"].fillna("")
    )  # fmt: skip
    own = own[own["state"] == "loaded"].assign(value_note=np.nan)
    together = []
    for (dataset, month), group in files.assign(day=day).sort_values("force_code").groupby(["dataset", "month"]):
        there = group[group["state"] == "loaded"]
        if "missing" in set(group["state"]) or "metropolitan" not in set(there["force_code"]):
            continue
        release = f"{dataset} {there['day'].max()} sha256:{'+'.join(there['sha'])}"
        note = " ".join(group["gap_note"].dropna()) or np.nan
        together += [
            {"dataset": dataset, "month": month, "force_code": force, "scope": "together", "source_release": release, "value_note": note}
            for force in there["force_code"]
        ]  # fmt: skip
    columns = [*FILE, "scope", "source_release", "value_note"]
    return pd.concat([own[columns], pd.DataFrame(together)[columns]], ignore_index=True)


@pytest.fixture(scope="module")
def placed_searches(read: Read) -> pd.DataFrame:
    """Each search with its area: that of the crimes on the same map point, else of the outline round it, else outside London."""
    found = read(
        """select load_id, month_start_date as month, longitude, latitude, age_band, ethnicity, officer_defined_ethnicity, sex, is_of_person,
             to_char(searched_at at time zone 'UTC', 'YYYY-MM-DD HH24') as utc_hour, count(*) as searches
           from staging.stg_police_uk__stop_and_search group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"""
    )
    crimes = read(
        """select longitude, latitude, min(area_code) as crime_area from staging.stg_police_uk__street
           where area_code <> 'UNALLOCATED' and longitude <> '' group by 1, 2"""
    )
    found = found.merge(crimes, on=["longitude", "latitude"], how="left")
    points = found[["longitude", "latitude"]].dropna().drop_duplicates().reset_index(drop=True)
    x, y = points["longitude"].to_numpy(dtype=float), points["latitude"].to_numpy(dtype=float)
    inside = pd.Series(np.nan, index=points.index, dtype=object)
    outlines = read("select area_code, outline from intermediate.borough_outlines").sort_values(
        "area_code", ascending=False
    )
    for area, outline in zip(outlines["area_code"], outlines["outline"], strict=True):
        corners = np.array([pair.split(",") for pair in outline.strip("()").split("),(")], dtype=float)
        is_in = np.zeros(len(points), dtype=bool)
        for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, 1, axis=0), strict=True):
            if y1 != y2:
                is_in ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
        inside[is_in] = area
    found = found.merge(points.assign(outlined=inside), on=["longitude", "latitude"], how="left")
    area = found["crime_area"].fillna(found["outlined"]).fillna("OUTSIDE_LONDON")
    return found.assign(area_code=area.where(found["longitude"].notna() & found["latitude"].notna(), "UNALLOCATED"))


@pytest.fixture(scope="module")
def dated_searches(placed_searches: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """Searches in the month they were made in, where their force has a file of it, else in that of the file they stand in."""
    there = files[(files["dataset"] == "stop_and_search") & (files["state"] == "loaded")]
    found = placed_searches.merge(there[["load_id", "force_code", "month"]], on="load_id", suffixes=("", "_of_file"))
    own = there[["force_code", "month"]].assign(has_own=True)
    found = found.merge(own, on=["force_code", "month"], how="left")
    return found.assign(month=found["month"].where(found["has_own"].eq(True), found["month_of_file"]))


def test_each_force_has_a_file_a_known_gap_or_a_missing_one(read: Read, files: pd.DataFrame) -> None:
    found = read("select *, month_start_date as month from intermediate.int_police_uk_force_month")
    assert unlike(found, files.drop(columns="release_date"), FILE) == {}


def test_forces_are_published_together_where_none_is_missing(read: Read, published: pd.DataFrame) -> None:
    found = read(
        """select dataset, scope, month_start_date as month, unnest(forces) as force_code, source_release, value_note
           from intermediate.int_police_uk_published"""
    )
    assert unlike(found, published, [*FILE, "scope"]) == {}


@pytest.fixture(scope="module")
def figures(read: Read, files: pd.DataFrame, dated_searches: pd.DataFrame) -> pd.DataFrame:
    """Rows by dataset, force, month, area and what they count towards, and searches by age or ethnicity."""
    load = files.loc[files["state"] == "loaded", [*FILE, "load_id"]]
    crimes = read(
        "select load_id, area_code, crime_type_code as suffix, count(*) as value from staging.stg_police_uk__street group by 1, 2, 3"
    )
    outcomes = read(
        "select load_id, area_code, outcome_code as suffix, count(*) as value from staging.stg_police_uk__outcomes group by 1, 2, 3"
    )
    is_told = ~outcomes["suffix"].isin(["open", "not_known"])
    rows = pd.concat(
        [
            crimes, crimes[crimes["suffix"] != "anti_social_behaviour"].assign(suffix="all_crime"),
            outcomes.assign(suffix="outcomes"), outcomes[is_told].assign(suffix="outcomes_" + outcomes["suffix"]),
        ]
    ).merge(load, on="load_id").assign(age_band="all", ethnicity="all")  # fmt: skip
    searches = dated_searches.assign(
        dataset="stop_and_search", suffix="stop_and_search", value=dated_searches["searches"]
    )
    splits = [
        searches.assign(age_band="all", ethnicity="all"),
        searches.assign(ethnicity="all"),
        searches.assign(age_band="all"),
    ]
    key = [*FILE, "area_code", "suffix", "age_band", "ethnicity"]
    return pd.concat([rows, *splits])[[*key, "value"]].groupby(key, as_index=False).sum()


def test_months_are_sums_of_rows_dense_over_areas_and_kinds_with_london_s_sums(
    read: Read, figures: pd.DataFrame, published: pd.DataFrame
) -> None:
    borough = read("select borough_code as area_code, upper(ons_inner_outer) as half from intermediate.boroughs")
    seed = read("select distinct label_list, code from intermediate.police_uk_label")
    codes = {name: set(group["code"]) for name, group in seed.groupby("label_list")}
    kinds = [("street", code, "all", "all") for code in [*codes["crime_type"], "all_crime"]]
    told = codes["outcome"] - {"open", "not_known"}
    kinds += [
        ("outcomes", "outcomes", "all", "all"),
        *(("outcomes", f"outcomes_{code}", "all", "all") for code in told),
    ]
    kinds += [
        ("stop_and_search", "stop_and_search", band, "all") for band in {"all", "not_recorded", *codes["age_range"]}
    ]
    kinds += [("stop_and_search", "stop_and_search", "all", group) for group in {"not_recorded", *codes["ethnicity"]}]
    which = ["dataset", "suffix", "age_band", "ethnicity"]
    summed = figures.merge(published[[*FILE, "scope"]], on=FILE)
    halves = summed.merge(borough, on="area_code")
    everywhere = pd.concat([summed, halves.assign(area_code="LONDON_32"), halves.assign(area_code=halves["half"])])
    key = [*which, "scope", "month", "area_code"]
    sums = everywhere.groupby(key, as_index=False)["value"].sum()
    spans = published[["dataset", "scope", "month", "source_release", "value_note"]].drop_duplicates()
    areas = pd.DataFrame({"area_code": [*borough["area_code"], *NOT_SUMMED, "LONDON_32", "INNER", "OUTER"]})
    due = spans.merge(pd.DataFrame(kinds, columns=which), on="dataset").merge(areas, how="cross")
    due = due.merge(sums, on=key, how="left")
    newest = due.groupby("dataset")["month"].transform("max")
    scope = due["scope"].map(lambda name: "" if name == "together" else f"{name}_")
    value = due["value"].fillna(0)
    due = due.assign(
        value=value, numerator=value, period_start_date=due["month"], period_end_date=due["month"] + pd.offsets.MonthEnd(0),
        measure_code="police_uk_" + scope + due["suffix"], is_provisional=due["month"] > newest - pd.DateOffset(months=36),
    )  # fmt: skip
    found = read("select *, measure_suffix as suffix, period_start_date as month from intermediate.int_police_uk_month")
    assert unlike(found, due, key) == {}


def test_searches_are_placed_dated_and_kept_by_the_hour(
    read: Read, dated_searches: pd.DataFrame, published: pd.DataFrame
) -> None:
    spans = published.loc[published["dataset"] == "stop_and_search", ["scope", "force_code", "month"]]
    key = [
        "scope", "month", "area_code", "utc_hour", "is_of_person", "sex", "age_band", "ethnicity", "officer_defined_ethnicity",
    ]  # fmt: skip
    due = dated_searches.merge(spans, on=["force_code", "month"]).groupby(key, as_index=False)["searches"].sum()
    found = read(
        f"""select *, month_start_date as month, search_count as searches from (
              select {", ".join(name for name in key if name not in ("utc_hour", "month"))}, month_start_date, search_count,
                to_char(utc_hour, 'YYYY-MM-DD HH24') as utc_hour from intermediate.int_police_uk_search) as s"""
    )
    assert unlike(found, due, key) == {}


def test_crimes_carry_the_code_of_their_last_outcome(read: Read) -> None:
    found = read(
        "select load_id, area_code, crime_type_code, sum(row_count) as crimes from intermediate.int_police_uk_last_outcome group by 1, 2, 3"
    )
    due = read(
        "select load_id, area_code, crime_type_code, count(*) as crimes from staging.stg_police_uk__street group by 1, 2, 3"
    )
    assert unlike(found, due, ["load_id", "area_code", "crime_type_code"]) == {}
    labels = read("select published_label, code from intermediate.police_uk_label where label_list = 'outcome'")
    codes = dict(zip(labels["published_label"].str.lower(), labels["code"], strict=True))
    rows = read(
        "select load_id, published_last_outcome as outcome, count(*) as crimes from staging.stg_police_uk__street_lsoa group by 1, 2"
    )
    rows = rows.assign(
        outcome_code=rows["outcome"].str.strip().str.lower().map(codes).where(rows["outcome"].notna(), "not_given")
    )
    by_outcome = rows.groupby(["load_id", "outcome_code"], as_index=False)["crimes"].sum()
    found = read(
        "select load_id, outcome_code, sum(row_count) as crimes from intermediate.int_police_uk_last_outcome group by 1, 2"
    )
    assert unlike(found, by_outcome, ["load_id", "outcome_code"]) == {}
