"""What Apache Superset is given, as the YAML that its API imports (POST /api/v1/assets/import/): database, datasets, charts, dashboards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from warehouse.bi import dashboards
from warehouse.bi.identity import VERSION, identity
from warehouse.bi.metrics import label, metrics
from warehouse.bi.semantic_model import SemanticModel, Table

READER = "vru_analyst"


def write(model: SemanticModel, out: Path, server: str, database: str) -> list[Path]:
    """Write the assets as Superset's export has them.

    Args:
        model: what to describe.
        out: the folder, which exists.
        server, database: where the warehouse is (host:port); the password is asked for at the import.

    Returns:
        The files.
    """
    address = f"postgresql+psycopg2://{READER}:XXXXXXXXXX@{server}/{database}"
    found = []
    for name, text in texts(model, address).items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        found.append(path)
    return found


def texts(model: SemanticModel, address: str) -> dict[str, str]:
    """The assets by their paths: the same text for the same model.

    Args:
        address: of the database, as SQLAlchemy has it.
    """
    file = model.name.replace(" ", "_")
    made = {name: dashboards.assets(name, model) for name in dashboards.NAMES}
    contents: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": VERSION, "type": "assets"},
        f"databases/{file}.yaml": {
            "database_name": model.name,
            "sqlalchemy_uri": address,
            "expose_in_sqllab": True,
            "allow_dml": False,
            "extra": {"allows_virtual_table_explore": True},  # its import fails where there is none
            "uuid": identity("database"),
            "version": VERSION,
        },
        **{f"datasets/{file}/{one.name}.yaml": dataset(one) for one in model.explored},
        **{path: chart for one in made.values() for path, chart in one.charts.items()},
        **{f"dashboards/{name}.yaml": one.dashboard for name, one in made.items()},
    }
    return {
        path: yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=140)
        for path, content in contents.items()
    }


def dataset(table: Table) -> dict[str, Any]:
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
                "verbose_name": label(one.name),
                "type": one.data_type.upper(),
                "description": one.description,
                "is_dttm": one.data_type == "date" or one.data_type.startswith("timestamp"),
                "groupby": True,
                "filterable": True,
            }
            for one in table.columns
        ],
        "metrics": [
            {
                "metric_name": one.name,
                "verbose_name": one.label,
                "description": one.description,
                "expression": one.expression,
                "d3format": one.form or None,
            }
            for one in metrics(table)
        ],
        "uuid": identity("dataset", table.name),
        "database_uuid": identity("database"),
        "version": VERSION,
    }
