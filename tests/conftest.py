"""One real PostgreSQL server for each of pytest's processes; every test that asks for a warehouse gets a database and a home of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr
from tabulate import tabulate

from tests.homes import Home, home_like, never_wait_for_the_disk, new_folder
from tests.warm_dbt import WarmDbt
from warehouse.build import transform
from warehouse.home import dump, setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, AIRFLOW, AIRFLOW_DATABASE, connect, url
from warehouse.platform.settings import Settings, read_settings

# The programs that tests start would compile Airflow, dbt and Great Expectations anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

PROJECT = Path(__file__).resolve().parent.parent
SAMPLES = PROJECT.parent / "shared" / "samples"
TEMPLATE = "vru"
# The day of the README's answers.
FIRST_NIGHT = dt.date(2026, 11, 22)
SHARED = pytest.StashKey[Path]()
KILL_COLUMNS = ("step", "when", "killed", "the first run", "after running again", "s")


LONGEST = (
    "test_nights.py",
    "test_questions.py",
    "test_recomputation.py",
    "test_unit_tests.py",
    "test_scheduler.py",
    "test_faults.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: two processes share the files out in order, and the last ones should be short.

    Within test_faults.py, one publisher after the other: each is served and loaded once.
    """
    stands: list[object] = []

    def order(item: pytest.Item) -> tuple[int, int]:
        stand = item.callspec.params.get("stand") if hasattr(item, "callspec") else None
        if stand is not None and stand not in stands:
            stands.append(stand)
        longest = LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)
        return longest, 0 if stand is None else stands.index(stand)

    items.sort(key=order)


def pytest_configure(config: pytest.Config) -> None:
    # Made and removed by the process that shares the tests out, told to those that run them.
    if not hasattr(config, "workerinput"):
        config.stash[SHARED] = new_folder()
    else:
        config.stash[SHARED] = Path(config.workerinput["shared"])


def pytest_configure_node(node: Any) -> None:
    node.workerinput["shared"] = str(node.config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        if (night := config.stash[SHARED] / "night").exists():
            embedded.stop(night / "postgres")
        shutil.rmtree(config.stash[SHARED])


@pytest.fixture(scope="session")
def set_up_home(pytestconfig: pytest.Config) -> Path:
    """A home as `vru setup` leaves it, its server stopped and told not to wait for the disk: to be copied (tests/homes.py)."""
    shared = pytestconfig.stash[SHARED]
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "home").exists():
            making = shared / "h"
            settings = read_settings({"VRU_HOME": str(making)})
            try:
                setup.set_up(settings)
                never_wait_for_the_disk(settings)
            finally:
                embedded.stop(making / "postgres")
            # Airflow writes its home's path into it; made again where it is missing.
            (making / "airflow" / "airflow.cfg").unlink()
            making.rename(shared / "home")
    return shared / "home"


@pytest.fixture(scope="session")
def first_night(pytestconfig: pytest.Config, set_up_home: Path) -> Home:
    """A home after a first night of every source, as `make nightly` runs it: one for all processes, to be read and not changed."""
    shared = pytestconfig.stash[SHARED]
    home = Home(shared / "night", FIRST_NIGHT)
    with (shared / "night-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "night-is-over").exists():
            # cp, because the server's files belong to an account of its own.
            subprocess.run(["cp", "--archive", str(set_up_home), str(home.folder)], check=True)
            night = home.vru("nightly", "--sources", "sandbox")
            assert night.returncode == 0, night.stdout + night.stderr
            (shared / "night-is-over").touch()
    return home


@dataclasses.dataclass(frozen=True)
class Server:
    """The session's server: the settings of the home that was set up on it, whose database serves as a template, its dbt, and the folder that
    all of pytest's processes share."""

    settings: Settings
    dbt: WarmDbt
    shared: Path


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, set_up_home: Path) -> Iterator[Server]:
    dbt = WarmDbt()
    with home_like(set_up_home) as folder:
        settings = read_settings({"VRU_HOME": str(folder)})
        embedded.start(folder / "postgres")
        yield Server(settings, dbt, pytestconfig.stash[SHARED])
    dbt.stop()


_numbers = itertools.count(1)


