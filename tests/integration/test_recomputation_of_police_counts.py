"""What the police's files say of areas and months a second time: in pandas, from the published cells and the seeds that say what a label means."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Read, borough_codes, label, loads_of, months_of, newest_first, reader, unlike

pytestmark = pytest.mark.timeout(600)

SERIES_MONTH = ["measure_code", "area_code", "month"]
CATEGORY = ["category_vintage", "major", "minor"]
YOUNG = {"0-12", "13-19", "20-24", "0-9", "10-14", "15-19"}
WINNING = ["month_count", "load_id", "source_release", "is_provisional"]


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def boroughs(read: Read) -> list[str]:
    return borough_codes(read)


@pytest.fixture(scope="module")
def loads(read: Read) -> pd.DataFrame:
    """The Metropolitan Police's files; of those that are cut anew every month the newest is provisional."""
    found = loads_of(read, "mps")
    newest = newest_first(found, ["dataset"])["claim_number"].reindex(found.index) == 1
    return found.assign(is_provisional=newest & found["dataset"].str.endswith("recent"))


@pytest.fixture(scope="module")
def meanings(read: Read) -> pd.DataFrame:
    """What a category of a vintage counts towards: its own measure, its group, its series, and all offences; each once."""
    seed = read("select * from intermediate.mps_category")
    seed = seed.assign(
        major=label(seed["published_major"]), minor=label(seed["published_minor"]), every="mps_all_offences"
    )
    parts = [
        seed[[*CATEGORY, "is_zero_when_absent"]].assign(measure_code=seed[column])
        for column in ("measure_code", "group_measure_code", "series_measure_code", "every")
    ]
    return pd.concat(parts).dropna(subset="measure_code").drop_duplicates()


@pytest.fixture(scope="module")
def cells(read: Read) -> pd.DataFrame:
    found = read(
        """select load_id, published_major, published_minor, area_code, month_start_date as month, sum(offence_count) as offences
           from (select * from staging.stg_mps__borough_historical union all select * from staging.stg_mps__borough_recent) as cells
           group by 1, 2, 3, 4, 5"""
    )
    return found.assign(major=label(found["published_major"]), minor=label(found["published_minor"]))


@pytest.fixture(scope="module")
def counted(cells: pd.DataFrame, meanings: pd.DataFrame, loads: pd.DataFrame) -> pd.DataFrame:
    """Offences by load, measure, area and month, where a file has any category of the measure."""
    of_vintage = cells.merge(loads[["load_id", "category_vintage"]], on="load_id")
    named = of_vintage.merge(meanings, on=CATEGORY)
    return named.groupby(["load_id", *SERIES_MONTH], as_index=False)["offences"].sum()


@pytest.fixture(scope="module")
def claims(counted: pd.DataFrame, meanings: pd.DataFrame, loads: pd.DataFrame) -> pd.DataFrame:
    """Which files say something of a measure in a month: those with a category of it, and those that leave out what there was none of."""
    present = counted[["load_id", "measure_code"]].drop_duplicates()
    files = loads[loads["dataset"].isin(["borough_historical", "borough_recent"])]
    absent = files[["load_id", "category_vintage"]].merge(
        meanings.loc[meanings["is_zero_when_absent"], ["category_vintage", "measure_code"]], on="category_vintage"
    )
    absent = absent[absent["measure_code"].isin(present["measure_code"])]
    said = pd.concat([present, absent[["load_id", "measure_code"]]]).drop_duplicates()
    return newest_first(months_of(files).merge(said, on="load_id"), ["measure_code", "month"])


