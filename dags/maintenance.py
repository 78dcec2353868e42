"""Weekly housekeeping: a backup, alerts not yet delivered, what the nights leave behind, files kept for as long as they may be, Airflow's records and logs older than 90 days.

**When:** Sundays at 12:00 in London, when no nightly run is due. Nothing an analyst reads depends on it, and of landing
nothing goes but what its source says may be kept no longer (`retention_days`).

**When red:** nothing is lost and the next week makes it good. `prune_airflow` red: the log names the table; Airflow goes on working, its database grows.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, TriggerRule, task
from steps import DEFAULTS, LONDON, RUNBOOK, finish


@task(execution_timeout=dt.timedelta(hours=1))
def maintain() -> dict[str, Any]:
    """Delivers waiting alerts and tidies what the nights leave behind.

    When red: the log's last line says which of them failed; the others of that run may not have been done.
    """
    from warehouse import steps

    return steps.maintain()


@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=dt.timedelta(hours=2))
def back_up() -> dict[str, Any]:
    """Backs up database and landing, and keeps the newest eight backups; passes on what it holds.

    When red: the backups before it stand. The log says whether the disk is full or the admin's connection is missing.
    """
    from warehouse import steps

    return steps.back_up(keep=8)


@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=dt.timedelta(hours=1))
def prune_airflow() -> dict[str, int]:
    """Removes runs from Airflow's database, and log files, that are older than 90 days; passes on how many files.

    When red: the log names the table that could not be pruned. Nothing else depends on it.
    """
    from warehouse import airflow
    from warehouse.platform.settings import settings

    return airflow.prune(settings(), keep_days=90)


with DAG(
    dag_id="maintenance",
    schedule=CronTriggerTimetable("0 12 * * 0", timezone=LONDON, run_immediately=dt.timedelta(0)),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=dt.timedelta(hours=3),
    default_args=DEFAULTS,
    description="Deliver waiting alerts, tidy up, back up, prune Airflow's records and logs",
    doc_md=f"{__doc__}\n{RUNBOOK}\n",
    tags=["warehouse", "housekeeping"],
) as dag:
    maintain() >> back_up() >> prune_airflow()
    finish(dag)