@pytest.fixture
def warehouse(server: Server, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty warehouse: a database of its own on the session's server, and a home of its own."""
    with new_warehouse(server, tmp_path) as settings:
        yield settings


def _copy_database(server: Server, template: str, name: str) -> None:
    with connect(server.settings, ADMIN, autocommit=True, database="postgres") as connection:
        # As files: five times as fast as by the log, where nothing waits for the disk.
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


@pytest.fixture
def airflow_database(server: Server) -> Iterator[str]:
    """URL of an Airflow database of the test's own: a run that it leaves unfinished is told of in no other test's home."""
    name = f"vru_airflow_{os.getpid()}_{next(_numbers)}"
    _copy_database(server, AIRFLOW_DATABASE, name)
    try:
        yield url(server.settings, AIRFLOW).replace(f"@/{AIRFLOW_DATABASE}?", f"@/{name}?")
    finally:
        _drop_database(server, name)


@pytest.fixture
def warehouse_with_airflow(warehouse: Settings, airflow_database: str) -> Settings:
    """As `warehouse`, for a test whose runs Airflow writes down."""
    return warehouse.model_copy(update={"airflow_database_url": SecretStr(airflow_database)})


def _drop_database(server: Server, name: str) -> None:
    with connect(server.settings, ADMIN, autocommit=True, database="postgres") as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextlib.contextmanager
def new_warehouse(
    server: Server, folder: Path, name: str | None = None, template: str = TEMPLATE
) -> Iterator[Settings]:
    """As `warehouse`, for as long as the block, its home in that folder. Its Airflow database is the session's: nobody writes to that.

    Args:
        name: of the database, where it matters.
        template: the database it begins as a copy of.
    """
    name = name or f"vru_test_{os.getpid()}_{next(_numbers)}"
    _copy_database(server, template, name)
    admin = url(server.settings, ADMIN).replace(f"@/{TEMPLATE}?", f"@/{name}?")
    settings = read_settings(
        {
            "VRU_HOME": str(folder / "home"),
            "VRU_SECRETS_DIR": str(server.settings.secrets),
            "VRU_DATABASE_URL": admin,
            "VRU_AIRFLOW_DATABASE_URL": url(server.settings, "vru_airflow"),
        }
    )
    for folder in (settings.landing, settings.inbox, settings.home / "airflow"):
        folder.mkdir(parents=True)
    for done in (server.settings.home / "airflow").glob("migrated-*"):
        (settings.home / "airflow" / done.name).touch()
    with connect(settings, ADMIN, autocommit=True) as connection:
        setup.grant_database(connection)
    try:
        yield settings
    finally:
        _drop_database(server, name)


_being_built: set[str] = set()


@contextlib.contextmanager
def warehouse_to_build(server: Server, folder: Path) -> Iterator[Settings]:
    """As `new_warehouse`, but as a home is after a build of nothing: every table stands, empty, and what dbt parsed is there.

    A build then makes what the test's own sources touch, as on any night but the first (tests/integration/test_build.py compares
    the two; test_nights and test_questions begin with nothing). What dbt has parsed holds for the database of one name, so the names
    come round again.
    """
    name = next(name for number in itertools.count() if (name := f"vru_built_{number}") not in _being_built)
    _being_built.add(name)
    try:
        with _warm_dbt(server), new_warehouse(server, folder, name, _template_of_empty_tables(server)) as settings:
            (settings.home / "dbt").mkdir()
            shutil.copy(server.settings.home / "manifest.json", settings.home / "dbt")
            yield settings
    finally:
        _being_built.remove(name)


@contextlib.contextmanager
def _warm_dbt(server: Server) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transform.children, "run", server.dbt.run)
        yield


def _template_of_empty_tables(server: Server) -> str:
    """The database in which all seeds and models were made of no file; made the first time it is asked for, and dumped for the other processes."""
    name = f"{TEMPLATE}_of_empty_tables"
    own, made = server.settings.home / name, server.shared / "empty_tables"
    if not own.exists():
        with (server.shared / "empty-tables-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with new_warehouse(server, own, "vru_built_0") as settings:
                if made.exists():
                    dump.fill(settings, made / "database.dump")
                else:
                    _build_of_no_file(settings, made)
                shutil.copy(made / "manifest.json", server.settings.home)
                _copy_database(server, "vru_built_0", name)
    return name


def _build_of_no_file(settings: Settings, made: Path) -> None:
    done = transform.dbt(settings, "build", "--full-refresh", "--exclude-resource-types", "unit_test", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    with connect(settings, ADMIN) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind, begun_at, built_at)
               values ('of no file', '', %s, 'synthetic', 'epoch', 'epoch')""",
            [transform.code_version()],
        )
    made.mkdir()
    shutil.copy(settings.home / "dbt" / "manifest.json", made)
    with connect(settings, ADMIN) as connection:
        ((snapshot,),) = connection.execute("select pg_export_snapshot()").fetchall()
        dump.dump_to(settings, made / "database.dump", snapshot)


@pytest.fixture
def to_build(server: Server, tmp_path: Path) -> Iterator[Settings]:
    """As `warehouse`, for a test that builds."""
    with warehouse_to_build(server, tmp_path) as settings:
        yield settings


@pytest.fixture
def samples() -> Path:
    """The folder of real published files, where this checkout has it."""
    if not SAMPLES.is_dir():
        pytest.skip("the real published files (../shared/samples) are not beside this checkout")
    return SAMPLES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what became of every fault at every publisher (tests/integration/test_faults.py), and of every kill (test_kills.py)."""
    _print_kills(terminalreporter)
    ends: dict[str, dict[str, str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, found in getattr(report, "user_properties", []):
                if name == "fault":
                    fault, publisher, end = found
                    ends.setdefault(fault, {})[publisher] = end if outcome == "passed" else "FAILED"
    if not ends:
        return
    names = list(dict.fromkeys(name for its_ends in ends.values() for name in its_ends))
    terminalreporter.section("faults: what became of each, by publisher")
    for publisher in dict.fromkeys(name.partition(" ")[0] for name in names):
        its = [name for name in names if name.partition(" ")[0] == publisher]
        rows = [[fault, *(found.get(name, "-") for name in its)] for fault, found in ends.items()]
        rows = [row for row in rows if set(row[1:]) != {"-"}]
        headers = [publisher, *(name.partition(" ")[2] for name in its)]
        terminalreporter.write_line(tabulate(rows, headers=headers, tablefmt="simple") + "\n")


def _print_kills(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        found
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, found in getattr(report, "user_properties", [])
        if name == "kill"
    ]
    if rows:
        terminalreporter.section("kills: what became of each")
        terminalreporter.write_line(tabulate(rows, headers=KILL_COLUMNS, tablefmt="simple"))
