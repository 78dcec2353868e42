"""Builds the site of the release that the marts hold: a pack for each borough and the overview of London.

**When:** each time a release was published, by whatever run: it is scheduled on the asset `marts`. Publishing never waits for it.

**When red:** one alert was raised. Where a figure could not be drawn, its pack is yesterday's and the others are new; otherwise the site is
yesterday's, whole. The log's last line names the figure, with its code. Clear the task to try again, or run `vru site`; the next release tries
again by itself.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.sdk import DAG, task
from steps import DEFAULTS, MARTS, RUNBOOK, finish, needed, notify


# Not in the pool of what changes the warehouse: it only reads, and a night that begins need not wait for it.
@task(pool="default_pool", execution_timeout=dt.timedelta(minutes=30))
def build_site() -> dict[str, Any]:
    """Builds both editions beside the site that stands and puts them in its place; passes on how many pages were written and kept.

    When red: the pack of the figure that the log names, or the whole site, is as it was. The log names figure, area and code.
    """
    from warehouse import site
    from warehouse.platform.settings import settings

    needed(settings().site_after_night or None, "VRU_SITE_AFTER_NIGHT is false")
    built = site.build(settings(), echo=print)
    return {"release_id": built.release_id, "rendered": built.rendered, "kept": built.kept, "files": built.files}


with DAG(
    dag_id="site",
    schedule=[MARTS],
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    dagrun_timeout=dt.timedelta(hours=1),
    default_args=DEFAULTS,
    description="Build the site of the newest release, in its open and its partner edition",
    doc_md=f"{__doc__}\n{RUNBOOK}\n",
    tags=["warehouse", "shows"],
) as dag:
    build_site() >> notify()
    finish(dag)
