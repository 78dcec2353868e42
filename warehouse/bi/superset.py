"""Datasets of Apache Superset, as the YAML that its API imports (POST /api/v1/assets/import/)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import yaml

from warehouse.bi.semantic_model import FACTS, Measure, SemanticModel, Table

VERSION = "1.0.0"
# The same assets have the same ids wherever they are made, so that an import again changes them and adds none.
NAMESPACE = uuid.UUID("6f8a1f0e-6d0b-5b0a-9a53-4b1f6f1f2c11")


def write(model: SemanticModel, out: Path, server: str, database: str) -> list[Path]:
    """Write the database and its datasets as Superset's export has them.

    Args:
        model: what to describe.
        out: the folder, which exists.
        server, database: where the warehouse is (host:port); the password is asked for at the import.

    Returns:
        The files.
    """
    file = model.name.replace(" ", "_")
    texts: dict[Path, dict[str, Any]] = {
        out / "metadata.yaml": {"version": VERSION, "type": "assets"},
        out / "databases" / f"{file}.yaml": {
            "database_name": model.name,
            "sqlalchemy_uri": f"postgresql+psycopg2://vru_analyst:XXXXXXXXXX@{server}/{database}",
            "expose_in_sqllab": True,
            "allow_dml": False,
            "uuid": identity("database"),
            "version": VERSION,
        },
        **{out / "datasets" / file / f"{one.name}.yaml": dataset(one, model) for one in model.tables},
    }
    for path, content in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return list(texts)


def identity(*of: str) -> str:
    """The id of an asset, by its kind and name."""
    return str(uuid.uuid5(NAMESPACE, "/".join(of)))


def dataset(table: Table, model: SemanticModel) -> dict[str, Any]:
    """A view as a dataset: its columns described, its measures as metrics."""
    days = [one.name for one in table.columns if one.data_type == "date"]
    return {
        "table_name": table.name,
        "schema": "marts",
        "description": table.description,
        "main_dttm_col": days[0] if days else None,
        "columns": [
            {
                "column_name": one.name,
                "type": one.data_type.upper(),
                "description": one.description,
                "is_dttm": one.data_type == "date",
                "groupby": True,
                "filterable": True,
            }
            for one in table.columns
        ],
        "metrics": [_metric(one) for one in model.measures if one.table == table.name] if table.name in FACTS else [],
        "uuid": identity("dataset", table.name),
        "database_uuid": identity("database"),
        "version": VERSION,
    }


def _metric(measure: Measure) -> dict[str, Any]:
    top, below = measure.numerator, measure.denominator
    if below is None:
        expression = f"sum({top})"
    else:
        known = f"filter (where {top} is not null and {below} is not null)"
        expression = f"1000.0 * sum({top}) {known} / nullif(sum({below}) {known}, 0)"
    return {
        "metric_name": "count" if below is None else "rate_per_1000",
        "verbose_name": measure.name,
        "description": measure.description,
        "expression": expression,
        "d3format": ",d" if below is None else ",.2f",
    }
