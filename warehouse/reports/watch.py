"""The watch: what no night can tell, because the night, its scheduler or the database is what is missing.

It runs outside the scheduler (cron, a systemd timer, a service of the stack), looks, and raises one alert for what is
new. What it has alerted stands in `watch.json` of the home, and is alerted again only after it was well in between. Where the database is
away, alerts are sent all the same, kept in `alerts/` of the home, and entered into ops.alert once it is back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import Refusal
from warehouse import airflow, alerts
from warehouse.platform import embedded, readers, roles
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.embedded import WarehouseAway
from warehouse.platform.settings import LONDON, Settings

# A night begins at 02:30 and takes minutes; by now it is late.
NIGHT_IS_DUE = dt.time(7)
# Longer than Airflow lets a run of ours take, after which it ends it and no task of the run is left to tell.
LOOK_BACK = dt.timedelta(days=2)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        code: what kind of failure it is, of the registry (ingest/codes.csv).
        key: what and since when: the same finding is alerted once.
        problem: a sentence.
    """

    code: str
    key: str
    problem: str


def watch(settings: Settings) -> tuple[list[Finding], list[Finding]]:
    """Look once, and raise one alert for what no alert has named yet.

    Returns:
        Everything that is wrong now, and of that what the new alert names.
    """
    if settings.is_embedded and not embedded.is_created(settings.home / "postgres"):
        embedded.start(settings.home / "postgres")  # which refuses: there is no home to watch, and none is made
    with _one_at_a_time(settings):
        try:
            found = find_problems(settings)
            is_away = False
        except WarehouseAway as refusal:
            found, is_away = [database_away(refusal)], True
        alerted = _alerted(settings)
        new = [one for one in found if one.key not in alerted]
        # Of what could not be looked at nothing is forgotten.
        still = alerted if is_away else alerted & {one.key for one in found}
        if new:
            alerts.raise_found(
                settings,
                "; ".join(_head(one) for one in new),
                [(one.code, one.problem) for one in new],
                is_away=is_away,
            )
        _remember(settings, still | {one.key for one in new})
        if not is_away:
            alerts.enter_kept(settings)
    return found, new


def alert_no_night(settings: Settings, refusal: Refusal) -> None:
    """Raise one alert that a night could not begin: it has no run that could raise one."""
    finding = database_away(refusal)
    if not isinstance(refusal, WarehouseAway):
        finding = Finding(
            "NIGHT_NOT_BEGUN", f"no set-up {settings.london_date()}", f"a night could not begin: {refusal}"
        )
    with _one_at_a_time(settings):
        alerted = _alerted(settings)
        if finding.key not in alerted:
            alerts.raise_found(
                settings, _head(finding), [(finding.code, finding.problem)], is_away=isinstance(refusal, WarehouseAway)
            )
            _remember(settings, alerted | {finding.key})


def _overdue_readers(settings: Settings) -> Iterator[Finding]:
    """Readers' transactions that went on for longer than their role may hold one, ended now: nights look only when they begin and wait."""
    with connect(settings, PUBLISHER) as connection:
        ended = readers.end_overdue(connection)
    for one in ended:
        yield Finding(
            "READER_OVERDUE",
            f"reader {one}",
            f"a reader's transaction went on for longer than its role may, and was ended: {one}",
        )


def alert_repaired(settings: Settings, changed: dict[str, list[str]]) -> None:
    """Raise an alert that roles had been changed, and that set-up has repaired them: nothing else will show it any more."""
    if changed:
        subject = f"{', '.join(changed)} had been changed"
        alerts.raise_found(
            settings, subject, [("ROLE_CHANGED", f"{roles.describe(changed)}: set-up has repaired it")], is_away=False
        )


def database_away(refusal: Refusal) -> Finding:
    """The finding that the warehouse's database cannot be reached."""
    return Finding(refusal.code, "database", f"the warehouse's database cannot be reached: {refusal}")


def find_problems(settings: Settings) -> list[Finding]:
    """What is wrong now.

    Raises:
        WarehouseAway: when the warehouse cannot be reached.
    """
    return [
        *_unusable_channels(settings),
        *_changed_roles(settings),
        *_overdue_readers(settings),
        *_late_night(settings),
        *_scheduler(settings),
        *_unreported_runs(settings),
        *_overdue_feeds(settings),
    ]


def _unusable_channels(settings: Settings) -> Iterator[Finding]:
    for name in alerts.unusable(settings):
        problem = f"the channel {name} of VRU_ALERT_URLS cannot be used as it is set: no alert arrives by it"
        yield Finding("CHANNEL_UNUSABLE", f"channel {name}", problem)


