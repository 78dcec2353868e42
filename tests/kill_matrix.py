"""The kill matrix itself: what is killed and when, the homes before each step, and what then stands.

`tests/kills.py` says what each step is, and runs it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import http.server
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import psycopg

import sandbox
from tests.candidates import judged, pair
from tests.homes import Home, home_like
from warehouse.home import backup, setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import PROJECT

TODAY = dt.date(2014, 10, 22)
HAS_CHILD = ("build", "rebuild", "backup", "restore")  # dbt, dbt, pg_dump, pg_restore
PROMPTLY = 10.0  # seconds in which whoever was killed has taken everything along


@dataclasses.dataclass(frozen=True)
class Case:
    """A step, when in it, and who is killed."""

    step: str
    moment: str  # before, during, after
    victim: str  # process, child, backend, postmaster

    def __str__(self) -> str:
        return f"{self.step}-{self.moment}-{self.victim}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a case; `problems` is empty where all is well."""

    case: Case
    first: str
    seconds: float
    problems: tuple[str, ...]

    def as_row(self) -> list[str]:
        """Its line of the table (COLUMNS)."""
        well = "the same, nothing left, no second alert"
        became = "; ".join(self.problems)[:300] or well
        return [self.case.step, self.case.moment, self.case.victim, self.first, became, f"{self.seconds:.1f}"]


def cases(steps: Sequence[str]) -> list[Case]:
    """Every case of these steps."""
    found = []
    for step in steps:
        found += [Case(step, moment, "process") for moment in ("before", "during", "after")]
        found += [Case(step, "during", "child")] if step in HAS_CHILD else []
        found += [Case(step, "during", victim) for victim in ("backend", "postmaster")]
    return found


