"""What Superset is given, as it is made from dbt's descriptions of the models: no Superset and no database is needed to say it is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse import bi
from warehouse.bi import importing, superset
from warehouse.bi.dashboards import CAUTION, MEASURES, NAMES
from warehouse.bi.semantic_model import DIMENSIONS, FACTS, REPORTS
from warehouse.platform.settings import PROJECT

ADDRESS = "postgresql+psycopg2://vru_analyst@127.0.0.1:5432/vru"
MODELS = PROJECT / "dbt_project" / "models" / "marts"
RATES = {"rate", "rate_lower_95", "rate_upper_95", "similar_areas_rate", "share_of_london_percent", "rank_in_london"}
SUMMED = {
    "month_count",
    "year_count",
    "count_12_months",
    "rolling_12_count",
    "count_year_before",
    "residents",
    "numerator",
    "denominator",
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of dbt's manifest the part that is read, from the files that dbt makes it of."""
    nodes = {}
    of_folder = yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))["models"][
        "vru"
    ]["+meta"]
    for name in (*DIMENSIONS, *FACTS, *REPORTS):
        (file,) = MODELS.glob(f"*/{name}.yml")
        (model,) = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        model["config"] = {"meta": of_folder | model.get("config", {}).get("meta", {})}
        nodes[f"model.vru.{name}"] = model | {"columns": {one["name"]: one for one in model["columns"]}}
    target = tmp_path_factory.mktemp("dbt") / "manifest.json"
    target.write_text(json.dumps({"nodes": nodes}), encoding="utf-8")
    return target


@pytest.fixture(scope="module")
def texts(manifest: Path) -> dict[str, str]:
    return superset.texts(bi.read(manifest, "London VRU SYNTHETIC"), ADDRESS)


