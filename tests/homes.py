"""A home as a person has one, worked by `vru` alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import yaml
from click.testing import CliRunner

from ingest.declaration import read_sources
from warehouse import cli
from warehouse.platform import embedded
from warehouse.platform import settings as home
from warehouse.platform.connection import ADMIN, ANALYST, connect
from warehouse.platform.settings import PROJECT, Settings, read_settings

VRU = str(Path(sys.executable).with_name("vru"))
# Commands that begin with these start no other program, and take a second to load and none to run.
READS = ("alerts", "loads", "sql")
MEMORY = Path("/dev/shm")
ROOM = 12 * 2**30  # bytes: far more than the 1.4 GiB that homes were seen to take together


def new_folder() -> Path:
    """A folder for a home, of a short name: a socket's path may be 107 characters long, which pytest's own folders exceed.

    In memory where there is room: a database of ours is a thousand small files, and a run makes hundreds.
    """
    is_roomy = MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM
    return Path(tempfile.mkdtemp(prefix="vru-", dir=MEMORY if is_roomy else None))


class Home:
    """A home with a server of its own, on a day.

    Args:
        folder: where it is.
        base_urls: where a source's stand-in is, for those that a night does not start itself.
        declarations: a folder as declarations_of makes it, to be used once the home is set up; None for all there are.
    """

    def __init__(
        self, folder: Path, today: dt.date, base_urls: dict[str, str] | None = None, declarations: Path | None = None
    ) -> None:
        self.folder = folder
        self.today = today
        self.base_urls = base_urls or {}
        self.declarations = declarations

    @property
    def environment(self) -> dict[str, str]:
        return {
            "VRU_HOME": str(self.folder),
            "VRU_TODAY": self.today.isoformat(),
            "VRU_BASE_URLS": json.dumps(self.base_urls),
            "VRU_SITE_AFTER_NIGHT": "false",  # tests/integration/test_site.py builds it where it is looked at
            **({"PYTHONPATH": str(self.declarations)} if self.declarations else {}),
        }

    @property
    def settings(self) -> Settings:
        return read_settings(self.environment)

    def vru(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command in this home: as a program of its own, or in this process where it only reads."""
        if arguments[0] in READS:
            home.settings.cache_clear()
            done = CliRunner().invoke(cli.main, list(arguments), prog_name="vru", env=self.environment)
            home.settings.cache_clear()
            result = subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
        else:
            result = subprocess.run(
                [VRU, *arguments], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
            )
        assert "Traceback" not in result.stderr, result.stderr
        return result

    def rows(self, query: str, role: str = ANALYST) -> list[tuple[object, ...]]:
        with connect(self.settings, role) as connection:
            return connection.execute(query.encode()).fetchall()

    def marts(self) -> dict[str, tuple[object, ...]]:
        """How many rows each mart and its history has, and the sum of a hash of each: the same only where every row is."""
        with connect(self.settings, ADMIN) as connection:
            tables = connection.execute(
                """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
                   where n.nspname in ('marts', 'marts_past') and c.relkind = 'r' order by 1, 2"""
            ).fetchall()
            return {
                f"{schema}.{table}": connection.execute(
                    f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {schema}.{table} as t".encode()
                ).fetchone()
                or ()
                for schema, table in tables
            }

    def written(self) -> int:
        """Rows ever inserted, updated or deleted in raw, the marts and their history."""
        with connect(self.settings, ADMIN) as connection:
            row = connection.execute(
                """select sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint from pg_stat_all_tables
                   where schemaname in ('raw', 'marts', 'marts_past')"""
            ).fetchone()
        assert row is not None
        return int(row[0])

    def alerts(self) -> list[dict[str, object]]:
        return list(json.loads(self.vru("alerts", "--json").stdout))


def declarations_of(folder: Path, datasets: Mapping[str, Sequence[str]]) -> Path:
    """A folder for PYTHONPATH in which `ingest` declares only these datasets, by source: a night of few costs few.

    A home is set up with all of them first: the models read the raw tables of every dataset we know.
    """
    shutil.copytree(
        PROJECT / "ingest", folder / "ingest", ignore=shutil.ignore_patterns("__pycache__", *read_sources().keys())
    )
    (folder / "dbt_project").symlink_to(PROJECT / "dbt_project")
    for name, wanted in datasets.items():
        source = yaml.safe_load((PROJECT / "ingest" / "sources" / name / "source.yml").read_text(encoding="utf-8"))
        source["datasets"] = {dataset: source["datasets"][dataset] for dataset in wanted}
        own = folder / "ingest" / "sources" / name
        shutil.copytree(PROJECT / "ingest" / "sources" / name, own, ignore=shutil.ignore_patterns("__pycache__"))
        (own / "source.yml").write_text(yaml.safe_dump(source), encoding="utf-8")
    return folder


def never_wait_for_the_disk(settings: Settings) -> None:
    """Let a test's own server leave writing to the system: what a power cut would lose, no test looks for."""
    with connect(settings, ADMIN, autocommit=True, database="postgres") as connection:
        # What a build reads it has counted itself; nothing here lives long enough to be cleaned.
        for name in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(f"alter system set {name} = off".encode())
        connection.execute("select pg_reload_conf()")


@contextlib.contextmanager
def home_like(one: Path) -> Iterator[Path]:
    """A copy of a home whose server is stopped, gone after the block, and its own server with it."""
    folder = new_folder()
    try:
        # cp, because the server's files belong to an account of its own.
        subprocess.run(["cp", "--archive", f"{one}/.", str(folder)], check=True)
        yield folder
    finally:
        embedded.stop(folder / "postgres")
        shutil.rmtree(folder)
