"""Every label that a model looks up in a seed is held to that seed at the door: unknown is an error in every source."""

from __future__ import annotations

import pytest

from ingest.declaration import CodeList, find_source, read_sources
from ingest.delivery import seed
from ingest.readers import code_lists
from ingest.sources.nomis.queries import QUERIES, codes_of

BOROUGH_FILES = [
    "borough_historical",
    "borough_recent",
    "ward_historical",
    "ward_recent",
    "lsoa_historical",
    "lsoa_recent",
]
EVENTS = [
    "ambulance_incidents",
    "btp_crime",
    "ed_istv",
    "ed_ecds",
    "tfl_driver_incidents",
    "fire_incidents",
    "mps_crime",
]
# What staging or a model behind it looks up by (joins on, or maps), by source, dataset and columns; the seed that holds it.
LOOKED_UP = [
    *(("mps", one, ("borough_name",), "area_aliases") for one in [*BOROUGH_FILES, "vawg"]),
    ("mps", "vawg", ("crimsec_group",), "mps_vawg_class"),
    *(("mps", one, ("major_text", "minor_text"), "mps_category") for one in BOROUGH_FILES),
    *(
        ("mps", f"dashboard_{one}", columns, seed)
        for one, subjects in {"tno": "mps_tno_category", "knife": "mps_dashboard_subject", "other": "mps_dashboard_subject"}.items()
        for columns, seed in [
            (("borough_snt",), "area_aliases"),
            (("area_name",), "area_aliases"),
            (("measure",), "mps_dashboard_count"),
            (("crime_type", "crime_subtype"), subjects),
        ]
    ),
    *(
        ("mps", "homicide_victims", (column,), "area_aliases" if column == "borough" else "mps_homicide_code")
        for column in ["borough", "age_group", "sex", "method_of_killing", "domestic_abuse", "homicide_offence_type", "solved_status", "officer_observed_ethnicity"]
    ),
    *(
        ("mps", "homicide_accused", (column,), "area_aliases" if column == "borough" else "mps_homicide_code")
        for column in ["borough", "gender", "age_group", "self_classified_ethnicity", "offence_type", "charged_summonsed"]
    ),
    *(("police_uk", "street", (column,), "police_uk_label") for column in ["reported_by", "crime_type", "last_outcome_category"]),
    *(("police_uk", "outcomes", (column,), "police_uk_label") for column in ["reported_by", "outcome_type"]),
    *(
        ("police_uk", "stop_and_search", (column,), "police_uk_label")
        for column in ["gender", "age_range", "self_defined_ethnicity", "officer_defined_ethnicity", "outcome"]
    ),
    *(("safestats", one, ("borough_name",), "area_aliases") for one in ["ambulance_borough", *EVENTS]),
    *(("safestats", one, ("category",), "safestats_code") for one in EVENTS),
    ("safestats", "ed_istv", ("place_type",), "safestats_code"),
]  # fmt: skip


def lists_of(source: str, dataset: str, columns: tuple[str, ...]) -> list[CodeList]:
    layout = find_source(source).dataset(dataset).layout
    return [code_list for code_list in layout.code_lists if code_list.columns == columns]


@pytest.mark.parametrize(("source", "dataset", "columns", "seed"), LOOKED_UP)
def test_a_label_that_a_model_looks_up_is_held_to_its_seed(
    source: str, dataset: str, columns: tuple[str, ...], seed: str
) -> None:
    found = lists_of(source, dataset, columns)
    assert [code_list.seed for code_list in found] == [seed]
    for code_list in found:
        unknown = (*code_list.only_where.values(), *("nobody declared this" for _ in columns))
        layout = find_source(source).dataset(dataset).layout
        assert code_lists.unlisted(code_list, {unknown}, layout) == {unknown[len(code_list.only_where) :]}


def test_no_list_of_the_door_is_one_that_no_model_looks_up() -> None:
    held = {
        (source.source, name, code_list.columns)
        for source in read_sources().values()
        for name, dataset in source.datasets.items()
        for code_list in dataset.layout.code_lists
    }
    assert held == {(source, dataset, columns) for source, dataset, columns, _ in LOOKED_UP}


def test_each_dimension_of_a_nomis_query_has_its_codes_and_names_listed() -> None:
    asked = {
        (name, dimension): set(codes_of(codes))
        for name, query in QUERIES.items()
        for dimension, codes in query.dimensions.items()
    }
    del asked["census_ward_residents", "c2021_restype_3"]  # one code, which no model looks up
    listed: dict[tuple[str, str], set[str]] = {}
    for row in seed("nomis_label"):
        listed.setdefault((row["dataset"], row["dimension"]), set()).add(row["code"])
    assert {key: codes <= listed[key] for key, codes in asked.items()} == dict.fromkeys(listed, True)
