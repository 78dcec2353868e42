"""Airflow's processes in the background on this machine: what `vru up` starts and `vru down` stops."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import requests

from ingest.errors import Refusal
from warehouse.airflow import interrupted, notes, task_logs
from warehouse.airflow.internals import known_dags, paused_dags, unfinished_in_process
from warehouse.airflow.lock import only_runner
from warehouse.airflow.pools import set_pools
from warehouse.airflow.ports import choose as choose_ports
from warehouse.airflow.program import USER, Echo, call, last_line, program, remembered_ports, ui_password
from warehouse.airflow.program import environment as airflow_environment
from warehouse.platform.settings import PREFIX, PROJECT, Settings

DAG_IDS = ("nightly", "replay", "maintenance", "site")
PROCESSES = {
    "api-server": ["api-server"],
    # Everything is on this machine, so the API server reads the logs from disk: no port for them.
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    # No task of ours waits in it; the UI shows Airflow as ill where it is not there.
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
STAND_INS = "stand-ins"
SITE = "site"
OF_THIS_START = (STAND_INS, SITE)  # their logs begin with their address, and so with each start


def up(
    settings: Settings,
    *,
    stand_ins_for: list[str] | None = None,
    environment: dict[str, str] | None = None,
    echo: Echo = print,
    seconds: float = 180,
) -> str:
    """Start API server, scheduler, DAG processor and triggerer of this home in the background, and wait until they are well; beside them, show the site.

    Args:
        stand_ins_for: sources whose stand-in publishers run beside them, so that a scheduled run asks those.
        environment: names and values that they get besides ours.
        seconds: how long to wait.

    Returns:
        The address of the UI. Where everything is running already, nothing is started.

    Raises:
        Refusal: when a nightly run is under way, a port is taken, or they do not get well; then all are stopped again.
    """
    extra = environment or {}
    password = ui_password(settings)
    with only_runner(settings):
        running = _running(settings)
        if set(running) != {*PROCESSES, SITE, *([STAND_INS] if stand_ins_for else [])}:
            _stop_all(running)
            _start_all(settings, stand_ins_for or [], extra, echo, seconds)
        else:
            check_same_settings(settings, extra)
    address = f"http://127.0.0.1:{remembered_ports(settings).api}"
    echo(f"Airflow is up: {address}  user {USER}  password {password}  (logs in {settings.home / 'airflow' / 'logs'})")
    echo(f"the site: {_site_address(settings)}")
    return address


def _start_all(settings: Settings, stand_ins_for: list[str], extra: dict[str, str], echo: Echo, seconds: float) -> None:
    home = settings.home / "airflow"
    (home / "logs").mkdir(parents=True, exist_ok=True)
    choose_ports(settings)
    interrupted.tell(settings)
    started = _Started({}, _settings_digest(extra))
    publishers: dict[str, str] = {}
    try:
        if stand_ins_for:
            day = ["--today", settings.today.isoformat()] if settings.today else []
            command = [sys.executable, "-m", "sandbox", *day, "--inbox", str(settings.inbox)]
            _start(settings, started, STAND_INS, command, dict(os.environ))
            address = _stand_ins_address(settings)
            echo(f"stand-in publishers: {address} (synthetic data, as this home holds)")
            publishers = {"VRU_BASE_URLS": json.dumps({**dict.fromkeys(stand_ins_for, address), **settings.base_urls})}
        show = [sys.executable, "-m", "warehouse.cli", "site", "--serve", "--wait"]
        _start(settings, started, SITE, show, {**os.environ, "VRU_HOME": str(settings.home)})
        echo("starting Airflow: API server, scheduler, DAG processor, triggerer")
        for name, arguments in PROCESSES.items():
            if name == "scheduler" and unfinished_in_process(settings):
                _wait_while(_is_api_away, settings, seconds)
                interrupted.close(settings)
            environment = {**airflow_environment(settings), **publishers, **extra}
            _start(settings, started, name, [program(), *arguments], environment)
        set_pools(settings)
        _wait_while(_not_well, settings, seconds)
        _unpause(settings)
        notes.write_missing(settings)
        task_logs.write_missing(home / "logs")
    except BaseException:
        down(settings, echo=lambda line: None)
        raise


def _start(settings: Settings, started: _Started, name: str, command: list[str], environment: dict[str, str]) -> None:
    """Start a process that outlives us, its output in the log of its name, and note it as ours."""
    with _log(settings, name).open("wb" if name in OF_THIS_START else "ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started.processes[name] = (process.pid, psutil.Process(process.pid).create_time())
    _write_started(settings, started)


def _log(settings: Settings, name: str) -> Path:
    return settings.home / "airflow" / "logs" / f"{name}.log"


def _stand_ins_address(settings: Settings) -> str:
    """Where the stand-in publishers answer: the line they print once they do."""
    log = _log(settings, STAND_INS)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and STAND_INS in _running(settings):
        with contextlib.suppress(ValueError):
            return str(json.loads(log.read_text(encoding="utf-8"))["base_url"])
        time.sleep(0.1)
    raise Refusal("STAND_INS_DOWN", f"the stand-in publishers did not start: {last_line(log)}", next_step=f"read {log}")


def _site_address(settings: Settings) -> str:
    """Where the site is shown: the address that its server prints once it answers."""
    log = _log(settings, SITE)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and SITE in _running(settings):
        if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text(encoding="utf-8", errors="replace")):
            return found[0]
        time.sleep(0.1)
    return f"not shown: {last_line(log)}"


def _wait_while(missing_yet: Callable[[Settings], str], settings: Settings, seconds: float) -> None:
    """Wait while something is missing. Raises Refusal when a process that was started stops, or the time is over.

    Args:
        missing_yet: says what is still missing; empty when nothing is.
    """
    deadline = time.monotonic() + seconds
    while True:
        started = PROCESSES.keys() & _read_started(settings).processes.keys()
        for name in started - _running(settings).keys():
            log = _log(settings, name)
            raise Refusal(
                "AIRFLOW_FAILED",
                f"Airflow's {name} stopped as soon as it was started: {last_line(log)}",
                next_step=f"read {log}",
            )
        missing = missing_yet(settings)
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Refusal(
                "AIRFLOW_FAILED",
                f"Airflow did not get well within {seconds:.0f} seconds: {missing}",
                next_step=f"read the logs in {settings.home / 'airflow' / 'logs'}",
            )
        time.sleep(0.3)


def _health(settings: Settings) -> dict[str, Any]:
    """What the API server says of each part of Airflow; nothing while it does not answer."""
    api = f"http://127.0.0.1:{remembered_ports(settings).api}"
    try:
        # What tasks talk to is generated at its first request, which takes longer than a task waits for an answer.
        requests.get(f"{api}/execution/health", timeout=60).raise_for_status()
        return dict(requests.get(f"{api}/api/v2/monitor/health", timeout=10).json())
    except (requests.RequestException, ValueError):
        return {}


def _is_api_away(settings: Settings) -> str:
    """Says so while the API server does not answer; empty when it does."""
    return "" if _health(settings) else "the API server does not answer"


def _not_well(settings: Settings) -> str:
    """What is still missing; empty when everything works and every DAG is known."""
    health = _health(settings)
    if not health:
        return "the API server does not answer"
    for part in ("metadatabase", "scheduler", "dag_processor", "triggerer"):
        if (health.get(part) or {}).get("status") != "healthy":
            return f"the {part.replace('_', ' ')} is not healthy"
    unknown = set(DAG_IDS) - known_dags(settings)
    return f"the DAGs {', '.join(sorted(unknown))} were not read" if unknown else ""


def _unpause(settings: Settings) -> None:
    """A paused nightly is a silent outage, and Airflow never unpauses a DAG that it has once seen paused."""
    for name in paused_dags(settings, DAG_IDS):
        call(
            settings,
            ["dags", "unpause", name, "--yes"],
            log=settings.home / "airflow" / "logs" / "unpause.log",
            problem=f"the DAG {name} is paused and could not be unpaused",
        )


@dataclasses.dataclass(frozen=True)
class _Started:
    """What `up` started: enough to know it again, and to refuse when it runs for other publishers."""

    processes: dict[str, tuple[int, float]]
    settings: dict[str, str]


def _state_file(settings: Settings) -> Path:
    return settings.home / "airflow" / "up.json"


def _read_started(settings: Settings) -> _Started:
    try:
        found = json.loads(_state_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _Started({}, {})
    return _Started({name: (int(pid), float(at)) for name, (pid, at) in found["processes"].items()}, found["settings"])


def _write_started(settings: Settings, started: _Started) -> None:
    file = _state_file(settings)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(dataclasses.asdict(started), indent=1), encoding="utf-8")
    fresh.replace(file)


def _running(settings: Settings) -> dict[str, psutil.Process]:
    """The processes that `up` started and that are still the same ones: a number may be another program's by now."""
    found = {}
    for name, (pid, created) in _read_started(settings).processes.items():
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
    return found


