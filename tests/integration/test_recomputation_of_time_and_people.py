"""When things happened and to whom, a second time: in pandas, from the events and people of each month and Python's own clock of London."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Due, Read, differing, reader, unlike, wilson

pytestmark = pytest.mark.timeout(600)

LONDON, UTC = ZoneInfo("Europe/London"), dt.UTC
PERIOD = ["measure_code", "period_kind", "period_start_date"]
BY_HOUR = ["hour", "weekday_4_hours", "weekday_hour", "school_day_hour", "night_time_economy"]
SEASONS = ["winter", "spring", "summer", "autumn"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def happened(read: Read) -> pd.DataFrame:
    found = read("select * from intermediate.int_temporal_event")
    return found.rename(columns={"month_start_date": "month"})


@pytest.fixture(scope="module")
def halves(read: Read) -> pd.DataFrame:
    """Each area an area's events count for: itself, London and its half of it."""
    borough = read("select borough_code as area_code, upper(ons_inner_outer) as half from intermediate.boroughs")
    return pd.concat(
        [borough.assign(of=borough["area_code"]), borough.assign(of="LONDON_32"), borough.assign(of=borough["half"]),
         pd.DataFrame({"area_code": ["UNALLOCATED"], "of": ["UNALLOCATED"]})]
    )[["area_code", "of"]]  # fmt: skip


@pytest.fixture(scope="module")
def clock(read: Read, happened: pd.DataFrame) -> pd.DataFrame:
    """Every hour that London had, with what kind of day it was: an hour that was twice is two."""
    first, last = happened["month"].min().date(), (happened["month"].max() + pd.offsets.MonthEnd(0)).date()
    at = dt.datetime(first.year, first.month, first.day, tzinfo=UTC) - dt.timedelta(days=1)
    hours: dict[tuple[dt.date, int], int] = {}
    while (local := at.astimezone(LONDON)).date() <= last:
        if local.date() >= first:
            hours[local.date(), local.hour] = hours.get((local.date(), local.hour), 0) + 1
        at += dt.timedelta(hours=1)
    holidays = read("select * from intermediate.school_holiday")
    kinds: dict[dt.date, set[str]] = {}
    for one in holidays.itertuples():
        for day in pd.date_range(one.first_date, one.last_date):
            kinds.setdefault(day.date(), set()).add(one.day_kind)
    known = (holidays["first_date"].min().date(), holidays["last_date"].max().date())
    rows = []
    for (day, hour), count in hours.items():
        kind: str | None = "school_day"
        if not known[0] <= day <= known[1]:
            kind = None
        elif "bank_holiday" in kinds.get(day, ()):
            kind = "bank_holiday"
        elif day.isoweekday() >= 6:
            kind = "weekend"
        elif "school_holiday" in kinds.get(day, ()):
            kind = "school_holiday"
        began = day - dt.timedelta(days=hour < 5)
        is_night = (hour >= 20 or hour < 5) and began.isoweekday() in (5, 6, 7)
        rows.append((day, hour, count, day.isoweekday(), kind, is_night))
    found = pd.DataFrame(rows, columns=["day", "local_hour", "hours", "weekday", "day_kind", "is_night_time_economy"])
    found["local_date"] = pd.to_datetime(found["day"])
    return found.assign(month=found["local_date"].dt.to_period("M").dt.to_timestamp()).drop(columns="day")


@pytest.fixture(scope="module")
def spans(read: Read) -> pd.DataFrame:
    """The months of each whole financial year and of the 12 newest months of each measure."""
    events = read(
        "select distinct measure_code, month_start_date as month, source_release from intermediate.int_safestats_event_month"
    )
    events = events.groupby(["measure_code", "month"], as_index=False)["source_release"].max()
    searches = read(
        "select scope, month_start_date as month, source_release from intermediate.int_police_uk_published where dataset = 'stop_and_search'"
    )
    scope = searches["scope"].map(lambda name: "" if name == "together" else f"{name}_")
    searches = searches.assign(measure_code="police_uk_" + scope + "stop_and_search")
    held = pd.concat([events, searches[["measure_code", "month", "source_release"]]])
    withheld = read(
        "select measure_code, month_start_date as month from intermediate.int_unplaced_share where dimension = 'area' and is_withheld"
    )
    held = held.merge(withheld.drop_duplicates().assign(is_withheld=True), on=["measure_code", "month"], how="left")
    held = held[held["is_withheld"].isna()].drop(columns="is_withheld")
    year = held["month"].dt.year - (held["month"].dt.month < 4)
    newest = held.groupby("measure_code")["month"].transform("max")
    yearly = held.assign(period_kind="financial_year", period_start_date=pd.to_datetime(year.astype(str) + "-04-01"))
    yearly = yearly[yearly.groupby(PERIOD)["month"].transform("size") == 12]
    rolling = held.assign(period_kind="rolling_12_months", period_start_date=newest - pd.DateOffset(months=11))
    rolling = rolling[rolling["month"] >= rolling["period_start_date"]]
    both = pd.concat([yearly, rolling])
    return both.assign(months_held=both.groupby(PERIOD)["month"].transform("size"))