class Matrix:
    """The homes before each step, what stands after it where nobody is killed, and how long it takes then.

    Args:
        set_up_home: as tests/conftest.py makes it.
        work: a folder with a short name.
    """

    def __init__(self, set_up_home: Path, work: Path) -> None:
        self.set_up_home, self.work = set_up_home, work
        self.received: list[bytes] = []
        self.due: dict[str, tuple[dict[str, object], float]] = {}

    def home(self, folder: Path) -> Home:
        return Home(folder, TODAY, {"mps": self.publisher})

    def environment(self, folder: Path) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("VRU_")},
            **self.home(folder).environment,
            "VRU_ALERT_WEBHOOK": self.webhook,
        }

    @contextlib.contextmanager
    def serving(self) -> Iterator[Matrix]:
        """With the stand-in publisher, and a channel for alerts that counts what it is sent."""
        received = self.received

        class Channel(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Channel)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sandbox.serve(today=TODAY, seed=1) as publisher:
            self.publisher, self.webhook = publisher.base_url, f"http://127.0.0.1:{server.server_port}/"
            try:
                yield self
            finally:
                server.shutdown()

    def before(self, step: str) -> Path:
        """A home as it is before a step, its server stopped: made from the one before the step ahead of it."""
        kept = self.work / step
        if kept.exists():
            return kept
        ahead = {"load": "fetch", "build": "load", "gate": "build", "rebuild": "load", "rollback": "publish"}
        ahead |= {"backup": "publish", "restore": "publish"}
        origin = self.before(ahead[step]) if step in ahead else self.set_up_home
        with home_like(origin) as folder:
            chosen = self.home(folder).settings
            embedded.start(folder / "postgres")
            if step in ahead:
                self._through(ahead[step], folder)
            if step == "land":
                (folder / "by-hand.csv").write_bytes(self._a_file())
            if step == "publish":
                judged(chosen, pair(0, areas=400))
                self._through("publish", folder)
                judged(chosen, pair(1, areas=40_000))
            if step == "restore":
                taken = backup.take(chosen)
                shutil.copytree(taken.folder.parent, kept.with_suffix(".backups"), copy_function=os.link)
            embedded.stop(folder / "postgres")
            # cp, because the server's files belong to an account of its own.
            subprocess.run(
                ["cp", "--archive", str(folder if step != "restore" else self.set_up_home), str(kept)], check=True
            )
        return kept

    def _a_file(self) -> bytes:
        (file,) = self.before("load").glob("landing/mps/borough_recent/*.csv")
        return file.read_bytes()

    def _through(self, step: str, folder: Path) -> float:
        """Run a step to its end; how long it took."""
        process = self._start(step, folder)
        begun = time.monotonic()
        said, complained = process.communicate("\n\n")
        assert process.returncode == 0, f"{step}: {said[-500:]}{complained[-1500:]}"
        return time.monotonic() - begun

    def _start(self, step: str, folder: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills", "--perform", step],
            env=self.environment(folder),
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        return process

    @contextlib.contextmanager
    def _copy(self, step: str) -> Iterator[Path]:
        with home_like(self.before(step)) as folder:
            backups = self.work / f"{step}.backups"
            if backups.exists():
                shutil.copytree(backups, folder.with_suffix(".backups"), copy_function=os.link)
            embedded.start(folder / "postgres")
            try:
                yield folder
            finally:
                shutil.rmtree(folder.with_suffix(".backups"), ignore_errors=True)

    def expected(self, step: str) -> tuple[dict[str, object], float]:
        """What stands after a step where nobody is killed, and its seconds."""
        if step not in self.due:
            with self._copy(step) as folder:
                seconds = self._through(step, folder)
                self.due[step] = (self._content(folder), seconds)
        return self.due[step]

    def run(self, case: Case) -> Outcome:
        """Kill, run again, and look."""
        due, seconds = self.expected(case.step)
        self.received.clear()
        begun = time.monotonic()
        problems = []
        with self._copy(case.step) as folder:
            first = self._killed(case, folder, seconds)
            if left := self._left(folder):
                problems.append(f"left running: {', '.join(left)}")
            try:
                self._through(case.step, folder)
            except AssertionError as error:
                problems.append(f"run again: {error}")
            found = self._content(folder)
            problems += [
                f"{name}: {found.get(name)}, not {due.get(name)}"
                for name in sorted(due.keys() | found)
                if found.get(name) != due.get(name)
            ]
            with connect(self.home(folder).settings, ADMIN) as connection:
                (raised,) = connection.execute("select count(*) from ops.alert").fetchone() or (0,)
            if raised > 1 or len(self.received) > 1:
                problems.append(f"{raised} alerts, {len(self.received)} sent")
        return Outcome(case, first, time.monotonic() - begun, tuple(problems))

    def _killed(self, case: Case, folder: Path, seconds: float) -> str:
        """Run a step and kill; how it ended."""
        process = self._start(case.step, folder)
        assert process.stdin is not None
        assert process.stdout is not None
        if case.moment != "before":
            process.stdin.write("\n")
            process.stdin.flush()
        if case.moment == "after":
            while process.stdout.readline() not in ("done\n", ""):
                pass
        victims: list[int] = []
        deadline = time.monotonic() + 60
        if case.moment == "during":
            time.sleep(seconds / 2 if case.victim not in ("child", "backend") else 0)
        while not victims and process.poll() is None and time.monotonic() < deadline:
            victims = self._victims(case.victim, process, folder)
            time.sleep(0.01)
        if case.victim in ("child", "backend"):
            time.sleep(seconds / 10)
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None
        _, complained = process.communicate(timeout=300)
        if not victims:
            return "had ended"
        said = [line for line in complained.strip().splitlines() if line]
        return (
            "killed"
            if process.returncode == -signal.SIGKILL
            else f"status {process.returncode}: {said[-1][:60] if said else ''}"
        )

    def _victims(self, victim: str, process: subprocess.Popen[str], folder: Path) -> list[int]:
        if victim == "process":
            return [process.pid]
        if victim == "child":
            return [child.pid for child in psutil.Process(process.pid).children()]
        if victim == "postmaster":
            return [int((folder / "postgres" / "postmaster.pid").read_text().split()[0])]
        with connect(self.home(folder).settings, ADMIN) as connection:
            rows = connection.execute(
                """select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
                   and datname = 'vru' order by state = 'active' desc, query_start desc limit 1"""
            ).fetchall()
        return [pid for (pid,) in rows]

    def _left(self, folder: Path) -> list[str]:
        """Programs of the home that are still there after a while, but for its server."""
        deadline = time.monotonic() + PROMPTLY
        while True:
            found = []
            for process in psutil.process_iter(["name", "cmdline"]):
                with contextlib.suppress(psutil.Error):
                    if process.environ().get("VRU_HOME") == str(folder) and process.name() != "postgres":
                        found.append(" ".join(process.cmdline()[:4]))
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _content(self, folder: Path) -> dict[str, object]:
        """What a home holds, apart from numbers and times that differ between two runs of the same."""
        chosen = self.home(folder).settings
        files = chosen.landing.rglob("*")
        found: dict[str, object] = {"landing": sorted(p.name for p in files if p.is_file() and "papers" not in p.name)}
        with connect(chosen, ADMIN) as connection:
            for schema, table in connection.execute(
                """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                   where c.relkind = 'r' and n.nspname in ('raw', 'marts', 'candidate')"""
            ).fetchall():
                row = "(to_jsonb(t) - '_load_id' - '_row_number')" if schema == "raw" else "t"
                found[f"{schema}.{table}"] = _one(
                    connection,
                    f"select count(*), sum(hashtextextended({row}::text, 0)::numeric) from {schema}.{table} as t",
                )
                if schema == "raw":
                    found[f"{schema}.{table}, of loads that do not stand"] = _one(
                        connection,
                        f"select count(*) from raw.{table} where _load_id not in (select load_id from ops.load where state = 'loaded')",
                    )
            found["loads that stand"] = _one(connection, "select count(*) from ops.load where state = 'loaded'")
            found["releases published"] = _one(connection, "select count(*) from ops.release where state = 'published'")
        found["backups"] = min(len(backup.backups(chosen)), 1)
        found["unfinished"] = (
            setup.restoring(chosen).exists() or (backup.folder_of(chosen) / backup.UNFINISHED).exists()
        )
        return found


def _one(connection: psycopg.Connection, query: str) -> object:
    return connection.execute(query.encode()).fetchone()
