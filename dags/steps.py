"""What the DAGs share: the tasks that build and publish, what is retried, and when a task has nothing to do.

Only Airflow loads this folder. Nothing at the top of these files reads a setting, a clock, the network or a database, so
the DAGs parse on any machine. What a task does is one call of `warehouse.steps` or `warehouse.site`, imported when the task runs.
"""

from __future__ import annotations

import datetime as dt
import inspect
from typing import Any, TypeVar

from airflow.sdk import DAG, Asset, ExceptionRetryPolicy, Param, RetryAction, RetryRule, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from ingest.declaration import read_sources
from ingest.errors import PublisherUnavailable

T = TypeVar("T")

LONDON = "Europe/London"
SOURCES = read_sources()

# One slot: what changes the warehouse does so one after the other, whichever run and DAG it belongs to.
WAREHOUSE_POOL = "warehouse"

# A publisher that is away may be back in a minute. A changed header, a refused file, a held release and a mistake of
# ours say the same at every try: trying again only delays the alert.
RETRY_BY_KIND = ExceptionRetryPolicy(
    rules=[
        RetryRule(PublisherUnavailable, RetryAction.RETRY, reason="the publisher is away and may be back soon"),
        RetryRule(Exception, RetryAction.FAIL, reason="trying again would say the same"),
    ]
)


def note_failure(context: Any) -> None:
    """Write down why a task failed, for the run's one alert, where its step has not done so. Airflow calls it in the task's own process;
    where that was killed there is no exception, and `notify` says so.
    """
    from warehouse import steps

    if isinstance(error := context.get("exception"), BaseException):
        steps.note_failure(context["run_id"], context["ti"].task_id, error)


DEFAULTS: dict[str, Any] = {
    "owner": "data-engineering",
    "pool": WAREHOUSE_POOL,
    "retry_policy": RETRY_BY_KIND,
    "on_failure_callback": note_failure,
    # For a task whose process was killed: it raises nothing that the policy could judge, and every step may be repeated.
    "retries": 1,
    "retry_delay": dt.timedelta(seconds=10),
}

# Three more tries, after 30 to 60, 60 to 120 and 120 to 240 seconds: Airflow adds up to the same again to every wait.
FETCH_RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": dt.timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": dt.timedelta(minutes=5),
}

RUNBOOK = (
    "The runbook, `docs/runbook.md`, has a section for every alert; `vru alerts` and `vru status` say what happened."
)


# What others schedule on: updated where a run has published a release; the event's extra has its number and the rows it changed.
MARTS = Asset(name="marts", uri="x-vru://marts")


def dataset_asset(source: str, dataset: str) -> Asset:
    """The asset of a dataset: updated where a run has loaded rows of it that raw did not have, whether or not they are published."""
    return Asset(name=f"raw.{source}.{dataset}", uri=f"x-vru://raw/{source}/{dataset}")


def fetch_pool(source: str) -> str:
    """Name of the pool that keeps requests to one publisher one after the other."""
    return f"fetch_{source}"


def sources_param() -> Param:
    """The parameter `sources`: the sources a run is about, all of them where it is left out."""
    return Param(
        None,
        title="Sources",
        description="Only these sources are fetched and loaded; empty means all. What the others hold stays as it is.",
        type=["null", "array"],
        items={"type": "string", "enum": list(SOURCES)},
        minItems=1,
        uniqueItems=True,
    )


def stand_ins_param() -> Param:
    """The parameter `stand_ins`: where stand-in publishers are, by source, as JSON text; the real ones where it is left out."""
    return Param(
        None,
        title="Stand-in publishers",
        description='JSON such as {"mps": "http://127.0.0.1:8000"}; `vru nightly` fills it in. Empty means the real publishers.',
        type=["null", "string"],
    )


def needed(value: T | None, reason: str) -> T:
    """The value; where it is missing, the task that needs it is skipped.

    Raises:
        AirflowSkipException: with the reason.
    """
    if value is None:
        raise AirflowSkipException(reason)
    return value


