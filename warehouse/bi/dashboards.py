"""Charts and dashboards of Superset, put together from the templates in `dashboards/`.

A template names datasets, columns and metrics; what Superset wants beside them (ids, places on a grid of twelve columns, filters, the banner) is made
here. Ids are by name (uuid 5), so that an import again changes what is there and adds nothing.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import yaml

from warehouse.bi.identity import VERSION, identity
from warehouse.bi.metrics import Metric, metrics
from warehouse.bi.semantic_model import SemanticModel

TEMPLATES = Path(__file__).with_suffix("")
NAMES = ("london", "borough", "quality")
# The measures that are asked for most: those of bi_month_wide.
MEASURES = (
    "mps_all_offences",
    "sv_core_separable",
    "sv_broad_proxy",
    "mps_homicide",
    "mps_violence_with_injury",
    "mps_violence_without_injury",
    "mps_rape",
    "mps_robbery_personal",
    "mps_knife_crime",
    "mps_knife_crime_with_injury",
    "mps_gun_crime",
    "mps_domestic_abuse",
    "safestats_las_assaults",
    "safestats_las_knife_injuries",
)
CAUTION = "SYNTHETIC DATA: invented by the stand-in publishers, for no decision whatever."
GRID, ROOT = "GRID_ID", "ROOT_ID"


@dataclasses.dataclass(frozen=True)
class Assets:
    """What a template gives: Superset's YAML by the path below the folder of assets."""

    charts: dict[str, dict[str, Any]]
    dashboard: dict[str, Any]


def template(name: str) -> dict[str, Any]:
    """A template as it stands: title, slug, introduction, filters, rows, charts."""
    found: dict[str, Any] = yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def assets(name: str, model: SemanticModel) -> Assets:
    """Charts and dashboard of a template.

    Args:
        name: of the template.
        model: what there is, and whether it is invented.
    """
    given = template(name)
    numbers = {key: number for number, key in enumerate(given["charts"], 1)}
    charts = {f"charts/{name}_{key}.yaml": _chart(name, key, one, model) for key, one in given["charts"].items()}
    prefix = "SYNTHETIC: " if model.is_synthetic else ""
    dashboard = {
        "dashboard_title": f"{prefix}{given['title']}",
        "description": given["introduction"],
        "css": _css(),
        "slug": given["slug"],
        "certified_by": "",
        "certification_details": "",
        "published": True,
        "uuid": identity("dashboard", name),
        "position": _position(name, given, numbers, model, prefix),
        "metadata": {
            "color_scheme": "vru",
            "cross_filters_enabled": False,
            "refresh_frequency": 0,
            "filter_bar_orientation": "HORIZONTAL",
            "native_filter_configuration": [
                _filter(name, one, [numbers[key] for key in _beyond(one, given)]) for one in given["filters"]
            ],
        },
        "version": VERSION,
    }
    return Assets(charts, dashboard)


