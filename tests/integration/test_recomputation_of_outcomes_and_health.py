"""The formulas of outcomes, attendances and ambulance calls a second time: in pandas, numpy and scipy, from the counts that the marts hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Due, Read, breaks_of_series, differing, in_range, reader, unlike, wilson

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def breaks(read: Read) -> pd.DataFrame:
    return breaks_of_series(read)


def test_outcomes_are_shares_of_the_crimes_of_their_month(read: Read) -> None:
    found = read("select * from marts.rpt_crime_outcome")
    crimes = found.groupby(["measure_code", "area_code", "month_start_date"])["crime_count"].transform(
        lambda counts: counts.sum(min_count=len(counts))
    )
    low, high = wilson(found["crime_count"], crimes)
    due: Due = {
        "cohort_count": (crimes, 0), "share_percent": (100 * found["crime_count"] / crimes, 5e-4),
        "share_lower_95_percent": (100 * low, 5e-4), "share_upper_95_percent": (100 * high, 5e-4),
    }  # fmt: skip
    assert differing(found, due) == {}


def test_attendances_are_stated_by_site_and_month(read: Read) -> None:
    found = read("select * from marts.rpt_ed_attendance")
    site = [found[name] for name in ("measure_code", "site_code", "month_start_date")]
    count = found["attendance_count"]
    total = count.groupby(site).transform("sum")
    due: Due = {
        "site_count": (total, 0),
        "weapon_stated_percent": (100 * count.where(found["weapon_group"] != "unknown", 0).groupby(site).transform("sum") / total, 0.05),
        "place_stated_percent": (100 * count.where(found["place_group"] != "unknown", 0).groupby(site).transform("sum") / total, 0.05),
    }  # fmt: skip
    assert differing(found, due) == {}


def test_ambulance_months_add_up_and_are_compared_with_a_year_before(read: Read) -> None:
    found = read("select * from marts.rpt_ambulance_month").sort_values(
        ["measure_code", "area_code", "month_start_date"]
    )
    series = found.groupby(["measure_code", "area_code"])
    number = found["month_start_date"].dt.year * 12 + found["month_start_date"].dt.month

    def whole(months: int) -> pd.Series:  # the row so many back is the month so many back
        return number - number.groupby([found["measure_code"], found["area_code"]]).shift(months - 1) == months - 1  # fmt: skip

    due: dict[str, tuple[pd.Series | np.ndarray, float | pd.Series]] = {}
    counts = [series["month_count"].shift(by) for by in range(24)]
    for months in (3, 6, 12):
        now = sum(counts[:months]).where(whole(months))
        before = sum(counts[12 : 12 + months]).where(whole(12 + months))
        due[f"count_{months}_months"] = (now, 0)
        due[f"previous_count_{months}_months"] = (before, 0)
        due[f"change_on_year_{months}_months_percent"] = (100 * (now - before) / before.replace(0, np.nan), 5e-9)
    due["mean_of_12_months"] = (due["count_12_months"][0] / 12, 5e-5)
    key = ["area_code", "month_start_date"]
    attended = found[found["measure_code"] == "safestats_las_incidents_attended"][[*key, "count_12_months"]]
    of_all = found[key].merge(attended, on=key, how="left")["count_12_months"].to_numpy()
    of_all = np.where(found["measure_code"] == "safestats_las_incidents_attended", np.nan, of_all)
    due["per_1000_incidents_12_months"] = (1000 * found["count_12_months"] / of_all, 5e-5)
    assert differing(found, due) == {}


def test_health_is_set_beside_the_police_from_ten_of_each_on(read: Read, breaks: pd.DataFrame) -> None:
    found = read("select * from marts.rpt_police_health")
    health, police = found["health_count"], found["police_count"]
    enough = (health >= 10) & (police >= 10)
    period = ["health_measure_code", "police_measure_code", "period_kind", "period_start_date"]
    london = found[period].merge(
        found.loc[found["area_code"] == "LONDON_32", [*period, "health_count", "police_count"]], on=period, how="left"
    )
    ratio = health / police
    of_london = (london["health_count"] / london["police_count"]).where(
        (london["health_count"] >= 10) & (london["police_count"] >= 10)
    )
    low, high = wilson(health, health + police)
    due: Due = {
        "health_per_police": (ratio.where(enough), 5e-5), "london_health_per_police": (of_london, 5e-5),
        "health_per_police_lower_95": (pd.Series(low / (1 - low)).where(enough), 5e-5),
        "health_per_police_upper_95": (pd.Series(high / (1 - high)).where(enough), 5e-5),
        "index_to_london": ((100 * ratio / of_london).where(enough), 0.005),
    }  # fmt: skip
    assert differing(found, due) == {}
    of_either = [
        in_range(
            breaks, found.rename(columns={column: "measure_code"}), found["period_start_date"], found["period_end_date"]
        )
        for column in ("health_measure_code", "police_measure_code")
    ]
    assert int((np.logical_or(*of_either) != found["has_series_break"]).sum()) == 0
    is_told = enough & (found["area_code"] != "LONDON_32") & of_london.notna()
    label = np.select([low / (1 - low) > of_london, high / (1 - high) < of_london], ["higher", "lower"], "similar")
    assert int((found["compared_with_london"].fillna("")[is_told] != label[is_told]).sum()) == 0


def test_health_and_police_are_set_beside_each_other_in_every_month_and_every_year_of_months(read: Read) -> None:
    found = read("select * from marts.rpt_police_health")
    pair = ["health_measure_code", "police_measure_code", "area_code"]
    months = found[found["period_kind"] == "month"].sort_values([*pair, "period_start_date"])
    number = months["period_start_date"].dt.year * 12 + months["period_start_date"].dt.month
    keys = [months[name] for name in pair]
    is_year = number - number.groupby(keys).shift(11) == 11
    for count in ("health_count", "police_count"):
        months[count] = months[count].groupby(keys).rolling(12).sum().reset_index(level=[0, 1, 2], drop=True)
    due = months.loc[is_year, [*pair, "period_end_date", "health_count", "police_count"]]
    years = found[found["period_kind"] == "rolling_12_months"]
    assert unlike(years, due, [*pair, "period_end_date"]) == {}
