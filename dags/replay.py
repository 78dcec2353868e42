"""Loads releases of a source again from landing, then builds, judges and publishes. Started by hand only.

**For:** a load that was refused and whose declaration has been corrected since; a release that raw no longer keeps; a landed
file that somebody wants loaded again. Nothing is fetched, and loading the same bytes twice changes nothing.

**Parameters:** a dataset, by its source and name; either a range of release dates, both ends included and each
of them optional, or one file in landing by its path (`<source>/<dataset>/<sha256>.<ext>`). A configuration that gives `source` and
`dataset` one by one counts as well.

**When red:** the log's last line says which file was refused and why. Files that loaded before it stay loaded; the marts are as they were.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param, task
from steps import DEFAULTS, RUNBOOK, SOURCES, build_and_publish, dataset_asset, finish

# Which dataset it is, the run is told: an alias stands for the asset until then.
REPLAYED = AssetAlias("replayed")


@task(outlets=[REPLAYED], execution_timeout=dt.timedelta(hours=2))
def replay(params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
    """Loads the chosen releases again from landing; passes on row counts.

    When red: a file is missing in landing or was refused; the log names it.
    """
    from warehouse import steps

    source, dataset = what(params)
    done = steps.replay(source, dataset, params["from_release"], params["to_release"], params["file"])
    extra = {name: done[name] for name in ("files", "rows", "editions")}
    outlet_events[REPLAYED].add(dataset_asset(source, dataset), extra=extra)
    return done


def what(params: Any) -> tuple[str, str]:
    """Source and dataset that a run is about: as the form gives them, or as a configuration of before did."""
    if params.get("source") and params.get("dataset"):
        return params["source"], params["dataset"]
    source, _, dataset = params["source_and_dataset"].partition(" ")
    return source, dataset


def _date(title: str, description: str) -> Param:
    return Param(None, title=title, description=description, type=["null", "string"], format="date")


# One choice: of two lists, a source and a dataset of another could be chosen together.
DATASETS = [f"{source.source} {name}" for source in SOURCES.values() for name in source.datasets]

with DAG(
    dag_id="replay",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=dt.timedelta(hours=6),
    default_args=DEFAULTS,
    params={
        "source_and_dataset": Param(
            DATASETS[0],
            title="Dataset",
            description="The dataset whose files are loaded again, by its source and name",
            type="string",
            enum=DATASETS,
        ),
        "from_release": _date(
            "From release", "The first release date to load again; empty means the oldest in landing"
        ),
        "to_release": _date("To release", "The last release date to load again; empty means the newest in landing"),
        "file": Param(
            None,
            title="Landed file",
            description="One file in landing instead of a range: <source>/<dataset>/<sha256>.<ext>",
            type=["null", "string"],
            pattern=r"^[a-z0-9_]+/[a-z0-9_]+/[0-9a-f]{64}\.[a-z0-9]+$",
        ),
    },
    description="Load releases again from landing, then build, judge and publish",
    doc_md=f"{__doc__}\n{RUNBOOK}\n",
    tags=["warehouse", "publishes", "by hand"],
) as dag:
    replayed = replay()
    build_and_publish(replayed, [replayed])
    finish(dag)
