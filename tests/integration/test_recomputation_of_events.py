"""What SafeStats publishes, events one by one and the ambulance service's workbook, as counts a second time: in pandas, from the published rows."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Read, label, loads_of, newest_first, reader, unlike

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def events(read: Read) -> pd.DataFrame:
    """Every event of a feed with its measure, its month and its area: that of its LSOA, else of its borough, else none."""
    names = [
        "ambulance_incidents",
        "btp_crime",
        "ed_istv",
        "ed_ecds",
        "tfl_driver_incidents",
        "fire_incidents",
        "mps_crime",
    ]
    rows = pd.concat(
        [
            read(
                f"""select '{name}' as dataset, load_id, row_number, published_category, event_date, borough_area_code, lsoa_code, time_quality,
                  to_char(event_at at time zone 'Europe/London', 'HH24') as hour from staging.stg_safestats__{name}"""
            )
            for name in names
        ],
        ignore_index=True,
    )
    codes = read(
        "select dataset, published_code, code_label, measure_code from intermediate.safestats_code where dataset not like '%\\_place' and dataset not like '%\\_mechanism'"
    )
    codes = codes.assign(category=label(codes["published_code"])).drop(columns="published_code")
    rows = rows.assign(category=label(rows["published_category"])).merge(codes, on=["dataset", "category"], how="left")
    lsoas = read("select lsoa_code, area_code as area_of_lsoa from intermediate.lsoa_borough")
    rows = rows.astype({"lsoa_code": object}).merge(lsoas, on="lsoa_code", how="left")
    area = rows["area_of_lsoa"].fillna(rows["borough_area_code"]).fillna("UNALLOCATED")
    return rows.assign(area_code=area, month=rows["event_date"].dt.to_period("M").dt.to_timestamp())


@pytest.fixture(scope="module")
def covered(read: Read) -> pd.DataFrame:
    """The newest file about each month of each feed."""
    loads = loads_of(read, "safestats")
    loads = loads[loads["part"].notna()]
    found = newest_first(loads.assign(month=pd.to_datetime(loads["part"])), ["dataset", "part"])
    return found.loc[found["claim_number"] == 1, ["dataset", "month", "load_id", "source_release"]]


def test_events_of_a_file_s_own_month_are_counted_by_area(
    read: Read, events: pd.DataFrame, covered: pd.DataFrame
) -> None:
    patients = read("select load_id, row_number, sex, age_band from staging.stg_safestats__ambulance_patient")
    also = read(
        "select code_label, measure_code, sex as of_sex, below_age from intermediate.safestats_ambulance_measure"
    )
    calls = events[events["dataset"] == "ambulance_incidents"].drop(columns="measure_code")
    calls = calls.merge(patients, on=["load_id", "row_number"]).merge(also, on="code_label")
    age = pd.to_numeric(calls["age_band"].str.extract(r"^(\d+)")[0])
    calls = calls[
        (calls["of_sex"].isna() | (calls["of_sex"] == calls["sex"]))
        & (calls["below_age"].isna() | (age < calls["below_age"]))
    ]
    key = ["load_id", "measure_code", "month", "area_code"]
    counts = pd.concat([events[events["measure_code"].notna()][key], calls[key]]).groupby(key, as_index=False).size()
    codes = read(
        "select distinct dataset, measure_code from intermediate.safestats_code where measure_code is not null"
    )
    measures = pd.concat([codes, also[["measure_code"]].drop_duplicates().assign(dataset="ambulance_incidents")])
    boroughs = read("select borough_code as area_code from intermediate.boroughs")
    others = pd.DataFrame({"area_code": ["E09000001", "UNALLOCATED", "OUTSIDE_LONDON"]})
    due = covered.merge(measures, on="dataset").merge(pd.concat([boroughs, others]), how="cross")
    due = due.merge(counts, on=key, how="left")
    due = due.assign(month_count=due["size"].fillna(0))
    found = read("select *, month_start_date as month from intermediate.int_safestats_event_month")
    assert unlike(found, due[[*key, "month_count", "source_release"]], ["measure_code", "area_code", "month"]) == {}


def test_attendances_are_counted_by_what_hurt_and_where(
    read: Read, events: pd.DataFrame, covered: pd.DataFrame
) -> None:
    coded = read(
        "select dataset, load_id, row_number, site_code, published_weapon, published_place from staging.stg_safestats__ed_injury"
    )
    rows = events[events["measure_code"].notna()].merge(coded, on=["dataset", "load_id", "row_number"])
    rows = rows.merge(covered, on=["dataset", "load_id", "month"])
    lists = read("select dataset as list, published_code, code_label, code_group from intermediate.safestats_code")
    lists = lists.assign(code=label(lists["published_code"])).drop(columns="published_code")
    weapons = {"ed_istv": "ed_istv", "ed_ecds": "ed_ecds_mechanism"}
    for field, of_list in (("weapon", rows["dataset"].map(weapons)), ("place", rows["dataset"] + "_place")):
        published = rows[f"published_{field}"]
        asked = pd.DataFrame({"list": of_list, "code": label(published.fillna(""))})
        told = asked.merge(lists, on=["list", "code"], how="left")
        rows[field] = told["code_label"].fillna(published.reset_index(drop=True)).fillna("Unknown").to_numpy()
        group = told["code_group"].fillna(
            pd.Series("code_not_listed", told.index).where(published.notna().to_numpy(), "unknown")
        )
        rows[f"{field}_group"] = group.to_numpy()
    key = ["measure_code", "site_code", "area_code", "month", "weapon", "place", "weapon_group", "place_group"]
    due = rows.groupby([*key, "source_release"], as_index=False).size().rename(columns={"size": "attendance_count"})
    found = read("select *, month_start_date as month from intermediate.int_safestats_ed_attendance")
    assert unlike(found, due, key) == {}


def test_the_ambulance_workbook_s_newest_edition_speaks_for_each_month(read: Read) -> None:
    cells = read(
        "select load_id, published_sheet, area_code, month_start_date as month, incident_count as month_count from staging.stg_safestats__ambulance_borough"
    )
    london = read(
        "select load_id, published_column, month_start_date as month, figure as month_count from staging.stg_safestats__ambulance_london where month_start_date is not null"
    )
    series = read("select * from intermediate.safestats_ambulance_series")
    rows = pd.concat(
        [
            cells.merge(series[["published_sheet", "measure_code"]].dropna(), on="published_sheet"),
            london.assign(area_code="LONDON_PUBLISHED").merge(
                series[["published_column", "london_measure_code"]].dropna().rename(columns={"london_measure_code": "measure_code"}), on="published_column",
            ),
        ]
    ).merge(loads_of(read, "safestats")[["load_id", "release_date", "landed_at", "source_release"]], on="load_id")  # fmt: skip
    claims = newest_first(rows.drop_duplicates(["load_id", "measure_code", "month"]), ["measure_code", "month"])
    key = ["measure_code", "area_code", "month"]
    due = rows.merge(
        claims.loc[claims["claim_number"] == 1, ["load_id", "measure_code", "month"]],
        on=["load_id", "measure_code", "month"],
    )
    found = read("select *, month_start_date as month from intermediate.int_safestats_ambulance_month")
    assert unlike(found, due[[*key, "load_id", "month_count", "source_release"]], key) == {}


def test_events_keep_the_day_and_the_hour_that_is_known(
    read: Read, events: pd.DataFrame, covered: pd.DataFrame
) -> None:
    rows = events[events["measure_code"].notna()].merge(covered[["load_id", "month"]], on=["load_id", "month"])
    is_known = rows["time_quality"].isin(["exact", "hour", "repeated_hour"])
    rows = rows.assign(local_hour=pd.to_numeric(rows["hour"]).where(is_known), local_date=rows["event_date"])
    key = ["measure_code", "area_code", "local_date", "local_hour", "time_quality"]
    due = rows.groupby(key, as_index=False, dropna=False).size().rename(columns={"size": "event_count"})
    found = read("select * from intermediate.int_temporal_event where measure_code not like 'police\\_uk\\_%'")
    assert unlike(found, due, key) == {}
