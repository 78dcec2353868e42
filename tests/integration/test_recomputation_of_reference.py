"""What other tables look up, and what is told of deliveries, a second time: residents by band, the calendar, which figures are ranked, quality."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Read, reader, unlike

pytestmark = pytest.mark.timeout(600)

ALL_OF_A_DATASET = [
    "mps_all_offences",
    "mps_tno",
    "mps_vawg_dashboard_offences",
    "mps_homicide_victims",
    "mps_homicide_accused",
]
COUNTS = ["int_mps_borough_month", "int_mps_dashboard_month", "int_mps_homicide_month", "int_mps_vawg_month"]


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


def test_residents_of_a_band_are_those_of_its_single_years(read: Read) -> None:
    single = read("select * from intermediate.int_population where age_band ~ '^[0-9]+[+]?$'")
    single["age"] = single["age_band"].str.rstrip("+").astype(int)
    single = single[(single["age_band"] != "90") & ((single["age"] < 90) | single["age_band"].str.endswith("+"))]
    fives = [(first, first + 4) for first in range(0, 90, 5)]
    tens = [(25, 34), (35, 44), (45, 54), (55, 64)]
    bands = {
        f"{a}-{b}": (a, b) for a, b in [*fives, *tens, (0, 9), (0, 12), (0, 24), (1, 24), (10, 17), (13, 19), (18, 24)]
    }
    bands |= {"35+": (35, 90), "65+": (65, 90), "90+": (90, 90)}
    key = ["area_code", "year", "sex"]
    parts = [read("select * from intermediate.int_population where age_band = 'all'")]
    for name, (first, last) in bands.items():
        sums = single[single["age"].between(first, last)].groupby(key)["residents"].agg(["sum", "size"])
        sums = sums[sums["size"] == last - first + 1].rename(columns={"sum": "residents"}).reset_index()
        parts.append(sums.assign(age_band=name))
    due = pd.concat(parts)[[*key, "age_band", "residents"]]
    assert unlike(read("select * from intermediate.int_residents_band"), due, [*key, "age_band"]) == {}


def test_a_month_of_the_calendar_has_its_days_its_quarters_and_its_financial_year(read: Read) -> None:
    days = pd.date_range("2000-01-01", "2039-12-01", freq="MS")
    found = read("select *, days_in_month as days from marts.dim_month")
    year = days.year - (days.month < 4)
    number = (days.month - 4) % 12 + 1
    due = pd.DataFrame(
        {
            "month_start_date": days, "month_end_date": days + pd.offsets.MonthEnd(0), "month_code": days.strftime("%Y-%m"),
            "month_name": days.strftime("%B %Y"), "days_in_month": days.days_in_month, "month_of_year": days.month, "calendar_year": days.year,
            "calendar_quarter": days.quarter, "calendar_quarter_label": [f"{y} Q{q}" for y, q in zip(days.year, days.quarter, strict=True)],
            "financial_year_start_date": pd.to_datetime([f"{y}-04-01" for y in year]), "month_of_financial_year": number,
            "financial_year_label": [f"{y}/{(y + 1) % 100:02d}" for y in year], "financial_quarter": (number - 1) // 3 + 1,
        }
    )  # fmt: skip
    assert unlike(found, due.rename(columns={"days_in_month": "days"}), ["month_start_date"]) == {}


def test_an_indicator_is_ranked_where_it_is_a_headline_of_an_area_s_own(read: Read) -> None:
    found = read("select * from marts.fct_indicator")
    own = ~found["is_force_wide"] & found["is_headline"] & found["value"].notna()
    assert int((found["is_rankable"] != own).sum()) == 0


def test_the_quality_of_a_delivery_is_told_by_its_newest_file(read: Read) -> None:
    loads = read("select * from staging.stg_ops__load")
    has_month = loads["part"].fillna("").str.match(r"20\d{2}-\d{2}")
    named = loads["part"].fillna("").str.extract(r"^20\d{2}-\d{2}-([a-z].*)$")[0]
    month = pd.to_datetime(loads["part"].where(has_month).str[:7], format="%Y-%m").fillna(
        loads["last_month_start_date"]
    )
    loads = loads.assign(month=month, site_code=named.str.replace("-", "_").fillna("all")).dropna(subset="month")
    key = ["source", "dataset", "site_code", "month"]
    newest_month = loads.groupby(["source", "dataset", "release_date"])["month"].transform("max")
    files = loads.assign(is_newest=loads["month"] == newest_month)
    files = files.sort_values(["release_date", "landed_at", "sha256"]).drop_duplicates(key, keep="last")
    parts = [
        files.assign(
            quality_code="quarantined",
            field_name="all",
            numerator=files["rows_quarantined"],
            denominator=files["rows_in_file"],
        )
    ]
    late = files[files["is_newest"] & files["release_date"].notna()]
    parts.append(
        late.assign(
            quality_code="released_after",
            field_name="all",
            days=(late["release_date"] - (late["month"] + pd.offsets.MonthEnd(0))).dt.days,
        )
    )
    counts = pd.concat([read(f"select * from intermediate.{model}") for model in COUNTS])
    counts = counts[counts["measure_code"].isin(ALL_OF_A_DATASET) & (counts["area_code"] != "LONDON_PUBLISHED")]
    counts = counts.assign(
        source="mps",
        dataset=counts["source_release"].str.split(" ").str[0],
        site_code="all",
        rows=counts["month_count"],
    )
    street = read("select * from intermediate.int_police_uk_count").rename(
        columns={"force_code": "site_code", "row_count": "rows"}
    )
    for rows in (counts, street.assign(source="police_uk")):
        rows = rows.rename(columns={"month_start_date": "month"})
        sums = (
            rows.assign(unplaced=rows["rows"].where(rows["area_code"] == "UNALLOCATED", 0))
            .groupby(key, as_index=False)[["unplaced", "rows"]]
            .sum()
        )
        parts.append(
            sums.assign(quality_code="unplaced", field_name="all", numerator=sums["unplaced"], denominator=sums["rows"])
        )
    calendar = read(
        "select dataset, force_code as site_code, month_start_date as month from intermediate.int_police_uk_force_month"
    ).assign(source="police_uk")
    calendar = calendar.merge(files[[*key, "rows_loaded"]], on=key, how="left")
    parts.append(
        calendar.assign(quality_code="submitted", field_name="all", numerator=calendar["rows_loaded"].fillna(0))
    )
    health = read(
        """select period_start_date as month, value from intermediate.int_fingertips_value
           where is_headline and area_code in (select borough_code from intermediate.boroughs)"""
    )
    given = health.groupby("month", as_index=False)["value"].agg(["count", "size"])
    given = given.assign(
        source="fingertips", dataset="data", site_code="all", quality_code="completeness", field_name="value"
    )
    parts.append(given.rename(columns={"count": "numerator", "size": "denominator"}))
    events = read("select *, month_start_date as month from intermediate.int_safestats_event_quality")
    parts.append(events.assign(source="safestats"))
    whole = [*key, "quality_code", "field_name"]
    due = pd.concat(parts)[[*whole, "numerator", "denominator", "days"]]
    due = due[due["month"] >= "2000-01-01"]
    found = read(
        "select *, month_start_date as month from intermediate.int_data_quality where quality_code <> 'file_left_out'"
    )
    assert unlike(found, due, whole) == {}