def _chart(name: str, key: str, given: dict[str, Any], model: SemanticModel) -> dict[str, Any]:
    table = next(one for one in model.explored if one.name == given["dataset"])
    known = {one.name: one for one in metrics(table)}
    params = {"viz_type": given["viz"], "color_scheme": "vru", **given["params"]}
    if "metrics" in params:
        params["metrics"] = [_metric(one, known) for one in params["metrics"]]
    conditions = list(given.get("where", []))
    if given.get("measures"):
        conditions.append(f"measure_code in ({', '.join(repr(one) for one in MEASURES)})")
    params["adhoc_filters"] = [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": one} for one in conditions]
    return {
        "slice_name": given["title"],
        "description": table.description,
        "viz_type": given["viz"],
        "params": params,
        "uuid": identity("chart", name, key),
        "dataset_uuid": identity("dataset", table.name),
        "version": VERSION,
    }


def _metric(given: str | dict[str, str], known: dict[str, Metric]) -> str | dict[str, Any]:
    """A metric by its name, or under another label, by which some charts go."""
    if isinstance(given, str):
        return known[given].name
    return {
        "expressionType": "SQL",
        "sqlExpression": known[given["use"]].expression,
        "label": given["label"],
        "hasCustomLabel": True,
        "optionName": f"metric_{re.sub(r'[^a-z]', '', given['label'].lower())}",
    }


def _beyond(given: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """The charts that a filter leaves alone."""
    return list(given["except"]) if "except" in given else [one for one in whole["charts"] if one not in given["only"]]


def _filter(name: str, given: dict[str, Any], excluded: list[int]) -> dict[str, Any]:
    chosen = given["default"]
    return {
        "id": f"NATIVE_FILTER-{identity('filter', name, given['name'])}",
        "name": given["name"],
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "targets": [{"datasetUuid": identity("dataset", given["dataset"]), "column": {"name": given["column"]}}],
        # One at a time: a figure of two measures or boroughs is none.
        "controlValues": {
            "enableEmptyFilter": True,
            "defaultToFirstItem": False,
            "multiSelect": False,
            "searchAllOptions": False,
            "inverseSelection": False,
        },
        "defaultDataMask": {
            "filterState": {"value": [chosen], "label": chosen, "validateStatus": False},
            "extraFormData": {"filters": [{"col": given["column"], "op": "IN", "val": [chosen]}]},
        },
        "cascadeParentIds": [],
        "scope": {"rootPath": [ROOT], "excluded": excluded},
        "description": "",
    }


def _position(
    name: str, given: dict[str, Any], numbers: dict[str, int], model: SemanticModel, prefix: str
) -> dict[str, Any]:
    rows = [_row(name, "text", [_text(name, given, model)])]
    for number, row in enumerate(given["rows"], 1):
        cells = [
            {
                "type": "CHART",
                "id": f"CHART-{name}-{key}",
                "children": [],
                "meta": {
                    "chartId": numbers[key],
                    "uuid": identity("chart", name, key),
                    "sliceName": given["charts"][key]["title"],
                    "width": width,
                    "height": row["height"],
                },
            }
            for key, width in row["charts"].items()
        ]
        rows.append(_row(name, str(number), cells))
    found: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        ROOT: {"type": "ROOT", "id": ROOT, "children": [GRID]},
        GRID: {"type": "GRID", "id": GRID, "parents": [ROOT], "children": [one[0]["id"] for one in rows]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": f"{prefix}{given['title']}"}},
    }
    return found | {part["id"]: part for row in rows for part in row}


def _row(name: str, key: str, cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    row = {
        "type": "ROW",
        "id": f"ROW-{name}-{key}",
        "parents": [ROOT, GRID],
        "children": [one["id"] for one in cells],
        "meta": {"background": "BACKGROUND_TRANSPARENT"},
    }
    return [row, *({**one, "parents": [ROOT, GRID, row["id"]]} for one in cells)]


def _text(name: str, given: dict[str, Any], model: SemanticModel) -> dict[str, Any]:
    """The banner of invented data, the classification, and how to read the page."""
    used = {one["dataset"] for one in given["charts"].values()}
    # The highest of what is shown: OFFICIAL-SENSITIVE is the longer of the two that there are.
    classification = max((one.classification for one in model.explored if one.name in used), key=len)
    banner = f'<div class="vru-banner">{CAUTION}</div>\n\n' if model.is_synthetic else ""
    code = (
        f'{banner}<div class="vru-introduction"><b>{classification}</b>. {given["introduction"]} '
        "Definitions, sources and licences: dataset bi_measure.</div>"
    )
    return {
        "type": "MARKDOWN",
        "id": f"MARKDOWN-{name}",
        "children": [],
        "meta": {"width": 12, "height": 15 if banner else 9, "code": code},
    }


def _css() -> str:
    """The dashboards' style: the banner, and the tiles of the map with the place of each borough."""
    grid = yaml.safe_load((TEMPLATES / "tiles.yaml").read_text(encoding="utf-8"))
    places = [
        f".vru-{code} {{ grid-area: {row} / {column}; }}"
        for row, line in enumerate(grid, 1)
        for column, code in enumerate(line, 1)
        if code
    ]
    bands = [
        f"{', '.join(f'.vru-r{rank}' for rank in ranks)} {{ background: {colour}; color: {ink}; }}"
        for ranks, colour, ink in (
            (range(1, 8), "#12436D", "#fff"),
            (range(8, 15), "#3E6A94", "#fff"),
            (range(15, 21), "#ADD1F1", "#111"),
            (range(21, 27), "#D3E6F8", "#111"),
            (range(27, 33), "#F1F7FD", "#111"),
        )
    ]
    return (TEMPLATES / "style.css").read_text(encoding="utf-8") + "\n".join([*places, *bands]) + "\n"