def _changed_roles(settings: Settings) -> Iterator[Finding]:
    with connect(settings, PUBLISHER) as connection:
        found = roles.changed(settings, connection)
    for role, names in found.items():
        yield Finding("ROLE_CHANGED", f"role {role} {' '.join(names)}", roles.problem({role: names}))


def _late_night(settings: Settings) -> Iterator[Finding]:
    now = settings.now().astimezone(LONDON)
    if now.time() < NIGHT_IS_DUE:
        return
    midnight = dt.datetime.combine(now.date(), dt.time(), LONDON)
    with connect(settings, PUBLISHER) as connection:
        row = connection.execute(
            """select (select max(last_checked_at) from ops.dataset),
                      (select count(*) from ops.load as l where l.state = 'loaded' and l.loaded_at < %s
                           and l.loaded_at > coalesce((select max(judged_at) from ops.release), '-infinity'))""",
            [settings.now() - dt.timedelta(hours=1)],
        ).fetchone()
    asked, waiting = row if row else (None, 0)
    if asked is None or asked < midnight:
        since = f"since {asked.astimezone(LONDON):%Y-%m-%d %H:%M}" if asked else "yet"
        yield Finding(
            "NIGHT_LATE",
            f"no night {now:%Y-%m-%d}",
            f"no night has asked the publishers {since}, and one is due every day by {NIGHT_IS_DUE:%H:%M}",
        )
    elif waiting:
        yield Finding(
            "LOADS_NOT_JUDGED",
            f"not judged {now:%Y-%m-%d}",
            f"{waiting} loaded file{'s' if waiting > 1 else ''} wait to be published: no release was judged since they were loaded",
        )


def _scheduler(settings: Settings) -> Iterator[Finding]:
    state = airflow.scheduler_state(settings)
    if state.heard_at is not None and not state.is_alive:
        yield Finding(
            "SCHEDULER_SILENT",
            f"scheduler {state.heard_at.isoformat()}",
            f"the scheduler was last heard of at {state.heard_at.astimezone(LONDON):%Y-%m-%d %H:%M}: no night will begin by itself",
        )
    for dag in state.paused_dags:
        yield Finding(
            "DAG_PAUSED", f"paused {dag}", f"the DAG {dag} is paused: it will not run until somebody unpauses it"
        )


def _unreported_runs(settings: Settings) -> Iterator[Finding]:
    """Runs that failed and raised no alert: Airflow ended them after their time, so `notify` never ran."""
    failed = airflow.failed_runs(settings, since=settings.now() - LOOK_BACK)
    with connect(settings, PUBLISHER) as connection:
        known = {
            run
            for (run,) in connection.execute(
                "select run_id from ops.alert where run_id = any(%s)", [[run for run, _ in failed]]
            )
        }
    for run, dag in failed:
        if run not in known:
            yield Finding(
                "NIGHT_CUT_OFF",
                f"run {run}",
                f"the run {run} of the DAG {dag} failed and raised no alert of its own; its log says why",
            )


def _overdue_feeds(settings: Settings) -> Iterator[Finding]:
    with connect(settings, PUBLISHER) as connection:
        # What a night has told of a dataset is not told by a second alert, unless it is still so after some days.
        rows = connection.execute(
            """select s.source, s.dataset, s.since, s.why from marts.data_status as s
               where s.state = 'stale' and not exists (
                   select from ops.run_problem as p inner join ops.alert as a on p.run_id = a.run_id
                   where p.subject = s.source || ' ' || s.dataset and p.code = s.code and a.raised_at > %s
               )
               order by s.source, s.dataset""",
            [settings.now() - LOOK_BACK],
        ).fetchall()
    for source, dataset, since, why in rows:
        yield Finding(
            "DATASET_STALE",
            f"stale {source} {dataset} {since:%Y-%m-%d}" if since else f"stale {source} {dataset}",
            f"{source} {dataset} is stale: {why}",
        )


def _head(finding: Finding) -> str:
    """What is wrong, without what follows from it. The colon of a time has no space after it."""
    return finding.problem.partition(": ")[0]


@contextlib.contextmanager
def _one_at_a_time(settings: Settings) -> Iterator[None]:
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "watch.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _memory(settings: Settings) -> Path:
    return settings.home / "watch.json"


def _alerted(settings: Settings) -> set[str]:
    try:
        return set(json.loads(_memory(settings).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def _remember(settings: Settings, keys: set[str]) -> None:
    part = _memory(settings).with_suffix(".part")
    part.write_text(json.dumps(sorted(keys), indent=1), encoding="utf-8")
    part.replace(_memory(settings))