@task(execution_timeout=dt.timedelta(minutes=5))
def begin(run_id: Any = None, params: Any = None, ti: Any = None) -> Any:
    """Delivers alerts left from before, and refuses a run that would mix real and synthetic data. Skips the tasks of the sources that the
    run is not about: none of them starts.

    When red: nothing was fetched and nothing changed. The log's last line says why and what to do.
    """
    from warehouse import steps

    steps.begin(run_id, params.get("sources"), params.get("stand_ins"))
    chosen = params.get("sources")
    of_others = [
        name
        for name in ti.task.dag.task_ids
        if chosen is not None and "." in name and name.partition(".")[0] not in chosen
    ]
    if of_others:
        ti.xcom_push(key="return_value", value=run_id)  # what raises returns nothing
        raise DownstreamTasksSkipped(tasks=of_others)
    return run_id


@task(execution_timeout=dt.timedelta(hours=1))
def transform(begun: Any, run_id: Any = None) -> str | None:
    """Builds the candidate marts with dbt; skips what follows when nothing changed since the last published release.

    When red: a model or one of its tests failed; the marts are as they were. The log names model, test and rows.
    """
    from warehouse import steps

    needed(begun, "what comes before it failed")
    return steps.build(run_id)


@task(execution_timeout=dt.timedelta(minutes=30))
def gate(candidate: Any, run_id: Any = None) -> str:
    """Judges landing and candidate with Great Expectations; a blocked candidate is held and the run is red.

    When red: the marts are as they were and the release is marked held. `vru alerts` names check, areas and months.
    """
    from warehouse import steps

    return steps.gate(run_id, needed(candidate, "nothing changed since the last published release"))


@task(outlets=[MARTS], execution_timeout=dt.timedelta(minutes=30))
def publish(candidate: Any, run_id: Any = None, outlet_events: Any = None) -> dict[str, Any]:
    """Moves the judged candidate into the marts, all of it in one transaction, and tells who schedules on them.

    When red: the transaction was rolled back; readers see the release before. Clear this task to try again.
    """
    from warehouse import steps

    done = steps.publish(run_id, needed(candidate, "there is no candidate"))
    needed(done["release_id"], "somebody rolled the marts back from these files, and nothing new has come")
    outlet_events[MARTS].extra = done
    return done


# A task and no BaseNotifier: notifiers are called from callbacks, which have no retries, no log of their own and no state, and which
# Airflow leaves out where the process that owes them was killed. An alert that went astray would be seen by nobody.
@task(trigger_rule=TriggerRule.ALL_DONE, execution_timeout=dt.timedelta(minutes=5))
def notify(run_id: Any = None, ti: Any = None) -> None:
    """Raises one alert when anything in the run went wrong, and none when nothing did. A task whose process was killed said nothing itself.
    Writes into the run's note in the UI what was published, what is new and what went wrong.

    When red: the alert is in `ops.alert` and the next run delivers it again.
    """
    from warehouse import airflow, steps
    from warehouse.platform.settings import settings

    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
    steps.notify(run_id, [task_id for task_id, state in states.items() if state == "failed" and task_id != "watcher"])
    airflow.write_note(settings(), ti.dag_id, run_id, ti.xcom_pull(task_ids="transform"))


@task(
    trigger_rule=TriggerRule.ONE_FAILED,
    retries=0,
    on_failure_callback=None,
    pool="default_pool",
    execution_timeout=dt.timedelta(minutes=1),
)
def watcher() -> None:
    """Fails as soon as any other task has failed, which makes the run red although `notify` succeeds after it.

    When red: look for the other red task. This one has nothing to tell.
    """
    raise AirflowFailException("another task of this run failed; its log says why")


def finish(dag: DAG) -> None:
    """What every DAG ends with: the watcher on all its tasks, and their docs set flush, as the UI's markdown wants them."""
    list(dag.tasks) >> watcher()
    for each in dag.tasks:
        each.doc_md = inspect.cleandoc(each.doc_md or "")  # type: ignore[misc]


def build_and_publish(begun: Any, after: list[Any], **transform_rule: Any) -> Any:
    """Tasks that turn what is loaded into a published release: transform, gate, publish, notify.

    Args:
        begun: what the task returned without which nothing is to be built.
        after: the tasks that load; transform waits for all of them.
        transform_rule: arguments that `transform` gets in this DAG, such as its trigger rule.
    """
    candidate = transform.override(**transform_rule)(begun) if transform_rule else transform(begun)
    after >> candidate
    verdict = gate(candidate)
    published = publish(candidate)
    verdict >> published >> notify()