@pytest.fixture(scope="module")
def standing(claims: pd.DataFrame, counted: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """The counts of the newest file of each measure and month, 0 for every area of the file that has none."""
    areas = cells[["load_id", "area_code"]].drop_duplicates()
    found = claims[claims["claim_number"] == 1].merge(areas, on="load_id")
    found = found.merge(counted, on=["load_id", *SERIES_MONTH], how="left")
    return found.assign(month_count=found["offences"].fillna(0))


def test_a_measure_s_months_are_claimed_by_every_file_that_covers_them(read: Read, claims: pd.DataFrame) -> None:
    found = read("select *, month_start_date as month from intermediate.int_mps_claim")
    columns = ["claim_number", "claim_count", "source_release", "is_provisional"]
    key = ["measure_code", "month", "load_id"]
    assert unlike(found, claims[[*key, *columns]], key) == {}


def test_borough_counts_are_the_sums_of_the_categories_of_the_newest_file(read: Read, standing: pd.DataFrame) -> None:
    found = read("select *, month_start_date as month from intermediate.int_mps_borough_month")
    assert unlike(found, standing[[*SERIES_MONTH, *WINNING]], SERIES_MONTH) == {}


def test_a_sum_of_measures_has_the_months_of_which_one_file_says_every_part(read: Read, standing: pd.DataFrame) -> None:
    parts = read(
        "select measure_code as whole, part_measure_code as measure_code from intermediate.measure_part where relation = 'summed'"
    )
    wanted = parts.groupby("whole").size()
    together = standing.merge(parts, on="measure_code").groupby(["whole", "area_code", "month"], as_index=False).agg(
        parts=("month_count", "size"), files=("load_id", "nunique"), month_count=("month_count", "sum"), load_id=("load_id", "min"),
        source_release=("source_release", "min"), is_provisional=("is_provisional", "any"),
    )  # fmt: skip
    whole = together[(together["parts"] == together["whole"].map(wanted)) & (together["files"] == 1)]
    found = read("select *, month_start_date as month from intermediate.int_mps_composite_month")
    due = whole.rename(columns={"whole": "measure_code"})[[*SERIES_MONTH, *WINNING]]
    assert unlike(found, due, SERIES_MONTH) == {}


def test_dashboards_count_what_their_borough_rows_say(read: Read, loads: pd.DataFrame, boroughs: list[str]) -> None:
    rows = read(
        """select 'tno' as kind, * from staging.stg_mps__dashboard_tno union all select 'knife', * from staging.stg_mps__dashboard_knife
           union all select 'other', * from staging.stg_mps__dashboard_other"""
    )
    rows = rows[rows["is_borough_row"]].rename(columns={"month_start_date": "month"})
    rows = rows.assign(
        type=label(rows["published_type"]),
        subtype=label(rows["published_subtype"]),
        what=label(rows["published_measure"]),
    )
    kinds = read("select * from intermediate.mps_dashboard_count")
    rows["counted"] = rows["what"].map(dict(zip(label(kinds["published_measure"]), kinds["counted"], strict=True)))
    subjects = read("select * from intermediate.mps_dashboard_subject")
    subjects = subjects.assign(type=label(subjects["published_type"]), subtype=label(subjects["published_subtype"]))
    totals = read("select * from intermediate.mps_tno_category")
    totals = totals.assign(type=label(totals["published_group"]), subtype=label(totals["published_subgroup"]))
    rows = rows.merge(
        subjects[["type", "subtype", "offences_measure_code", "outcomes_measure_code"]],
        on=["type", "subtype"],
        how="left",
    )
    rows = rows.merge(totals[["type", "subtype", "is_notifiable"]], on=["type", "subtype"], how="left")
    is_total, is_offence = rows["kind"] == "tno", rows["counted"] == "offences"
    rows = rows[~(is_total & rows["is_notifiable"].eq(False))]
    own = rows["offences_measure_code"].where(is_offence, rows["outcomes_measure_code"])
    total = pd.Series("mps_tno", rows.index).where(is_offence, "mps_tno_outcomes")
    rows = rows.assign(measure_code=own.where(~is_total, total))
    by_cell = rows.groupby(["load_id", *SERIES_MONTH], as_index=False)["recorded_count"].sum()
    found = read("select *, month_start_date as month from intermediate.int_mps_dashboard_cell")
    assert unlike(found, by_cell, ["load_id", *SERIES_MONTH]) == {}

    areas = by_cell[["load_id", "area_code"]].drop_duplicates()
    files = loads[loads["dataset"].str.startswith("dashboard_")]
    held = areas[areas["area_code"].isin(boroughs)].groupby("load_id").size()
    files = files[files["load_id"].map(held).fillna(0) >= 16]
    newest = newest_first(files, ["dataset"])["claim_number"].reindex(files.index) == 1
    said = by_cell[["load_id", "measure_code"]].drop_duplicates()
    claimed = newest_first(
        months_of(files.assign(is_provisional=newest)).merge(said, on="load_id"), ["measure_code", "month"]
    )
    key = ["measure_code", "month", "load_id"]
    of_claims = read("select *, month_start_date as month from intermediate.int_mps_dashboard_claim")
    assert unlike(of_claims, claimed[[*key, "claim_number", "claim_count", "source_release"]], key) == {}
    every = pd.concat([areas, files[["load_id"]].merge(pd.DataFrame({"area_code": boroughs}), how="cross")])
    due = claimed[claimed["claim_number"] == 1].merge(every.drop_duplicates(), on="load_id")
    due = due.merge(by_cell, on=["load_id", *SERIES_MONTH], how="left")
    due = due.assign(month_count=due["recorded_count"].fillna(0))
    months = read("select *, month_start_date as month from intermediate.int_mps_dashboard_month")
    assert unlike(months, due[[*SERIES_MONTH, *WINNING]], SERIES_MONTH) == {}


@pytest.fixture(scope="module")
def homicide_files(loads: pd.DataFrame) -> pd.DataFrame:
    """The newest list of victims, and of accused, for each month; the last 24 months may still change."""
    files = loads[loads["dataset"].isin(["homicide_victims", "homicide_accused"])]
    newest = files.groupby("dataset")["last_month_start_date"].max()
    claimed = newest_first(months_of(files), ["dataset", "month"])
    first = claimed["dataset"].map(newest) - pd.DateOffset(months=24)
    return claimed.assign(is_provisional=claimed["month"] > first)[claimed["claim_number"] == 1]


@pytest.fixture(scope="module")
def people(read: Read, homicide_files: pd.DataFrame) -> pd.DataFrame:
    """Victims, and accused but those entered by mistake, of the file that stands for their month."""
    victims = read("select *, month_start_date as month, victim_count as people from staging.stg_mps__homicide_victims")
    accused = read(
        "select *, month_start_date as month, accused_count as people from staging.stg_mps__homicide_accused"
    )
    accused = accused[accused["proceedings"] != "recording_error"]
    both = pd.concat([victims.assign(dataset="homicide_victims"), accused.assign(dataset="homicide_accused")])
    return both.merge(homicide_files[["dataset", "load_id", "month"]], on=["dataset", "load_id", "month"])


def test_homicides_are_counted_by_method_age_and_domestic_abuse(
    read: Read, people: pd.DataFrame, homicide_files: pd.DataFrame, boroughs: list[str]
) -> None:
    is_young, method = people["age_band"].isin(YOUNG), people["method_of_killing"]
    is_victim = people["dataset"] == "homicide_victims"
    is_domestic = people["is_domestic_abuse"].astype("boolean")
    is_knife = method == "knife_or_sharp_implement"
    which = {
        "victims": is_victim, "victims_under_25": is_victim & is_young, "victims_knife": is_knife, "victims_knife_under_25": is_knife & is_young,
        "victims_shooting": method == "shooting", "victims_blunt_implement": method == "blunt_implement",
        "victims_physical_assault": method == "physical_assault", "victims_other_method": method == "other",
        "victims_method_unknown": method == "unknown", "victims_domestic_abuse": is_domestic.fillna(False),
        "victims_non_domestic": ~is_domestic.fillna(True), "victims_non_domestic_under_25": ~is_domestic.fillna(True) & is_young,
        "accused": ~is_victim, "accused_under_25": ~is_victim & is_young,
    }  # fmt: skip
    places = pd.concat(
        [people[["dataset", "area_code"]], homicide_files[["dataset"]].drop_duplicates().merge(pd.DataFrame({"area_code": boroughs}), how="cross")]
    ).drop_duplicates()  # fmt: skip
    parts = []
    for name, those in which.items():
        dataset = "homicide_accused" if name.startswith("accused") else "homicide_victims"
        sums = people[those.to_numpy(dtype=bool)].groupby(["area_code", "month"])["people"].sum().rename("month_count")
        rows = homicide_files[homicide_files["dataset"] == dataset].merge(places, on="dataset")
        rows = rows.merge(sums.reset_index(), on=["area_code", "month"], how="left")
        parts.append(rows.assign(measure_code=f"mps_homicide_{name}", month_count=rows["month_count"].fillna(0)))
    found = read("select *, month_start_date as month from intermediate.int_mps_homicide_month")
    assert unlike(found, pd.concat(parts)[[*SERIES_MONTH, *WINNING]], SERIES_MONTH) == {}


def test_victims_of_homicide_are_split_by_sex_and_age_and_summed_for_london(
    read: Read, people: pd.DataFrame, homicide_files: pd.DataFrame
) -> None:
    victims = people[people["dataset"] == "homicide_victims"]
    borough = read("select borough_code as area_code, ons_inner_outer as half from intermediate.boroughs")
    sums = victims.merge(borough, on="area_code")
    placed = pd.concat(
        [
            victims,
            sums.assign(area_code="LONDON_32"),
            sums.assign(area_code=sums["half"].str.upper()),
        ]
    )
    splits = pd.concat([placed, placed.assign(sex="all"), placed.assign(age_band="all")])
    counts = splits.groupby(["area_code", "month", "sex", "age_band"], as_index=False)["people"].sum()
    files = homicide_files.loc[
        homicide_files["dataset"] == "homicide_victims", ["month", "source_release", "is_provisional"]
    ]
    areas = pd.DataFrame({"area_code": [*borough["area_code"], *placed["area_code"], "LONDON_32", "INNER", "OUTER"]})
    due = files.merge(areas.drop_duplicates(), how="cross").merge(
        counts[["sex", "age_band"]].drop_duplicates(), how="cross"
    )
    due = due.merge(counts, on=["area_code", "month", "sex", "age_band"], how="left")
    value = due["people"].fillna(0)
    due = due.assign(
        value=value, numerator=value, denominator=float("nan"), period_end_date=due["month"] + pd.offsets.MonthEnd(0),
        period_kind="month", measure_code="mps_homicide_victims", ethnicity="all", value_note=float("nan"),
    )  # fmt: skip
    found = read("select *, period_start_date as month from intermediate.int_mps_homicide_split")
    assert unlike(found, due.drop(columns="people"), ["area_code", "month", "sex", "age_band"]) == {}


@pytest.mark.parametrize("level", ["ward", "lsoa"])
def test_small_areas_have_the_counts_of_the_newest_file_that_has_the_whole_month(
    read: Read, loads: pd.DataFrame, meanings: pd.DataFrame, level: str
) -> None:
    some = "true" if level == "ward" else f"abs(hashtext({level}_code)) % 8 = 0"
    both = (
        f"(select * from staging.stg_mps__{level}_historical union all select * from staging.stg_mps__{level}_recent)"
    )
    openings = read(
        f"select load_id, first_month_start_date as month, sum(offence_counts[1]) as one, sum(offence_counts[2]) as two from {both} as f group by 1, 2"
    )
    short = openings.loc[openings["one"] < openings["two"] / 2, ["load_id", "month"]].assign(is_short=True)
    files = months_of(loads[loads["dataset"].isin([f"{level}_historical", f"{level}_recent"])])
    files = files.merge(short, on=["load_id", "month"], how="left")
    files = newest_first(files[files["is_short"].isna()], ["month"])
    files = files[files["claim_number"] == 1]
    place = [f"{level}_code", f"{level}_name", "area_code"]
    rows = read(
        f"""select load_id, {", ".join(place)}, published_major, published_minor,
              (first_month_start_date + make_interval(months => cell.number::integer - 1))::date as month, sum(cell.offences) as offences
            from {both} as f cross join lateral unnest(offence_counts) with ordinality as cell (offences, number)
            where {some} group by 1, 2, 3, 4, 5, 6, 7"""
    )
    rows = rows.assign(major=label(rows["published_major"]), minor=label(rows["published_minor"]))
    wanted = {
        "all_offences_count": "all_offences", "homicide_count": "homicide", "violence_with_injury_count": "violence_with_injury",
        "violence_without_injury_incl_stalking_count": "violence_without_injury_incl_stalking", "personal_robbery_count": "robbery_personal",
        "weapons_possession_count": "weapons_possession", "theft_from_person_count": "theft_from_person",
        "drug_offences_count": "drug_offences", "arson_criminal_damage_count": "arson_criminal_damage",
    }  # fmt: skip
    if level == "ward":
        wanted |= {"rape_count": "rape", "other_sexual_offences_count": "other_sexual_offences"}
    rows = rows.merge(
        files[["load_id", "month", "category_vintage", "source_release", "is_provisional"]], on=["load_id", "month"]
    )
    # A place stands in a month whatever it had; what a vintage has no category of is not known.
    key = [*place, "month"]
    due = rows.groupby(
        [*key, "load_id", "category_vintage", "source_release", "is_provisional"], as_index=False, dropna=False
    ).size()
    named = rows.merge(meanings, on=CATEGORY)
    for column, measure in wanted.items():
        of_measure = named[named["measure_code"] == f"mps_{measure}"]
        sums = of_measure.groupby(key, as_index=False, dropna=False)["offences"].sum()
        due = due.merge(sums.rename(columns={"offences": column}), on=key, how="left")
        vintages = meanings.loc[meanings["measure_code"] == f"mps_{measure}", "category_vintage"]
        due[column] = due[column].fillna(0).where(due["category_vintage"].isin(vintages))
    found = read(f"select *, month_start_date as month from intermediate.int_mps_{level}_month where {some}")
    assert unlike(found, due.drop(columns=["size", "category_vintage"]), key) == {}
