"""What NOMIS and Fingertips publish, as figures of areas and periods, a second time: in pandas, from the published rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.homes import Home
from tests.recomputed import Read, label, loads_of, reader, unlike

pytestmark = pytest.mark.timeout(600)

MEANT = ["area_code", "period_kind", "period_start_date", "measure_code", "sex", "age_band", "ethnicity"]
DATASETS = [
    "population", "claimant_count", "annual_population_survey", "jobs_density", "earnings_residents", "earnings_workplace",
    "census_ethnic_group", "census_household_deprivation", "census_economic_activity", "census_qualifications",
]  # fmt: skip
BANDS = [(0, 17), (0, 24), (10, 17), (10, 24), (13, 19), (16, 64), (18, 24), (0, 39)]


@pytest.fixture(scope="module")
def read(first_night: Home) -> Read:
    return reader(first_night)


@pytest.fixture(scope="module")
def nomis(read: Read) -> pd.DataFrame:
    """Every observation of NOMIS with what its cell means, its period and its part, by the labels of the seed."""
    rows = pd.concat(
        [read(f"select '{name}' as dataset, * from staging.stg_nomis__{name} where area_code is not null") for name in DATASETS],
        ignore_index=True,
    )  # fmt: skip
    seed = read("select dataset, dimension, code, published_name, meaning_kind, meaning from intermediate.nomis_label")
    seed = seed.assign(code=seed["code"].map(_code), name=label(seed["published_name"]))
    meanings: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for one in seed.itertuples():
        for spelling in (one.code, f"name {one.name}"):
            meanings.setdefault((one.dataset, one.dimension, spelling), []).append((one.meaning_kind, one.meaning))
    rows = rows.assign(**{f"code_{place}": rows[f"code_{place}"].map(_code) for place in (1, 2, 3)})
    columns = ["dataset", *(f"{what}_{place}" for place in (1, 2, 3) for what in ("dimension", "code", "name"))]
    cells = rows[columns].drop_duplicates()
    found = []
    for cell in cells.to_dict("records"):
        means, is_known = {}, True
        for place in (1, 2, 3):
            if isinstance(cell[f"dimension_{place}"], str):
                code = cell[f"code_{place}"]
                spelling = code if isinstance(code, str) else f"name {cell[f'name_{place}']}"
                of_it = meanings.get((cell["dataset"], cell[f"dimension_{place}"], spelling), [])
                is_known &= bool(of_it)
                means.update(of_it)
        own = {"population": "nomis_population", "census_ethnic_group": "nomis_census_ethnic_group"}.get(
            cell["dataset"]
        )
        found.append(
            cell
            | {"is_used": "not_used" not in means, "measure_code": means.get("measure_code", own) if is_known else None}
            | {name: means.get(name, "all") for name in ("sex", "age_band", "ethnicity")}
        )
    rows = rows.merge(pd.DataFrame(found), on=columns)
    rows = rows[rows["is_used"] & rows["measure_code"].notna()]
    periods = {
        key: _period(*key)
        for key in rows[["dataset", "date_name", "date_code"]].drop_duplicates().itertuples(index=False)
    }
    told = [periods[key] for key in rows[["dataset", "date_name", "date_code"]].itertuples(index=False)]
    rows[["period_kind", "period_start_date", "period_end_date"]] = pd.DataFrame(told, index=rows.index)
    measures = rows["measures_code"].map(_code)
    part = np.select(
        [
            (measures == "21001") | (rows["measures_name"] == "numerator"), (measures == "21002") | (rows["measures_name"] == "denominator"),
            measures.isin(["21003", "20701"]) | rows["measures_name"].fillna("").str.startswith("conf"),
        ], ["numerator", "denominator", "precision"], "value",
    )  # fmt: skip
    is_normal = (rows["status_code"].fillna("A") == "A") & (rows["confidentiality"].fillna("F") == "F")
    rows = rows.assign(part=part, is_normal=is_normal)
    return rows[rows["period_start_date"] >= "2000-01-01"].merge(
        loads_of(read, "nomis")[["load_id", "release_date", "landed_at", "sha256", "source_release"]], on="load_id"
    )


def _code(value: object) -> object:
    """A code as text, whatever pandas made of its column."""
    if isinstance(value, float):
        return np.nan if np.isnan(value) else str(int(value))
    return str(value)


def _period(dataset: str, name: object, code: object) -> tuple[str, pd.Timestamp, pd.Timestamp]:
    """The kind, the first and the last day of a period by its name and its code."""
    text = str(name)
    first, dash, last = text.partition("-")
    if dash and len(first) == 8 and len(last) == 8:
        return (
            "rolling_year",
            pd.to_datetime(first, format="%b %Y"),
            pd.to_datetime(last, format="%b %Y") + pd.offsets.MonthEnd(0),
        )
    said = text if pd.isna(code) else str(_code(code))
    if dataset.startswith("census"):
        return "census_day", pd.Timestamp(int(said[:4]), 3, 1), pd.Timestamp(int(said[:4]), 3, 21)
    if said.isdigit():
        return "calendar_year", pd.Timestamp(int(said), 1, 1), pd.Timestamp(int(said), 12, 31)
    month = pd.to_datetime(said, format="%Y-%m" if said[:4].isdigit() else "mixed")
    return "month", month, month + pd.offsets.MonthEnd(0)


@pytest.fixture(scope="module")
def values(nomis: pd.DataFrame, read: Read) -> pd.DataFrame:
    """A row for each figure, with the parts that the newest delivery of each has."""
    ordered = nomis.sort_values(["release_date", "landed_at", "sha256"])
    newest = ordered.drop_duplicates([*MEANT, "part"], keep="last")
    figure = newest[[*MEANT, "period_end_date", "dataset"]].drop_duplicates(MEANT)
    for part in ("numerator", "denominator", "value", "precision"):
        of_part = newest[(newest["part"] == part) & newest["is_normal"]]
        figure = figure.merge(
            of_part[[*MEANT, "published_value"]].rename(columns={"published_value": part}), on=MEANT, how="left"
        )
    releases = newest.groupby(MEANT)["source_release"].max().rename("source_release").reset_index()
    figure = figure.merge(releases, on=MEANT)
    measures = read(
        "select measure_code, numerator as has_numerator, denominator as has_denominator from intermediate.measures"
    )
    figure = figure.merge(measures, on="measure_code", how="left")
    is_count = figure["has_numerator"].notna() & figure["has_denominator"].isna()
    last = nomis.groupby("dataset")["period_start_date"].max()
    since = figure["dataset"].map(last) - pd.DateOffset(months=13)
    refused = newest[(newest["part"] == "value") & ~newest["is_normal"]]
    why = np.where(
        refused["confidentiality"].fillna("F") != "F", "Not free for publication (" + refused["confidentiality"].fillna("") + ")", refused["status_name"],
    )  # fmt: skip
    figure = figure.merge(refused[MEANT].assign(why=why), on=MEANT, how="left")
    none = figure["why"].fillna("The publisher gives no value and no reason.")
    is_earnings = figure["dataset"].str.startswith("earnings")
    width = figure["precision"].map(lambda one: f"{one:g}")
    note = ("95 % confidence interval: ± " + width + " percentage points.").where(
        ~is_earnings, "Coefficient of variation " + width + " %."
    )
    note = note.where(figure["precision"].notna()).where(figure["value"].notna(), none)
    return figure.assign(
        numerator=figure["value"].where(is_count, figure["numerator"]), denominator=figure["denominator"].replace(0, np.nan),
        half_width_95=figure["precision"].where(figure["value"].notna() & ~is_earnings), note=note,
        is_provisional=(figure["dataset"] == "claimant_count") & (figure["period_start_date"] > since),
    )  # fmt: skip


def test_a_figure_of_nomis_is_what_the_newest_delivery_says_of_its_cell(read: Read, values: pd.DataFrame) -> None:
    found = read(
        "select *, rtrim(rtrim(regexp_replace(value_note, '(\\.\\d*[1-9])0+|\\.0+(?= )', '\\1'), '0'), '') as note from intermediate.int_nomis_value"
    )
    columns = [
        "period_end_date",
        "numerator",
        "denominator",
        "value",
        "note",
        "half_width_95",
        "source_release",
        "is_provisional",
    ]
    assert unlike(found, values[[*MEANT, *columns]], MEANT) == {}


def test_residents_are_banded_and_boroughs_summed_where_every_part_is_there(read: Read, values: pd.DataFrame) -> None:
    own = values[[*MEANT, "period_end_date", "numerator", "denominator", "value", "source_release", "is_provisional"]]
    years = own[(own["measure_code"] == "nomis_population") & own["age_band"].str.fullmatch(r"\d+")]
    age = years["age_band"].astype(int)
    parts = [own]
    key = [*MEANT, "period_end_date"]
    of_band = {
        "value": ("value", "sum"),
        "parts": ("value", "count"),
        "source_release": ("source_release", "min"),
        "is_provisional": ("is_provisional", "any"),
    }
    for first, last in BANDS:
        band = (
            years[age.between(first, last)]
            .assign(age_band=f"{first}-{last}")
            .groupby(key, as_index=False)
            .agg(**of_band)
        )
        band = band[band["parts"] == last - first + 1]
        parts.append(band.assign(numerator=band["value"], denominator=np.nan))
    placed = pd.concat(parts, ignore_index=True)
    summable = read("select measure_code from intermediate.measures where is_summable_over_areas")["measure_code"]
    borough = read("select borough_code as area_code, ons_inner_outer as half from intermediate.boroughs")
    rows = placed[placed["measure_code"].isin(summable)].merge(borough, on="area_code", how="left")
    is_borough, is_city = rows["half"].notna(), rows["area_code"] == "E09000001"
    for area, members, those in (
        ("LONDON_32", 32, is_borough), ("LONDON_33", 33, is_borough | is_city), ("INNER", 13, rows["half"] == "inner"), ("OUTER", 19, rows["half"] == "outer"),
    ):  # fmt: skip
        sums = rows[those].assign(area_code=area).groupby(key, as_index=False).agg(**of_band)
        sums = sums[sums["parts"] == members].merge(placed[MEANT].assign(is_there=True), on=MEANT, how="left")
        sums = sums[sums["is_there"].isna()]
        parts.append(sums.assign(numerator=sums["value"], denominator=np.nan))
    due = pd.concat(parts, ignore_index=True)[list(own.columns)]
    found = read("select * from intermediate.int_nomis_measure")
    assert unlike(found, due, MEANT) == {}


def test_an_indicator_s_headline_is_the_newest_load_s_first_row_of_its_cell(read: Read) -> None:
    loads = loads_of(read, "fingertips")[["load_id", "release_date", "landed_at", "sha256", "source_release"]]
    rows = read("select * from staging.stg_fingertips__data where area_code is not null").merge(loads, on="load_id")
    rows = rows.assign(newest=rows.groupby(["load_id", "indicator_id"])["time_period_sortable"].transform("max"))
    order = ["newest", "release_date", "landed_at", "sha256"]
    best = rows.sort_values(order).drop_duplicates("indicator_id", keep="last")[["indicator_id", "load_id"]]
    rows = rows.merge(best, on=["indicator_id", "load_id"]).fillna({"category_type": "", "category": ""})
    cell = [
        "indicator_id",
        "area_code",
        "published_sex",
        "published_age",
        "category_type",
        "category",
        "time_period_sortable",
        "time_period",
    ]
    rows = (
        rows.assign(has_parent=rows["parent_code"].notna())
        .sort_values(["has_parent", "row_number"])
        .drop_duplicates(cell)
    )
    catalogue = read(
        "select indicator_id, measure_code, coalesce(is_force_wide, false) as is_of_force from intermediate.fingertips_indicator"
    )
    rows = rows.merge(catalogue, on="indicator_id", how="left")
    note = rows["value_note"].fillna("")
    is_local = rows["area_class"] == "local_authority"
    is_wide = is_local & (rows["is_of_force"].eq(True) | note.str.contains("police force area", case=False))
    with_city = (rows["area_code"] == "E09000012") & note.str.contains("Hackney and City of London", case=False)
    is_headline = (rows["category_type"] == "") & (rows["category"] == "")
    rows = rows.assign(is_force_wide=is_wide, includes_city_of_london=with_city, is_headline=is_headline)
    figures = [
        "value", "lower_95_limit", "upper_95_limit", "lower_99_8_limit", "upper_99_8_limit", "count", "denominator", "measure_code",
        "source_release", "is_force_wide", "includes_city_of_london", "is_headline",
    ]  # fmt: skip
    found = read("select * from intermediate.int_fingertips_value").fillna({"category_type": "", "category": ""})
    assert unlike(found, rows[[*cell, *figures]], cell) == {}

    heads = rows[is_headline & rows["measure_code"].notna()]
    ages = rows[is_headline].groupby("indicator_id")["published_age"].agg(lambda all_of_it: set(all_of_it))
    whole = {
        key: "All ages" if "All ages" in every else (next(iter(every)) if len(every) == 1 else None)
        for key, every in ages.items()
    }
    heads = heads[~heads["is_force_wide"]]
    band = heads["published_age"].str.replace(r"\s*(yrs|years)$", "", regex=True).str.strip().str.lower()
    heads = heads.assign(
        sex=heads["published_sex"].map({"Male": "male", "Female": "female"}).fillna("all"),
        age_band=band.where(heads["published_age"] != heads["indicator_id"].map(whole), "all"),
        numerator=heads["count"], denominator=heads["denominator"].replace(0, np.nan),
        value_note=heads["value_note"].where(
            heads["value"].notna() | heads["value_note"].notna(), "The publisher gives no value and no reason."
        ),
    )  # fmt: skip
    periods = found[
        ["indicator_id", "time_period_sortable", "time_period", "period_kind", "period_start_date", "period_end_date"]
    ].drop_duplicates()
    heads = heads.merge(periods, on=["indicator_id", "time_period_sortable", "time_period"])
    heads = heads[heads["period_start_date"] >= "2000-01-01"]
    key = ["area_code", "period_kind", "period_start_date", "measure_code", "sex", "age_band"]
    heads = (
        heads.assign(is_other=heads["published_sex"] != "Persons")
        .sort_values("is_other", kind="stable")
        .drop_duplicates(key)
    )
    measures = read("select * from intermediate.int_fingertips_measure")
    assert (
        unlike(
            measures,
            heads[[*key, "period_end_date", "numerator", "denominator", "value", "value_note", "source_release"]],
            key,
        )
        == {}
    )
