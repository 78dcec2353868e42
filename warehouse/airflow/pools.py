"""The pools that the DAGs name."""

from __future__ import annotations

import json
from typing import Any

from ingest.declaration import read_sources
from warehouse.airflow import internals
from warehouse.airflow.program import call
from warehouse.platform.settings import Settings


def pools() -> dict[str, dict[str, Any]]:
    """The pools that the DAGs name, as `airflow pools import` reads them."""
    return {
        "warehouse": {
            "slots": 1,
            "description": "what changes the warehouse, one after the other",
            "include_deferred": True,
        },
        **{
            f"fetch_{name}": {"slots": 1, "description": f"requests to {source.publisher}", "include_deferred": True}
            for name, source in read_sources().items()
        },
    }


def set_pools(settings: Settings) -> None:
    """Make sure Airflow has the pools that the DAGs name. A task whose pool is missing waits for ever, and nothing says so."""
    if pools().keys() <= internals.pool_names(settings):
        return
    file = settings.home / "airflow" / "pools.json"
    file.write_text(json.dumps(pools(), indent=1), encoding="utf-8")
    call(
        settings,
        ["pools", "import", str(file)],
        log=settings.home / "airflow" / "logs" / "pools.log",
        problem="Airflow's pools could not be set up",
    )