@pytest.fixture(scope="module")
def assets(texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {path: yaml.safe_load(text) for path, text in texts.items()}


def of(assets: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for path, one in assets.items() if path.startswith(f"{kind}/")]


def test_what_stands_for_one_row_is_shown_for_one_row_alone(assets: dict[str, dict[str, Any]]) -> None:
    found = [
        (dataset["table_name"], one["metric_name"], one["expression"])
        for dataset in of(assets, "datasets")
        for one in dataset["metrics"]
        if one["metric_name"] in RATES
    ]
    assert {(table, name) for table, name, _ in found} >= {("bi_latest_12_months", name) for name in RATES}
    assert {text for _, _, text in found} == {f"case when count(*) = 1 then max({name}) end" for name in RATES}


def test_no_metric_adds_or_averages_anything_but_counts(assets: dict[str, dict[str, Any]]) -> None:
    expressions = [one["expression"] for dataset in of(assets, "datasets") for one in dataset["metrics"]]
    assert len(expressions) > 30
    assert set(re.findall(r"sum\((\w+)\)", " ".join(expressions))) == SUMMED
    assert not re.search(r"\bavg\b|\bsum\((?!\w+\))", " ".join(expressions))


def test_counts_are_added_within_one_measure_alone(assets: dict[str, dict[str, Any]]) -> None:
    counts = {
        dataset["table_name"]: one["expression"]
        for dataset in of(assets, "datasets")
        for one in dataset["metrics"]
        if one["metric_name"] == "count"
    }
    assert counts == {
        "bi_month": "case when count(distinct measure_code) = 1 then sum(month_count) end",
        "bi_financial_year": "case when count(distinct measure_code) = 1 then sum(year_count) end",
        "bi_latest_12_months": "case when count(distinct measure_code) = 1 then sum(count_12_months) end",
        "bi_rolling_12": "case when count(distinct (measure_code, month_start_date)) = 1 then sum(rolling_12_count) end",
    }


def test_every_column_and_metric_that_a_chart_names_is_in_its_dataset(assets: dict[str, dict[str, Any]]) -> None:
    datasets = {one["uuid"]: one for one in of(assets, "datasets")}
    charts = of(assets, "charts")
    for chart in charts:
        dataset, params = datasets[chart["dataset_uuid"]], chart["params"]
        columns = {one["column_name"] for one in dataset["columns"]}
        metrics = {one["metric_name"] for one in dataset["metrics"]}
        by = params.get("groupby", [])
        named = [*params.get("all_columns", []), *([by] if isinstance(by, str) else by)]
        named += [*params.get("groupbyRows", []), *params.get("groupbyColumns", [])]
        named += [params["x_axis"]] if "x_axis" in params else []
        named += [json.loads(one)[0] for one in params.get("order_by_cols", [])]
        named += re.findall(
            r"{{(?:#if |dateFormat |sprintf '[^']*' )?(?!else|#|/)(\w+)", params.get("handlebarsTemplate", "")
        )
        named += re.findall(r"^\w+", "\n".join(one["sqlExpression"] for one in params["adhoc_filters"]), re.MULTILINE)
        assert set(named) - columns == set(), chart["slice_name"]
        shown = [one for one in [*params.get("metrics", []), params.get("metric")] if isinstance(one, str)]
        shown += [one for one in (params.get("x_axis_sort"), params.get("timeseries_limit_metric")) if one]
        assert set(shown) - metrics - columns == set(), chart["slice_name"]
        assert set(params.get("column_config", {})) <= columns | metrics, chart["slice_name"]
        known = {one["expression"] for one in dataset["metrics"]}
        assert {one["sqlExpression"] for one in params.get("metrics", []) if isinstance(one, dict)} <= known
    assert len(charts) == 29


def test_every_dashboard_is_filled_with_its_charts_and_asks_for_one_value_at_a_time(
    assets: dict[str, dict[str, Any]],
) -> None:
    charts = {one["uuid"] for one in of(assets, "charts")}
    datasets = {one["uuid"]: {column["column_name"] for column in one["columns"]} for one in of(assets, "datasets")}
    placed = []
    for dashboard in of(assets, "dashboards"):
        cells = {key: one for key, one in dashboard["position"].items() if isinstance(one, dict)}
        assert {key: one["id"] for key, one in cells.items()} == {key: key for key in cells}
        rows = [one for one in cells.values() if one["type"] == "ROW"]
        assert [sum(cells[child]["meta"]["width"] for child in row["children"]) for row in rows] == [12] * len(rows)
        shown = [one["meta"]["uuid"] for one in cells.values() if one["type"] == "CHART"]
        numbers = {one["meta"]["chartId"] for one in cells.values() if one["type"] == "CHART"}
        placed += shown
        for one in dashboard["metadata"]["native_filter_configuration"]:
            (target,) = one["targets"]
            assert target["column"]["name"] in datasets[target["datasetUuid"]]
            assert one["controlValues"]["multiSelect"] is False
            assert one["controlValues"]["enableEmptyFilter"] is True
            assert set(one["scope"]["excluded"]) < numbers
    assert sorted(placed) == sorted(charts)


def test_each_id_is_its_own_and_the_same_wherever_it_is_made(assets: dict[str, dict[str, Any]], manifest: Path) -> None:
    ids = [one["uuid"] for path, one in assets.items() if path != "metadata.yaml"]
    assert len(ids) == len(set(ids)) == 1 + 15 + 29 + 3
    assert [assets[f"dashboards/{name}.yaml"]["uuid"] for name in NAMES] == [
        "b99a9b38-0b45-59c0-bebe-23296b0f9594",
        "ce5fbe91-9ab9-55ae-8fc9-f05f7234ad70",
        "6036e74e-ed37-5c9f-9654-8d1cb80364dc",
    ]
    real = superset.texts(bi.read(manifest, "London VRU"), ADDRESS)
    again = [yaml.safe_load(text)["uuid"] for path, text in real.items() if path != "metadata.yaml"]
    assert again == ids


def test_the_same_model_gives_the_same_bytes(texts: dict[str, str], manifest: Path) -> None:
    again = superset.texts(bi.read(manifest, "London VRU SYNTHETIC"), ADDRESS)
    assert again == texts
    assert importing.bundle(dict(reversed(again.items()))) == importing.bundle(texts)


def test_invented_data_are_named_so_on_every_page_and_in_the_connection(
    assets: dict[str, dict[str, Any]], manifest: Path
) -> None:
    (database,) = of(assets, "databases")
    assert database["database_name"] == "London VRU SYNTHETIC"
    pages = of(assets, "dashboards")
    assert [one["dashboard_title"] for one in pages] == [
        "SYNTHETIC: London overview",
        "SYNTHETIC: Borough",
        "SYNTHETIC: Data quality",
    ]
    banners = [one["position"][f"MARKDOWN-{name}"]["meta"]["code"] for name, one in zip(NAMES, pages, strict=True)]
    assert [one.startswith(f'<div class="vru-banner">{CAUTION}</div>') for one in banners] == [True] * 3
    assert [one["position"]["HEADER_ID"]["meta"]["text"].startswith("SYNTHETIC: ") for one in pages] == [True] * 3
    real = superset.texts(bi.read(manifest, "London VRU"), ADDRESS)
    assert [path for path, text in real.items() if "SYNTHETIC" in text] == []


def test_a_page_bears_the_highest_classification_of_what_it_shows(assets: dict[str, dict[str, Any]]) -> None:
    shown = [
        re.findall(r"<b>([A-Z-]+)</b>", assets[f"dashboards/{name}.yaml"]["position"][f"MARKDOWN-{name}"]["meta"]["code"])
        for name in NAMES
    ]  # fmt: skip
    assert shown == [["OFFICIAL-SENSITIVE"]] * 3  # every one shows counts of ambulances, as they were counted


def test_the_connection_is_a_readers_without_a_password(assets: dict[str, dict[str, Any]]) -> None:
    (database,) = of(assets, "databases")
    assert database["sqlalchemy_uri"] == ADDRESS
    assert database["allow_dml"] is False
    assert "password" not in database


def test_every_borough_has_one_square_and_one_shade() -> None:
    style = superset.dashboards._css()
    squares = re.findall(r"\.vru-(E09\d{6}) \{ grid-area: (\d) / (\d); \}", style)
    assert sorted(code for code, *_ in squares) == [f"E{9_000_000 + number:08d}" for number in range(1, 34)]
    assert (
        len({place for _, *place in [(code, row + column) for code, row, column in squares] for place in place}) == 33
    )
    assert sorted(int(rank) for rank in re.findall(r"\.vru-r(\d+)", style)) == list(range(1, 33))


def test_the_measures_that_are_asked_for_most_are_measures() -> None:
    lines = (PROJECT / "dbt_project" / "seeds" / "measures.csv").read_text(encoding="utf-8").splitlines()
    assert set(MEASURES) - {line.split(",", 1)[0] for line in lines} == set()
