"""Every formula of the reports a second time: in pandas, numpy and scipy, from the counts that the marts hold, on a first night of every source.

Nothing of the models is read here but their columns. A figure that is rounded there may differ by half of its last digit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.homes import Home
from tests.recomputed import (
    Due,
    Read,
    Z,
    borough_codes,
    breaks_of_series,
    differ,
    differing,
    in_range,
    poisson,
    reader,
    wilson,
)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def breaks(read: Read) -> pd.DataFrame:
    return breaks_of_series(read)


@pytest.fixture(scope="module")
def boroughs(read: Read) -> list[str]:
    return borough_codes(read)


def test_hotspots_rank_share_and_rate_the_counts_beside_them(read: Read, breaks: pd.DataFrame) -> None:
    found = read("select * from marts.rpt_hotspots")
    assert len(found) > 500
    count, people = found["count_12_months"], found["residents"]
    lower, upper = poisson(count, 0.95)
    due: Due = {
        "rate_per_1000": (1000 * count / people, 0.005), "rate_per_1000_lower_95": (1000 * lower / people, 0.005),
        "rate_per_1000_upper_95": (1000 * upper / people, 0.005), "is_below_minimum_count": (count < 10, 0),
    }  # fmt: skip
    for scope, among in (
        ("london", ["area_level", "measure_code"]),
        ("borough", ["area_level", "measure_code", "area_code"]),
    ):
        groups = found.groupby(among)
        total = groups["count_12_months"].transform("sum")
        due[f"rank_in_{scope}"] = (groups["count_12_months"].rank(method="min", ascending=False), 0)
        before = groups["previous_count_12_months"].rank(method="min", ascending=False)
        due[f"previous_rank_in_{scope}"] = (before, 0)
        greater = pd.Series(0.0, index=found.index)
        for _, group in groups:
            table = group["count_12_months"].to_numpy()
            greater[group.index] = (table[None, :] * (table[None, :] > table[:, None])).sum(axis=1)
        here = greater + groups["count_12_months"].transform(lambda counts: counts * counts.map(counts.value_counts()))
        due[f"cumulative_share_of_{scope}_percent"] = (100 * here / total.where(total > 0), 0.005)
        band = np.select([count == 0, greater < 0.25 * total, greater < 0.5 * total], [np.nan, 25, 50], 100)
        due[f"{scope}_harm_band_percent"] = (band, 0)
        if scope == "borough":
            due["share_of_borough_percent"] = (100 * count / total.where(total > 0), 0.0005)
        p, adjusted = found["change_p_value"], pd.Series(np.nan, index=found.index)
        for _, group in found[p.notna()].groupby(among):
            adjusted[group.index] = stats.false_discovery_control(group["change_p_value"].to_numpy())
        due[f"change_p_adjusted_in_{scope}"] = (adjusted, 1e-9)
    start = found["window_start_date"] - pd.DateOffset(years=1)
    due["has_series_break"] = (in_range(breaks, found, start, found["window_end_date"]), 0)
    assert differing(found, due) == {}
    tested = found[found["change_p_value"].notna()].iloc[::20]
    exact = [
        stats.binomtest(int(now), int(now + then), 0.5).pvalue
        for now, then in zip(tested["count_12_months"], tested["previous_count_12_months"], strict=True)
    ]
    assert differ(tested["change_p_value"], np.array(exact), 1e-9) == 0


def test_success_measures_are_counts_by_person_years_and_changes_of_them(read: Read, breaks: pd.DataFrame) -> None:
    found = read("select * from marts.rpt_success_measures where availability <> 'not_available'")
    ours = found[found["limits_method"] != "as published"].copy()
    assert len(ours) > 500
    years = ours["period_kind"].isin(["financial_years_3", "rolling_36_months"]).map({True: 3, False: 1})
    people = read(
        "select area_code, age_band as residents_age_band, year as residents_year, residents from intermediate.int_residents_band where sex = 'all'"
    )
    middle = ours["period_start_date"] + (ours["period_end_date"] - ours["period_start_date"]) // 2
    newest = people["residents_year"].max()
    assert differ(ours["residents_year"], np.minimum(middle.dt.year, newest).where(ours["residents_year"].notna())) == 0
    ours = ours.merge(people, on=["area_code", "residents_age_band", "residents_year"], how="left")
    person_years = ours["residents"] * years.to_numpy()
    lower, upper = poisson(ours["numerator"], 0.95)
    due: Due = {
        "denominator": (person_years, 0.05), "value": (100_000 * ours["numerator"] / person_years, 1e-4),
        "lower_95": (100_000 * lower / person_years, 1e-4), "upper_95": (100_000 * upper / person_years, 1e-4),
        "change_count": (ours["numerator"] - ours["baseline_numerator"], 1e-6),
        "change_percent": (100 * (ours["value"] - ours["baseline_value"]) / ours["baseline_value"].replace(0, np.nan), 0.0051),
    }  # fmt: skip
    assert differing(ours, due) == {}
    events = read(
        """select measure_code, area_code, period_start_date as month, value from marts.fct_measure
           where period_kind = 'month' and sex = 'all' and age_band = 'all' and ethnicity = 'all'
             and measure_code in (select measure_code from marts.rpt_success_measures)"""
    )
    spans = ours.reset_index()[["index", "measure_code", "area_code", "period_start_date", "period_end_date"]]
    inside = spans.merge(events, on=["measure_code", "area_code"])
    inside = inside[inside["month"].between(inside["period_start_date"], inside["period_end_date"])]
    assert differ(ours["numerator"], inside.groupby("index")["value"].sum().reindex(ours.index)) == 0
    first = found[["period_start_date", "baseline_start_date"]].min(axis=1)
    has_break = in_range(breaks, found, first, found["period_end_date"])
    assert int((has_break != found["break_reason"].notna().to_numpy()).sum()) == 0
    assert (
        int(
            (
                found.loc[found["significance"] != "not_tested", "baseline_end_date"]
                >= found.loc[found["significance"] != "not_tested", "period_start_date"]
            ).sum()
        )
        == 0
    )


def test_drivers_are_scored_ranked_and_compared_among_the_boroughs(read: Read, boroughs: list[str]) -> None:
    found = read("select * from marts.rpt_drivers")
    period = ["measure_code", "period_kind", "period_start_date"]
    ranked = found["area_code"].isin(boroughs) & found["value"].notna() & ~found["is_force_wide"]
    value = found["value"].where(ranked)
    groups = value.groupby([found[name] for name in period])
    enough = groups.transform("count") >= 20
    score = (value - groups.transform("mean")) / groups.transform(lambda values: values.std(ddof=0)).replace(0, np.nan)
    place = {
        code: found[period].merge(found.loc[found["area_code"] == code, [*period, "value"]], on=period, how="left")[
            "value"
        ]
        for code in ("LONDON_33", "E92000001")
    }
    newest = found.groupby(["measure_code", "period_kind"])["period_start_date"].transform("max")
    assert differ(found["z_score"], score.where(enough), 0.005) == 0
    assert differ(found["rank_in_london"], groups.rank(method="min", ascending=False).where(enough)) == 0
    assert differ(found["boroughs_ranked"], groups.transform("count")) == 0
    assert differ(found["london_value"], place["LONDON_33"]) == 0
    assert differ(found["england_value"], place["E92000001"]) == 0
    assert int((found["is_newest_period"] != (found["period_start_date"] == newest)).sum()) == 0
    for column, other in (("compared_to_london", place["LONDON_33"]), ("compared_to_england", place["E92000001"])):
        label = np.select(
            [found["lower_95_limit"] > other, found["upper_95_limit"] < other], ["higher", "lower"], "similar"
        )
        is_told = found[["lower_95_limit", "upper_95_limit"]].notna().all(axis=1) & other.notna()
        # London is compared with England, and nobody with itself.
        itself = ["E92000001"] if column == "compared_to_england" else ["LONDON_33", "E92000001"]
        is_told &= ~found["is_force_wide"] & ~found["area_code"].isin(itself)
        assert int((found[column].fillna("") != np.where(is_told, label, "")).sum()) == 0, column
    is_day = found["period_kind"].str.startswith("on_")
    ended = (found["period_start_date"] - pd.Timedelta(days=1)).where(
        ~is_day, found["period_end_date"] - pd.DateOffset(years=1)
    )
    key = ["area_code", "measure_code", "period_kind", "ended"]
    earlier = found.loc[
        ~found["is_force_wide"], ["area_code", "measure_code", "period_kind", "period_end_date", "value"]
    ]
    before = found.assign(ended=ended)[key].merge(
        earlier.rename(columns={"period_end_date": "ended"}), on=key, how="left"
    )["value"].where(~found["is_force_wide"])  # fmt: skip
    assert differ(found["previous_value"], before) == 0
    assert differ(found["change"], found["value"] - before, 1e-6) == 0
    assert differ(found["change_percent"], 100 * (found["value"] - before) / before.replace(0, np.nan), 0.005) == 0


def test_fifths_of_deprivation_have_rates_a_ratio_and_a_slope(read: Read, breaks: pd.DataFrame) -> None:
    found = read("select * from marts.rpt_deprivation")
    area = ["place_level", "measure_code", "domain", "quintile_basis", "area_code"]
    count, people = found["numerator"].astype(float), found["denominator"]
    groups = found.groupby(area)
    lower, upper = poisson(count, 0.95)
    all_counts, all_people = groups["numerator"].transform("sum"), groups["denominator"].transform("sum", min_count=1)
    ends = {
        (what, fifth): found[area].merge(found.loc[found["quintile"] == fifth, [*area, what]], on=area, how="left")[what]
        for what in ("numerator", "denominator") for fifth in (1, 5)
    }  # fmt: skip
    enough = (ends["numerator", 1] >= 10) & (ends["numerator", 5] >= 10)
    ratio = (ends["numerator", 1] * ends["denominator", 5] / (ends["numerator", 5] * ends["denominator", 1])).where(
        enough
    )
    factor = np.exp(Z[0.95] * np.sqrt(1 / ends["numerator", 1] + 1 / ends["numerator", 5]))
    # Along the residents from the least deprived on, each fifth at the middle of its own: a line weighted by residents.
    by = found.sort_values([*area, "quintile"], ascending=False)
    middle = by.groupby(area)["denominator"].cumsum() - by["denominator"] / 2
    x = middle.reindex(found.index) / all_people - 0.5
    line = (
        pd.DataFrame({"xy": x * count, "xx": x * x * people}).groupby([found[name] for name in area]).transform("sum")
    )
    slopes = (1000 * line["xy"] / line["xx"]).where(
        (groups["denominator"].transform("count") == 5) & (all_counts >= 10)
    )
    mean = 1000 * all_counts / all_people
    due: Due = {
        "rate_per_1000": (1000 * count / people, 5e-5), "rate_per_1000_lower_95": (1000 * lower / people, 5e-5),
        "rate_per_1000_upper_95": (1000 * upper / people, 5e-5), "share_of_count_percent": (100 * count / all_counts.replace(0, np.nan), 0.005),
        "share_of_residents_percent": (100 * people / all_people, 0.005), "ratio_most_to_least_deprived": (ratio, 5e-4),
        "ratio_lower_95": (ratio / factor, 5e-4), "ratio_upper_95": (ratio * factor, 5e-4), "slope_index_per_1000": (slopes, 5e-4),
        "slope_index_over_mean": (slopes / mean, 5e-4), "relative_index": (slopes / mean, 5e-4),
        "relative_index_of_inequality": (((mean + slopes / 2) / (mean - slopes / 2)).where(slopes < 2 * mean), 5e-4),
    }  # fmt: skip
    assert differing(found, due) == {}
    of_all = breaks[breaks["area_code"].isna()]
    has_break = in_range(of_all, found, found["window_start_date"], found["window_end_date"])
    assert int((has_break != found["has_series_break"]).sum()) == 0


def test_profiles_of_people_have_shares_ratios_and_rates_of_the_counts_beside_them(
    read: Read, breaks: pd.DataFrame
) -> None:
    found = read("select * from marts.rpt_victim_profile")
    is_known = ~(found[["sex", "age_band", "ethnicity"]] == "unknown").any(axis=1) & (
        found["ethnicity"] != "not_stated"
    )
    count, whole, known = found["person_count"], found["whole_count"], found["known_count"]
    share_of, known_of = whole.where(count <= whole), known.where(is_known & (count <= known))
    residents_share = found["residents_share_percent"]
    ratio_of = known_of.where((known >= 10) & (residents_share > 0))
    whole_months = found["period_kind"].map({"rolling_36_months": 36}).fillna(12)
    person_years = (found["residents"] * found["months_held"] / 12).where(
        (found["months_held"] == whole_months) & (found["residents"] > 0)
    )
    low, high = wilson(count, share_of)
    low_known, high_known = wilson(count, ratio_of)
    lower, upper = poisson(count, 0.95)
    # The share of residents is rounded to thousandths before a ratio of it is seen here.
    loose = 0.0005 + 0.00051 * found["disproportionality_upper_95"].fillna(0) / residents_share.fillna(1).clip(
        lower=0.001
    )
    due: Due = {
        "share_percent": (100 * count / share_of.replace(0, np.nan), 5e-4), "share_lower_95_percent": (100 * low, 5e-4),
        "share_upper_95_percent": (100 * high, 5e-4), "share_of_known_percent": (100 * count / known_of.replace(0, np.nan), 5e-4),
        "rate_per_100000": (1e5 * count / person_years, 5e-5), "rate_lower_95": (1e5 * lower / person_years, 5e-5),
        "rate_upper_95": (1e5 * upper / person_years, 5e-5),
        "disproportionality": (100 * count / ratio_of / residents_share, loose),
        "disproportionality_lower_95": (100 * low_known / residents_share, loose),
        "disproportionality_upper_95": (100 * high_known / residents_share, loose),
        "is_below_5": (count.between(1, 4), 0),
    }  # fmt: skip
    assert differing(found, due) == {}
    has_break = in_range(breaks, found, found["period_start_date"], found["period_end_date"])
    assert int((has_break != found["has_series_break"]).sum()) == 0


def test_rates_are_standardised_on_the_european_population_of_2013(read: Read) -> None:
    found = read("select * from marts.rpt_victim_profile")
    standard = read("select age_band, standard_population from intermediate.esp2013")
    standard["age"] = standard["age_band"].str.extract(r"^(\d+)").astype(int)
    measures = read("select measure_code from intermediate.victim_profile_measure where is_standardised")[
        "measure_code"
    ]
    whole_months = found["period_kind"].map({"rolling_36_months": 36}).fillna(12)
    by_age = found[
        found["measure_code"].isin(measures) & (found["ethnicity"] == "all") & found["age_band"].str.match(r"\d")
        & (found["age_band"] != "0-24") & (found["sex"] != "unknown") & (found["months_held"] == whole_months)
    ].copy()  # fmt: skip
    ends = by_age["age_band"].str.extract(r"^(\d+)(?:-(\d+))?").astype(float).fillna(999)
    weight = {
        (low, high): standard.loc[standard["age"].between(low, high), "standard_population"].sum() / 100_000
        for low, high in set(zip(ends[0], ends[1], strict=True))
    }
    by_age["weight"] = [weight[key] for key in zip(ends[0], ends[1], strict=True)]
    years = by_age["residents"] * by_age["months_held"] / 12
    by_age["rate"] = by_age["weight"] * by_age["person_count"] / years
    by_age["variance"] = by_age["weight"] ** 2 * by_age["person_count"] / years**2
    by_age["is_known"] = by_age["residents"] > 0
    key = ["area_code", "measure_code", "period_kind", "period_start_date", "sex"]
    sums = by_age.groupby(key).agg(
        rate=("rate", "sum"), variance=("variance", "sum"), events=("person_count", "sum"), is_known=("is_known", "all")
    )
    whole = found[(found["age_band"] == "all") & (found["ethnicity"] == "all") & found["measure_code"].isin(measures)]
    due = whole[key].merge(sums[sums["is_known"]].reset_index(), on=key, how="left")
    enough = due["events"] >= 10
    lower, upper = (limit - due["events"] for limit in poisson(due["events"], 0.95))
    reach = np.sqrt(due["variance"] / due["events"])
    rows = whole.reset_index(drop=True)
    dues: Due = {
        "standardised_rate_per_100000": ((1e5 * due["rate"]).where(enough), 5e-5),
        "standardised_rate_lower_95": ((1e5 * (due["rate"] + reach * lower)).where(enough), 5e-5),
        "standardised_rate_upper_95": ((1e5 * (due["rate"] + reach * upper)).where(enough), 5e-5),
    }
    assert differing(rows, dues) == {}