def told_apart(moments: pd.DataFrame) -> pd.DataFrame:
    """A row for each dimension of a moment: its weekday, the kind of its day, its hour and what an hour belongs to."""
    day = moments["weekday"].map(lambda number: f"{number} {DAYS[number - 1]}")
    has_hour = moments["local_hour"].notna()
    hour = moments["local_hour"].fillna(0).astype(int)
    two = hour.map("{:02d}".format)
    four = (hour // 4 * 4).map(lambda first: f"{first:02d}-{first + 3:02d}")
    night = np.where(moments["is_night_time_economy"].eq(True), "Friday to Sunday 20:00-04:59", "all other hours")
    values = {
        "weekday": day, "day_kind": moments["day_kind"], "hour": two.where(has_hour), "weekday_4_hours": (day + " " + four).where(has_hour),
        "weekday_hour": (day + " " + two).where(has_hour), "school_day_hour": two.where(has_hour & (moments["day_kind"] == "school_day")),
        "night_time_economy": pd.Series(night, moments.index).where(has_hour),
    }  # fmt: skip
    parts = [moments.assign(dimension=name, dimension_value=value) for name, value in values.items()]
    return pd.concat(parts).dropna(subset="dimension_value")


def of_the_year(months: pd.DataFrame) -> pd.DataFrame:
    """A row for each dimension of a month."""
    number = months["month"].dt.month
    return pd.concat(
        [
            months.assign(dimension="month_of_year", dimension_value=number.map("{:02d}".format)),
            months.assign(dimension="season", dimension_value=(number % 12 // 3).map(dict(enumerate(SEASONS)))),
        ]
    )


def test_hours_are_those_that_london_had(read: Read, clock: pd.DataFrame) -> None:
    found = read("select * from intermediate.int_temporal_hour").rename(columns={"month_start_date": "month"})
    assert unlike(found, clock, ["local_date", "local_hour"]) == {}


def test_periods_are_whole_years_and_the_twelve_newest_months(read: Read, spans: pd.DataFrame) -> None:
    found = read("select *, month_start_date as month from intermediate.int_temporal_period")
    assert unlike(found, spans, [*PERIOD, "month"]) == {}


def test_events_are_counted_by_every_dimension_of_their_moment(
    read: Read, happened: pd.DataFrame, clock: pd.DataFrame, spans: pd.DataFrame, halves: pd.DataFrame
) -> None:
    rows = happened.merge(halves, on="area_code").drop(columns="area_code").rename(columns={"of": "area_code"})
    day = clock[["local_date", "day_kind"]].drop_duplicates()
    hour = clock[["local_date", "local_hour", "is_night_time_economy"]]
    rows = rows.merge(day, on="local_date", how="left").merge(hour, on=["local_date", "local_hour"], how="left")
    rows = rows.assign(weekday=rows["local_date"].dt.dayofweek + 1)
    group = [
        "measure_code",
        "month",
        "area_code",
        "weekday",
        "day_kind",
        "local_hour",
        "time_quality",
        "is_night_time_economy",
    ]
    rows = rows.groupby(group, as_index=False, dropna=False)["event_count"].sum()
    rows = rows.merge(spans[[*PERIOD, "month"]], on=["measure_code", "month"])
    quality = rows.assign(dimension="time_quality", dimension_value=rows["time_quality"])
    told = pd.concat([told_apart(rows), of_the_year(rows), quality])
    told = told[(told["dimension"] != "weekday_hour") | ~told["area_code"].str.startswith("E09")]
    key = [*PERIOD, "area_code", "dimension", "dimension_value"]
    found = read("select * from intermediate.int_temporal_count")
    assert unlike(found, told.groupby(key, as_index=False)["event_count"].sum(), key) == {}


def test_what_is_expected_is_the_share_of_the_hours(read: Read, clock: pd.DataFrame, spans: pd.DataFrame) -> None:
    told = pd.concat([told_apart(clock), of_the_year(clock)])
    hours = told.groupby(["month", "dimension", "dimension_value"], as_index=False)["hours"].sum()
    key = [*PERIOD, "dimension", "dimension_value"]
    due = spans.merge(hours, on="month").groupby(key, as_index=False)["hours"].sum()
    due = due.assign(all_hours=due.groupby([*PERIOD, "dimension"])["hours"].transform("sum"))
    assert unlike(read("select * from intermediate.int_temporal_expected"), due, key) == {}


def test_a_profile_of_time_gives_shares_limits_and_an_index_to_what_is_expected(read: Read) -> None:
    found = read("select * from marts.rpt_temporal_profile")
    counts = read("select * from intermediate.int_temporal_count")
    hours = read("select * from intermediate.int_temporal_expected")
    season = read(
        "select *, 'whole_years' as period_kind, event_count as own_count, days as part from intermediate.window_season"
    )
    key = [*PERIOD, "area_code", "dimension", "dimension_value"]
    dated = counts.assign(own_count=counts["event_count"]).merge(
        hours.rename(columns={"hours": "part", "all_hours": "whole"}),
        on=[*PERIOD, "dimension", "dimension_value"],
        how="left",
    )
    season = season.assign(whole=season.groupby(["measure_code", "area_code", "dimension"])["part"].transform("sum"))
    both = pd.concat([dated, season])[[*key, "own_count", "part", "whole"]]
    withheld = read(
        "select measure_code, month_start_date as month from intermediate.int_unplaced_share where dimension = 'hour' and is_withheld"
    )
    months = read("select *, month_start_date as month from intermediate.int_temporal_period")
    no_hours = months.merge(withheld.drop_duplicates(), on=["measure_code", "month"])[PERIOD].drop_duplicates()
    rows = found.merge(both, on=key, how="outer", indicator="side")
    assert set(rows["side"]) == {"both"}
    rows = rows.merge(no_hours.assign(lacks_hours=True), on=PERIOD, how="left")
    count = rows["own_count"].where(~(rows["lacks_hours"].eq(True) & rows["dimension"].isin(BY_HOUR)))
    known = count.groupby([rows[name] for name in [*PERIOD, "area_code", "dimension"]]).transform(
        lambda counts: counts.sum(min_count=1)
    )
    low, high = wilson(count, known)
    expected = known * rows["part"] / rows["whole"]
    due: Due = {
        "event_count": (count, 0), "known_count": (known, 0), "share_percent": (100 * count / known, 5e-4),
        "share_lower_95_percent": (100 * low, 5e-4), "share_upper_95_percent": (100 * high, 5e-4),
        "expected_share_percent": (100 * rows["part"] / rows["whole"], 5e-4),
        "index_to_expected": ((100 * count / expected).where(expected >= 5 - 1e-9), 0.05),
    }  # fmt: skip
    assert differing(rows, due) == {}


PERSON = ["measure_code", "area_code", "month", "sex", "age_band", "ethnicity", "ethnicity_basis"]


@pytest.fixture(scope="module")
def persons(read: Read) -> pd.DataFrame:
    """The people of the profile's measures by area and month, in one vocabulary."""
    profile = read("select * from intermediate.victim_profile_measure")
    killed = read(
        "select *, month_start_date as month, person_count as people from intermediate.int_mps_homicide_person"
    )
    which = {
        "mps_homicide_victims": killed["dataset"] == "homicide_victims", "mps_homicide_accused": killed["dataset"] == "homicide_accused",
        "mps_homicide_victims_knife": killed["method_of_killing"] == "knife_or_sharp_implement",
        "mps_homicide_victims_shooting": killed["method_of_killing"] == "shooting",
        "mps_homicide_victims_domestic_abuse": killed["is_domestic_abuse"].eq(True),
    }  # fmt: skip
    basis = dict(zip(profile["measure_code"], profile["ethnicity_basis"], strict=True))
    parts = [killed[those].assign(measure_code=code, ethnicity_basis=basis[code]) for code, those in which.items()]
    searched = read(
        "select *, month_start_date as month, search_count as people from intermediate.int_police_uk_search where scope = 'together' and is_of_person"
    )
    searched = searched.assign(measure_code="police_uk_people_searched")
    parts.append(searched.assign(ethnicity_basis="self_defined"))
    parts.append(searched.assign(ethnicity_basis="officer_observed", ethnicity=searched["officer_defined_ethnicity"]))
    calls = "safestats_las_violence_dispatches"
    treated = read(
        f"""select e.measure_code, e.area_code, e.month_start_date as month, e.load_id, p.sex, p.age_band, 1 as people
            from intermediate.int_safestats_event as e
            inner join staging.stg_safestats__ambulance_patient as p using (load_id, row_number) where e.measure_code = '{calls}'"""
    )
    own = read(
        f"select distinct load_id, month_start_date as month from intermediate.int_safestats_event_month where measure_code = '{calls}'"
    )
    parts.append(treated.merge(own, on=["load_id", "month"]).assign(ethnicity="all", ethnicity_basis="not_split"))
    for model in ("int_mps_dashboard_month", "int_safestats_ambulance_month"):
        counts = read(f"select *, month_start_date as month, month_count as people from intermediate.{model}")
        counts = counts[counts["measure_code"].isin(profile["measure_code"])]
        parts.append(counts.assign(sex="all", age_band="all", ethnicity="all", ethnicity_basis="not_split"))
    rows = pd.concat([part[[*PERSON, "people"]] for part in parts])
    unknown = {"unknown": "unknown", "not_recorded": "unknown"}
    words = {
        "sex": unknown, "age_band": unknown | {"under_10": "0-9", "over_34": "35+"},
        "ethnicity": unknown | {"declined": "not_stated", "not_stated": "not_stated"},
    }  # fmt: skip
    for name, other in words.items():
        rows[name] = rows[name].map(lambda word, other=other: other.get(word, word)).fillna("unknown")
    return rows.groupby(PERSON, as_index=False)["people"].sum()


def test_people_are_put_into_one_vocabulary(read: Read, persons: pd.DataFrame) -> None:
    found = read("select *, month_start_date as month, person_count as people from intermediate.int_profile_person")
    assert unlike(found, persons, PERSON) == {}


def test_a_profile_s_splits_are_the_sums_of_its_people(read: Read, persons: pd.DataFrame, halves: pd.DataFrame) -> None:
    months = read("select measure_code, month_start_date as month from intermediate.int_profile_month")
    rows = persons.merge(months, on=["measure_code", "month"]).merge(halves, on="area_code")
    rows = rows.drop(columns="area_code").rename(columns={"of": "area_code"})
    profile = read("select measure_code, ethnicity_basis as own_basis from intermediate.victim_profile_measure")
    found = read("select * from intermediate.int_profile_count where person_count is not null")
    spans = found[[*PERIOD, "period_end_date"]].drop_duplicates()
    rows = rows.merge(profile, on="measure_code").merge(spans, on="measure_code")
    rows = rows[rows["month"].between(rows["period_start_date"], rows["period_end_date"])]
    rows = rows.groupby(
        [*PERIOD, "area_code", "sex", "age_band", "ethnicity", "ethnicity_basis", "own_basis"], as_index=False
    )["people"].sum()
    ends = rows["age_band"].str.extract(r"^\d+-(\d+)$")[0].astype(float)
    key = [*PERIOD, "area_code", "sex", "age_band", "ethnicity", "ethnicity_basis"]
    is_own = rows["ethnicity_basis"] == rows["own_basis"]
    young = rows[ends <= 24].assign(age_band="0-24")
    # A whole of the young alone is no split that is shown.
    with_groups = rows[rows["ethnicity_basis"] != "not_split"]
    parts = [
        rows[is_own].assign(ethnicity_basis="not_split", age_band="all", ethnicity="all"),
        with_groups.assign(sex="all", age_band="all"),
    ]
    for by_age in (rows, young):
        own = by_age[is_own.reindex(by_age.index)].assign(ethnicity_basis="not_split", ethnicity="all")
        parts += [own.assign(sex="all"), own, by_age[by_age["ethnicity_basis"] != "not_split"].assign(sex="all")]
    sums = pd.concat(parts).groupby(key, as_index=False)["people"].sum()
    shown = found[found["is_by_sex"] | found["is_by_age"] | found["is_by_ethnicity"]]
    shown = shown[(shown["is_by_sex"] | (shown["sex"] == "all")) & (shown["is_by_age"] | (shown["age_band"] == "all"))]
    met = shown.merge(sums, on=key, how="left")
    assert int((met["people"] != met["person_count"]).sum()) == 0