def _settings_digest(extra: dict[str, str]) -> dict[str, str]:
    """Our settings as a process started now would see them, by name; values hashed, since some are secret."""
    seen = {name: value for name, value in {**os.environ, **extra}.items() if name.startswith(PREFIX) and value}
    seen.pop("VRU_HOME", None)
    return {name: hashlib.sha256(value.encode()).hexdigest()[:16] for name, value in sorted(seen.items())}


def check_same_settings(settings: Settings, extra: dict[str, str]) -> None:
    """Raises Refusal where the scheduler's tasks would see other settings than this run is asked to have."""
    if not _running(settings):
        return  # a scheduler of another container, whose settings are that container's business
    theirs, ours = _read_started(settings).settings, _settings_digest(extra)
    differing = sorted(name for name in {*theirs, *ours} if theirs.get(name) != ours.get(name))
    if differing:
        raise Refusal(
            "SCHEDULER_SET_OTHERWISE",
            f"the scheduler that is up in this home was started with other settings ({', '.join(differing)}), and its tasks would go by those",
            kept="nothing was started",
            next_step="run `vru down` first, or start the scheduler again with these settings",
        )


def down(settings: Settings, *, echo: Echo = print) -> bool:
    """Stop what `up` started in this home, and nothing else; does nothing where nothing runs.

    Returns:
        Whether there was anything to stop.
    """
    running = _running(settings)
    _stop_all(running)
    _state_file(settings).unlink(missing_ok=True)
    echo("Airflow is stopped" if running else "Airflow was not running")
    return bool(running)


def _stop_all(running: dict[str, psutil.Process]) -> None:
    """Stop the scheduler, whose tasks may finish what they are at, while the API server still takes their reports; then that."""
    stop([process for name, process in running.items() if name != "api-server"], seconds=30)
    # It answers the signal at once and spends the rest of its time taking Python down.
    stop([process for name, process in running.items() if name == "api-server"], seconds=3)


def stop(processes: list[psutil.Process], *, seconds: float) -> None:
    """End processes and all that they started: asked first, and killed where they have not gone in time."""
    family = {member for process in processes for member in (process, *_children(process))}
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=seconds)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def execute(settings: Settings, arguments: list[str]) -> None:
    """Become the airflow command, with this home's environment: for containers, which run one process each. Never returns.

    AIRFLOW__ variables that are set already win over ours, so a compose file can name hosts and ports of its own.
    """
    if arguments[:1] == ["scheduler"]:
        set_pools(settings)
    os.execve(program(), [program(), *arguments], airflow_environment(settings))  # noqa: S606 - an argument list, no shell
