"""Each source, model and column says how it is to be handled, none as less than what it is made of, and what section 17 brings stays restricted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ingest.declaration import Source, read_sources
from ingest.declaration.handling import KEYS
from tests.refused import refused_with
from warehouse.build import catalogue

RANK = ("OFFICIAL", "OFFICIAL-SENSITIVE")
# Layers whose tables readers see: what section 17 of the Act brings may be used for the duty alone, and goes to none of them.
LEAVES = {"marts", "open"}


def ancestors(manifest: dict[str, Any], node: str) -> set[str]:
    """The sources that a node is made from, its macros included, as "raw.safestats__ed_istv"."""
    found: set[str] = set()
    ahead, seen = [node], {node}
    while ahead:
        for parent in manifest["parent_map"].get(ahead.pop(), ()):
            if parent.startswith("source."):
                schema, table = parent.split(".")[2:]
                found.add(f"raw.{table}" if schema.startswith("raw") else f"{schema}.{table}")
            elif parent not in seen:
                seen.add(parent)
                ahead.append(parent)
    return found


def made_of(manifest: dict[str, Any], node: str, sources: dict[str, Source]) -> list[Source]:
    tables = ancestors(manifest, node)
    return [one for one in sources.values() if any(table.startswith(f"raw.{one.source}__") for table in tables)]


def layer_of(node: dict[str, Any]) -> str:
    return str(node["path"]).partition("/")[0]


def leaks_of_section_17(manifest: dict[str, Any], sources: dict[str, Source]) -> list[str]:
    return sorted(
        node["name"]
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and layer_of(node) in LEAVES
        if any(one.legal_gateway == "pcsc_s17" for one in made_of(manifest, key, sources))
    )


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def test_every_source_model_seed_and_column_says_how_it_is_to_be_handled(manifest: dict[str, Any]) -> None:
    found = {one.table_name: one for one in catalogue.tables(manifest, read_sources())}
    models = [node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}]
    tables = [node["name"] for node in models if node["config"]["materialized"] != "ephemeral"]
    assert len(tables) > 150
    assert sorted(set(tables) - found.keys()) == []
    assert found["safestats__ambulance_incidents"].columns["age"].personal_data == "of_a_person"
    assert found["int_safestats_event"].handling.retention_days == 1827
    assert found["fct_measure"].handling.classification == "OFFICIAL-SENSITIVE"
    assert (found["open_measure"].shown_schema, found["open_measure"].shown_table) == ("marts_open", "measure")


@pytest.mark.parametrize("key", KEYS)
def test_a_model_that_does_not_say_all_of_it_is_refused_by_its_name(manifest: dict[str, Any], key: str) -> None:
    spoilt = copy.copy(manifest["nodes"])
    node = copy.deepcopy(spoilt["model.vru.fct_measure"])
    del node["config"]["meta"][key]
    spoilt["model.vru.fct_measure"] = node
    with refused_with("DECLARATION_INVALID", where="fct_measure", match=key):
        list(catalogue.tables({"nodes": spoilt}, {}))


def test_a_staging_model_says_what_its_source_says(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    sources = read_sources()
    wrong = [
        f"{node['name']}: {key} is {node['config']['meta'][key]}, and {source.source} says {getattr(source, key)}"
        for name, node in models.items()
        if layer_of(node) == "staging"
        for source in made_of(manifest, name, sources)
        for key in ("classification", "legal_gateway", "publish_rule", "retention_days")
        if str(node["config"]["meta"][key]) != str(getattr(source, key))
    ]
    assert wrong == []


def test_no_model_is_less_than_what_it_is_made_of_unless_it_says_why(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    sources = read_sources()
    wrong, needless = [], []
    for name, node in models.items():
        meta = node["config"]["meta"]
        least = max((RANK.index(one.classification) for one in made_of(manifest, name, sources)), default=0)
        is_lower = RANK.index(meta["classification"]) < least
        if is_lower and not meta.get("lower_because"):
            wrong.append(node["name"])
        if meta.get("lower_because") and not is_lower and layer_of(node) != "open":
            needless.append(node["name"])
    assert wrong == [], f"{wrong} are made of OFFICIAL-SENSITIVE data: say so in meta, or lower_because"
    assert needless == [], f"{needless} give a reason for what is not so"


def test_what_section_17_brings_reaches_no_mart(manifest: dict[str, Any]) -> None:
    sources = read_sources()
    assert leaks_of_section_17(manifest, sources) == []
    # The rule sees: were SafeStats given under section 17, these would have to go.
    as_demanded = {**sources, "safestats": sources["safestats"].model_copy(update={"legal_gateway": "pcsc_s17"})}
    leaks = leaks_of_section_17(manifest, as_demanded)
    assert {"fct_measure", "rpt_ed_attendance", "open_measure"} <= set(leaks)
    assert {"dim_area", "dim_borough", "dim_month"} & set(leaks) == set()
