"""Every formula of the marts a second time: in pandas, numpy and scipy, from the counts that the marts hold, on a first night of every source.

Nothing of the models is read here but their columns. A figure that is rounded there may differ by half of its last digit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Due, Read, borough_codes, breaks_of_series, differ, differing, in_range, poisson, reader

pytestmark = pytest.mark.timeout(600)

LENGTHS = {"month": 1, "rolling_3": 3, "rolling_6": 6, "rolling_12": 12}
WINDOWS = [*LENGTHS, "financial_year_to_date"]
SERIES = ["measure_code", "area_code", "sex", "age_band"]
RANKING = ["measure_code", "sex", "age_band", "month"]

# One measure of four, and each that is split by sex or age: what holds for these formulas holds for the others' months.
SOME = """(abs(hashtext({0}.measure_code)) % 4 = 0 or {0}.measure_code in (
    select measure_code from marts.fct_window where month_start_date = date '2026-08-01' and age_band <> 'all'))"""


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def breaks(read: Read) -> pd.DataFrame:
    return breaks_of_series(read)


@pytest.fixture(scope="module")
def boroughs(read: Read) -> list[str]:
    return borough_codes(read)


def quarters(ranked: pd.DataFrame, by: str) -> pd.Series:
    """The quarter of a ranking in which a figure lies, 1 the highest: equal ones share that of the middle of their places."""
    groups = ranked.groupby(RANKING)[by]
    # The average rank is the middle of the places.
    quarter = np.ceil(4 * groups.rank(method="average", ascending=False) / groups.transform("count") - 1e-9)
    return quarter.where(groups.transform("count") >= 8)


@pytest.fixture(scope="module")
def months(read: Read) -> pd.DataFrame:
    """The months of fct_measure that can be added up, numbered, with the days they have."""
    found = read(
        f"""select f.measure_code, f.area_code, f.sex, f.age_band, f.period_start_date as month, f.value
            from marts.fct_measure as f inner join marts.dim_measure as m on m.measure_code = f.measure_code and m.is_summable_over_time
            where f.period_kind = 'month' and f.ethnicity = 'all' and {SOME.format("f")}"""
    )
    found["number"] = found["month"].dt.year * 12 + found["month"].dt.month - 1
    found["days"] = found["month"].dt.days_in_month
    return found.sort_values([*SERIES, "number"], ignore_index=True)


@pytest.fixture(scope="module")
def windows(read: Read) -> pd.DataFrame:
    columns = [
        *(f"{window}_{what}" for window in WINDOWS for what in ("count", "rank", "quartile", "change_quartile")),
        *("residents", "residents_year", "rolling_12_residents", "rolling_12_residents_year", "rolling_12_rank_by_count"),
        *("chart_centre", "chart_lower", "chart_upper", "chart_signal", "break_month_start_date"),
    ]  # fmt: skip
    found = read(
        f"""select measure_code, area_code, sex, age_band, month_start_date as month, {", ".join(columns)}
            from marts.fct_window as w where {SOME.format("w")}"""
    )
    return found.sort_values([*SERIES, "month"], ignore_index=True)


@pytest.fixture(scope="module")
def added_up(months: pd.DataFrame) -> pd.DataFrame:
    """Each month with its windows, and those of a year before, by a table of series by months: what is not there is NaN."""
    series = months.groupby(SERIES, sort=True).ngroup().to_numpy()
    first = int(months["number"].min())
    at = (months["number"] - first).to_numpy()
    shape = (series.max() + 1, at.max() + 1)
    count, is_there = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    count[series, at] = months["value"]
    is_there[series, at] = True

    def back(table: np.ndarray, by: int) -> np.ndarray:
        empty = np.full((shape[0], by), np.nan if table.dtype == float else False)
        return np.concatenate([empty, table[:, : shape[1] - by]], axis=1)

    def sums(length: int) -> np.ndarray:
        return np.sum([back(count, by) for by in range(length)], axis=0)

    found = months.copy()
    tables = {name: sums(length) for name, length in LENGTHS.items()}
    since_april = (np.arange(shape[1]) + first - 3) % 12
    tables["financial_year_to_date"] = np.full(shape, np.nan)
    for length in range(1, 13):
        of_year = since_april == length - 1
        tables["financial_year_to_date"][:, of_year] = sums(length)[:, of_year]
    whole_year = np.logical_and.reduce([back(is_there, by) for by in range(13)])
    for name, table in tables.items():
        found[f"{name}_count"] = table[series, at]
        found[f"previous_{name}_count"] = np.where(whole_year, back(table, 12), np.nan)[series, at]
    return found


def test_windows_are_the_sums_of_their_months(windows: pd.DataFrame, added_up: pd.DataFrame) -> None:
    assert windows[[*SERIES, "month"]].equals(added_up[[*SERIES, "month"]])
    assert {name: differ(windows[f"{name}_count"], added_up[f"{name}_count"]) for name in WINDOWS} == dict.fromkeys(
        WINDOWS, 0
    )


def test_residents_are_of_the_newest_estimate_that_is_not_later(windows: pd.DataFrame, read: Read) -> None:
    single = read(
        """select area_code, sex, age_band, date_part('year', period_start_date)::integer as year, value as residents from marts.fct_measure
           where measure_code = 'nomis_population' and ethnicity = 'all' and value is not null and age_band ~ '^[0-9]+[+]?$'"""
    )
    single["age"] = single["age_band"].str.rstrip("+").astype(int)
    population = read("select measure_code, denominator_population as population from marts.dim_measure")
    rows = windows.merge(population, on="measure_code", how="left")
    is_all = (rows["sex"] == "all") & (rows["age_band"] == "all")
    told = rows["population"].str.split(":", expand=True)
    sex = told[0].where(is_all, rows["sex"]).where(rows["population"].notna())
    band = told[1].where(is_all, rows["age_band"]).where(rows["population"].notna())
    estimates = []
    for wanted in sorted(set(band.dropna())):
        ends = {"all": (0, 90)}.get(wanted)
        if ends is None and wanted.rstrip("+").replace("-", "").isdigit():
            low, _, high = wanted.partition("-")
            ends = (int(low.rstrip("+")), int(high) if high else 90)
        if ends is None:
            continue
        of_band = (
            single[single["age"].between(*ends)]
            .groupby(["area_code", "sex", "year"])["residents"]
            .agg(["sum", "count"])
        )
        of_band = of_band[of_band["count"] == ends[1] - ends[0] + 1].reset_index().assign(band=wanted)
        estimates.append(of_band)
    known = pd.concat(estimates).rename(columns={"sum": "residents", "year": "of_year"})
    for name, day in (("", rows["month"]), ("rolling_12_", rows["month"] - pd.DateOffset(months=6))):
        asked = pd.DataFrame(
            {"area_code": rows["area_code"], "sex": sex, "band": band, "year": day.dt.year.astype("int64")}
        )
        due = pd.merge_asof(
            asked.reset_index().sort_values("year", kind="stable"), known[["area_code", "sex", "band", "of_year", "residents"]].sort_values("of_year"),
            left_on="year", right_on="of_year", by=["area_code", "sex", "band"],
        ).sort_values("index")  # fmt: skip
        assert differ(windows[f"{name}residents"], due["residents"].to_numpy()) == 0
        assert differ(windows[f"{name}residents_year"], due["of_year"].to_numpy()) == 0


def test_boroughs_are_ranked_by_rate_or_all_by_count(
    windows: pd.DataFrame, added_up: pd.DataFrame, boroughs: list[str]
) -> None:
    ranked = windows.assign(**{f"previous_{name}": added_up[f"previous_{name}_count"] for name in WINDOWS})
    ranked = ranked[ranked["area_code"].isin(boroughs)].copy()
    for name in WINDOWS:
        people = ranked["rolling_12_residents"] if name == "rolling_12" else ranked["residents"]
        if name == "financial_year_to_date":
            people = people.where(ranked["month"].dt.month != 3, ranked["rolling_12_residents"])
        ranked["people"] = people
        nobody_is_known = ranked.groupby(RANKING)["people"].transform("count") == 0
        ranked["level"] = ranked[f"{name}_count"] / people.where(~nobody_is_known, 1)
        before = ranked[f"previous_{name}"]
        ranked["change"] = (ranked[f"{name}_count"] / before).where(before > 0)
        assert (
            differ(ranked[f"{name}_rank"], ranked.groupby(RANKING)["level"].rank(method="min", ascending=False)) == 0
        ), name
        assert differ(ranked[f"{name}_quartile"], quarters(ranked, "level")) == 0, name
        assert differ(ranked[f"{name}_change_quartile"], quarters(ranked, "change")) == 0, name
    by_count = ranked.groupby(RANKING)["rolling_12_count"].rank(method="min", ascending=False)
    assert differ(ranked["rolling_12_rank_by_count"], by_count) == 0
    others = windows[~windows["area_code"].isin(boroughs)]
    assert (
        others[[f"{name}_{what}" for name in WINDOWS for what in ("rank", "quartile", "change_quartile")]]
        .isna()
        .all(axis=None)
    )


def test_charts_are_of_the_24_months_before_since_the_newest_break(
    windows: pd.DataFrame, months: pd.DataFrame, read: Read
) -> None:
    steps = read(
        "select measure_code, scope_area_code, break_month as month, restarts_chart, stands_apart from intermediate.int_series_step"
    )
    rows = months.assign(order=range(len(months)))
    everywhere = steps[steps["scope_area_code"] == "all"].drop(columns="scope_area_code")
    rows = rows.merge(everywhere, on=["measure_code", "month"], how="left")
    rows = rows.merge(
        steps.rename(columns={"scope_area_code": "area_code"}), on=["measure_code", "month", "area_code"], how="left", suffixes=("", "_own")
    ).sort_values("order")  # fmt: skip
    restarts = rows["restarts_chart"].eq(True) | rows["restarts_chart_own"].eq(True)
    apart = rows["stands_apart"].eq(True) | rows["stands_apart_own"].eq(True)
    series = rows.groupby(SERIES, sort=False).ngroup()
    chart = series.astype(str) + "/" + restarts.groupby(series).cumsum().astype(str)
    per_day = (rows["value"] / rows["days"]).where(~apart)
    grouped = per_day.groupby(chart)
    step = (per_day - grouped.shift(1)).abs().where(rows["number"] - rows["number"].groupby(chart).shift(1) == 1)

    def of_24_before(figures: pd.Series, what: str) -> pd.Series:
        rolled = figures.groupby(chart, sort=False).rolling(24, min_periods=1, closed="left")
        return getattr(rolled, what)().reset_index(level=0, drop=True).reindex(rows.index)

    centre = of_24_before(per_day, "mean").where((of_24_before(per_day, "count") >= 12) & per_day.notna())
    reach = 2.66 * of_24_before(step, "mean")
    lower, upper = (centre - reach).clip(lower=0), centre + reach
    windows = windows.reset_index(drop=True)
    rows = rows.reset_index(drop=True)
    for name, line in (("centre", centre), ("lower", lower), ("upper", upper)):
        assert differ(windows[f"chart_{name}"], (line.to_numpy() * rows["days"].to_numpy()), 0.005) == 0, name
    side = np.sign((per_day - centre).round(12))
    of_eight = (
        side.groupby(chart, sort=False)
        .rolling(8, min_periods=8)
        .sum()
        .reset_index(level=0, drop=True)
        .reindex(side.index)
    )
    due = np.select(
        [per_day > upper, per_day < lower, of_eight == 8, of_eight == -8],
        ["above_upper_limit", "below_lower_limit", "eight_above_centre", "eight_below_centre"], "none",
    )  # fmt: skip
    # Two ways of adding up fall on two sides of a limit that a month lies on.
    on_the_line = np.minimum.reduce([np.abs(per_day - line) for line in (centre, lower, upper)]) < 1e-9
    due = pd.Series(due).where(centre.notna().to_numpy())
    wrong = (windows["chart_signal"].fillna("") != due.fillna("")) & ~np.asarray(on_the_line)
    assert int(wrong.sum()) == 0
    assert set(windows["chart_signal"].dropna()) > {"none", "above_upper_limit"}


def test_a_borough_measure_is_its_window_and_what_follows_from_it(
    read: Read, windows: pd.DataFrame, added_up: pd.DataFrame, breaks: pd.DataFrame
) -> None:
    days = ("2026-03-01", "2025-12-01")
    found = pd.concat(
        [
            read(f"select *, month_start_date as month from marts.rpt_borough_measure as r where month_start_date = date '{day}' and {SOME.format('r')}")
            for day in days
        ],
        ignore_index=True,
    )  # fmt: skip
    measures = read("select measure_code, rate_per as due_per from marts.dim_measure")
    kind = found["window_kind"].replace({"calendar_year": "rolling_12", "financial_year": "rolling_12"})
    whole = windows[windows["month"].isin(pd.to_datetime(days))].assign(
        **{f"previous_{name}": added_up[f"previous_{name}_count"] for name in WINDOWS}
    )
    whole["month_residents"] = whole["rolling_3_residents"] = whole["rolling_6_residents"] = whole["residents"]
    whole["financial_year_to_date_residents"] = whole["residents"].where(
        whole["month"].dt.month != 3, whole["rolling_12_residents"]
    )
    long = pd.concat(
        [
            whole[[*SERIES, "month"]].assign(
                kind=name, count=whole[f"{name}_count"], people=whole[f"{name}_residents"], rank=whole[f"{name}_rank"],
                quartile=whole[f"{name}_quartile"], change_quartile_due=whole[f"{name}_change_quartile"], before=whole[f"previous_{name}"],
            )
            for name in WINDOWS
        ]
    )  # fmt: skip
    london = long[long["area_code"] == "LONDON_32"].drop(
        columns=["area_code", "rank", "quartile", "change_quartile_due", "before"]
    )
    rows = found.assign(kind=kind).merge(long, on=[*SERIES, "month", "kind"], how="left")
    rows = rows.merge(
        london, on=["measure_code", "sex", "age_band", "month", "kind"], how="left", suffixes=("", "_of_london")
    )
    rows = rows.merge(measures, on="measure_code")
    assert len(rows) == len(found) > 5_000
    a_count = rows["due_per"] / rows["people"]
    lower_95, upper_95 = poisson(rows["count"], 0.95)
    lower_998, upper_998 = poisson(rows["count"], 0.998)
    london_rate = rows["count_of_london"] / rows["people_of_london"] * rows["due_per"]
    rate = rows["count"] * a_count
    has_share = (rows["area_type"] == "borough") | rows["area_code"].isin(["LONDON_32", "INNER", "OUTER"])
    share = (100 * rows["count"] / rows["count_of_london"].where(rows["count_of_london"] > 0)).where(has_share)
    first = pd.to_datetime(rows["window_start_date"])
    due: Due = {
        "window_count": (rows["count"], 0), "denominator": (rows["people"], 0), "rank_in_london": (rows["rank"], 0),
        "level_quartile": (rows["quartile"], 0), "change_quartile": (rows["change_quartile_due"], 0), "rate": (rate, 0),
        "rate_lower_95": (lower_95 * a_count, 0), "rate_upper_95": (upper_95 * a_count, 0), "rate_lower_998": (lower_998 * a_count, 0),
        "rate_upper_998": (upper_998 * a_count, 0), "london_count": (rows["count_of_london"], 0), "london_rate": (london_rate, 0),
        "location_quotient": (rate / london_rate.where(london_rate > 0), 0), "share_of_london_percent": (share, 0.0005),
        "change_on_year_before_percent": (100 * (rows["count"] - rows["before"]) / rows["before"].where(rows["before"] > 0), 0.005),
        "has_series_break": (in_range(breaks, rows, first, rows["month"]), 0),
    }  # fmt: skip
    is_there = rows["window_count"].notna()
    assert {name: differ(rows[name][is_there], pd.Series(figure, index=rows.index)[is_there], within) for name, (figure, within) in due.items()} == dict.fromkeys(due, 0)  # fmt: skip


def test_a_month_of_a_borough_is_its_window_beside_london_s(read: Read) -> None:
    found = read(
        f"""select r.*, w.rolling_12_rank_by_count, w.month_count as month_of_window, w.rolling_12_count as year_of_window,
              l.month_count as month_of_london, l.rolling_12_count as year_of_london, b.rolling_12_count as year_before
            from marts.rpt_borough_month as r
            inner join marts.fct_window as w using (measure_code, area_code, month_start_date)
            inner join marts.fct_window as l on l.area_code = 'LONDON_32' and (l.measure_code, l.month_start_date, l.sex, l.age_band)
              = (r.measure_code, r.month_start_date, 'all', 'all')
            left join marts.fct_window as b on (b.measure_code, b.area_code, b.month_start_date, b.sex, b.age_band)
              = (r.measure_code, r.area_code, (r.month_start_date - interval '1 year')::date, 'all', 'all')
            where w.sex = 'all' and w.age_band = 'all' and r.month_start_date in (date '2026-10-01', date '2026-03-01') and {SOME.format("r")}"""
    )
    before = found["year_before"]
    due: Due = {
        "month_count": (found["month_of_window"], 0), "rolling_12_month_count": (found["year_of_window"], 0),
        "previous_rolling_12_month_count": (before, 0), "rank_in_london": (found["rolling_12_rank_by_count"], 0),
        "change_on_year_percent": (100 * (found["year_of_window"] - before) / before.where(before > 0), 0.005),
        "share_of_london_percent": (100 * found["month_of_window"] / found["month_of_london"].replace(0, np.nan), 0.0005),
        "rolling_12_month_share_of_london_percent": (100 * found["year_of_window"] / found["year_of_london"].replace(0, np.nan), 0.0005),
    }  # fmt: skip
    assert differing(found, due) == {}
