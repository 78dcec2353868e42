"""Fetches what every publisher has released, loads it, and builds, judges and publishes all of it at once.

**When:** 02:30 in London, every night, and whenever somebody triggers it. It goes by what is landed and loaded, never by
the date of the run, so a missed night is made good by the next one, and any run may be repeated.

**Each source** has a task group; within it each dataset is fetched and loaded, in the order the source declares them. A source or
dataset that fails stops nobody else: what it held before is carried forward and shown as stale in `marts.data_status`.

**When red:** one alert was raised, and `notify` did it. If the newest run is green, ignore older red ones. If `gate` is red, the release
is held and the marts are yesterday's, on purpose. If `fetch_…` is red, the publisher was away at every try or sent something
that is not the file. If `load_…` is red, the file stands in landing as it came and the log names row, column and value.
If everything after a red task is done, clear that task with its downstream to run it again, or wait for the next night.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, TriggerRule, task, task_group
from steps import (
    DEFAULTS,
    FETCH_RETRIES,
    LONDON,
    RUNBOOK,
    SOURCES,
    begin,
    build_and_publish,
    dataset_asset,
    fetch_pool,
    finish,
    needed,
    sources_param,
    stand_ins_param,
)

from ingest.declaration import Source


@task(execution_timeout=dt.timedelta(minutes=20), **FETCH_RETRIES)
def fetch(source: str, dataset: str, run_id: Any = None, params: Any = None) -> list[str]:
    """Fetches what the publisher has released and we do not hold, as published; passes on the paths in landing.

    When red: the publisher was away at every try, or answered with something that is not the file. Nothing was loaded.
    """
    from warehouse import steps

    # `begin` skips what the run is not about. A person may clear such a task all the same.
    chosen = params["sources"]
    needed(chosen is None or source in chosen or None, f"{source} is not among the sources of this run")
    return steps.fetch(run_id, source, dataset, params["stand_ins"])


# all_done, because it waits for the dataset before it, whose failure must not stop it.
@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=dt.timedelta(hours=1))
def load(source: str, dataset: str, landed: Any, run_id: Any = None, outlet_events: Any = None) -> dict[str, Any]:
    """Loads the landed files into raw, every row accounted for; passes on row counts. Skipped where raw has all of it already.

    When red: the file is not what its declaration says. It is in landing and in `ops.load` as refused; raw is as it was.
    """
    from warehouse import steps

    done = steps.load(run_id, source, dataset, needed(landed, "nothing was fetched"))
    # An asset is updated by a task that succeeds, and not by one that is skipped.
    needed(done["files"] or None, "nothing is new")
    outlet_events[dataset_asset(source, dataset)].extra = done
    return done


def source_group(source: Source, begun: Any) -> list[Any]:
    """The task group of a source; returns its load tasks."""

    @task_group(group_id=source.source, tooltip=source.publisher)
    def group() -> Any:
        loads: list[Any] = []
        for name in source.datasets:
            landed = fetch.override(task_id=f"fetch_{name}", pool=fetch_pool(source.source))(source.source, name)
            asset = dataset_asset(source.source, name)
            loaded = load.override(task_id=f"load_{name}", outlets=[asset])(source.source, name, landed)
            begun >> landed
            if loads:
                loads[-1] >> loaded
            loads.append(loaded)
        return loads

    return group()  # type: ignore[return-value]


# No start_date: with one in the past, a scheduler that is started for the first time would run last night's run at once.
with DAG(
    dag_id="nightly",
    schedule=CronTriggerTimetable("30 2 * * *", timezone=LONDON, run_immediately=dt.timedelta(0)),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=dt.timedelta(hours=6),
    default_args=DEFAULTS,
    params={"sources": sources_param(), "stand_ins": stand_ins_param()},
    description="Fetch and load every source, then build, judge and publish all of it at once",
    doc_md=f"{__doc__}\n{RUNBOOK}\n",
    tags=["warehouse", "publishes"],
) as dag:
    begun = begin()
    loads = [loaded for source in SOURCES.values() for loaded in source_group(source, begun)]
    build_and_publish(begun, loads, trigger_rule=TriggerRule.ALL_DONE)
    finish(dag)
