"""`make bench`: load a generated file of a million rows our way, by psql's \\copy, and by dlt; an archive of 36 months; a full build; a quiet night."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from psycopg import sql

from bench import archive, build, site, street_file
from ingest.connectors import file_drop
from ingest.declaration import Source, raw_columns
from ingest.raw import create_table
from warehouse.airflow import internals
from warehouse.home import setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, LOADER, OWNER, connect, url
from warehouse.platform.settings import PROJECT, Settings, read_settings

WORK = PROJECT / "build" / "bench"
ROWS = 1_000_000
SMALL_ROWS = 300_000  # enough to fill every buffer once
ROUNDS = 7
DLT_ROUNDS = 3


def main() -> None:
    """Measure, print, leave nothing running."""
    # A socket's path may be 107 characters long, so the home is not below the checkout.
    home = Path(tempfile.mkdtemp(prefix="vru-bench-"))
    try:
        print(
            f"machine: {os.cpu_count()} cores, {_memory_gib():.0f} GiB, Linux {platform.release()}, Python {platform.python_version()}"
        )
        _bench_loading(read_settings({"VRU_HOME": str(home / "load")}))
        archive.run(home / "archive")
        embedded.stop(home / "archive" / "postgres")
        build.run(home / "build")
        _bench_nights(home / "nights")
    finally:
        for folder in ("load", "archive", "build", "nights"):
            embedded.stop(home / folder / "postgres")
        shutil.rmtree(home, ignore_errors=True)


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _bench_loading(settings: Settings) -> None:
    source = Source.model_validate(yaml.safe_load((Path(__file__).parent / "street.yml").read_text(encoding="utf-8")))
    dataset = source.dataset("street")
    setup.set_up(settings)
    with connect(settings, ADMIN) as connection:
        print(connection.execute("select 'PostgreSQL ' || current_setting('server_version')").fetchone()[0])  # type: ignore[index]
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(OWNER)))
        create_table(connection, source, "street", dataset)
        connection.execute(sql.SQL("grant all on raw.bench__street to {}").format(sql.Identifier(LOADER)))
        connection.execute(sql.SQL("grant all on all sequences in schema raw to {}").format(sql.Identifier(LOADER)))
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(c)) for c in raw_columns(dataset.layout))
        connection.execute(sql.SQL("create table raw.bench_copy ({})").format(columns))
        connection.execute(sql.SQL("grant all on raw.bench_copy to {}").format(sql.Identifier(LOADER)))
    print("\nLoading a file in the police.uk street form (generated)")
    small = _land(settings, source, SMALL_ROWS)
    landed = _land(settings, source, ROWS)
    file = settings.landing / landed
    print(f"  file: {ROWS:,} rows, {file.stat().st_size / 1e6:.0f} MB")
    copies, loads, peaks = [], [], []
    for number in range(ROUNDS + 1):
        copy, load = _copy_once(settings, file), _load_once(settings, source, landed)
        if number:  # the first round warms the file cache and the server
            copies.append(copy)
            loads.append(load["seconds"])
            peaks.append(load["peak_mib"])
    small_peak = _load_once(settings, source, small)["peak_mib"]
    ratio = statistics.median(load / copy for load, copy in zip(loads, copies, strict=True))
    _line("psql \\copy, bare table", copies)
    _line("ours: hash, validation, ledger, provenance, COPY", loads)
    print(f"  ours / \\copy, median of {ROUNDS} pairs: {ratio:.2f} (to reach: 1.5 or less)")
    print(f"  peak memory: {small_peak:.0f} MiB for {SMALL_ROWS:,} rows, {max(peaks):.0f} MiB for {ROWS:,} rows")
    dlt = _dlt(settings, file)
    _line("dlt, Arrow batches, CSV files, COPY", dlt)
    print(f"  dlt / ours: {statistics.median(dlt) / statistics.median(loads):.1f} (to reach: 5 or more)")


def _line(what: str, seconds: list[float]) -> None:
    print(
        f"  {what}: median {statistics.median(seconds):.2f} s (min {min(seconds):.2f}, max {max(seconds):.2f}, {len(seconds)} runs)"
    )


def _land(settings: Settings, source: Source, rows: int) -> str:
    file = WORK / f"street-{rows}.csv"
    street_file.write(file, rows)
    landed = file_drop.take(settings.landing, source, "street", file, settings.now(), is_synthetic=True)
    return landed.path.relative_to(settings.landing).as_posix()


def _copy_once(settings: Settings, file: Path) -> float:
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("truncate raw.bench_copy")
        connection.execute("checkpoint")
    command = f"\\copy raw.bench_copy from '{file}' (format csv, header)"
    started = time.perf_counter()
    subprocess.run(
        [str(embedded.bin_path() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-c", command, url(settings, LOADER)],
        check=True,
    )
    return time.perf_counter() - started


def _load_once(settings: Settings, source: Source, landed: str) -> dict[str, float]:
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("truncate raw.bench__street")
        connection.execute("delete from ops.load")
        connection.execute("checkpoint")
    result = subprocess.run(
        [sys.executable, "-m", "bench.load_once", source.model_dump_json(), landed],
        env={**os.environ, "VRU_HOME": str(settings.home)},
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(result.stdout))


def _dlt(settings: Settings, file: Path) -> list[float]:
    environment = WORK / "dlt"
    lock = Path(__file__).parent / "requirements.lock"
    done = environment / "installed"
    if not done.exists() or done.stat().st_mtime < lock.stat().st_mtime:
        print("  (installing dlt into an environment of its own)")
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run(
            [
                str(environment / "bin" / "python"),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                str(lock),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        done.touch()
    seconds = []
    for _ in range(DLT_ROUNDS):
        with tempfile.TemporaryDirectory(prefix="vru-dlt-") as folder:
            with connect(settings, ADMIN, autocommit=True) as connection:
                connection.execute("drop schema if exists dlt_bench cascade")
                connection.execute("drop schema if exists dlt_bench_staging cascade")
            result = subprocess.run(
                [
                    str(environment / "bin" / "python"),
                    str(Path(__file__).parent / "dlt_once.py"),
                    str(file),
                    # dlt wants a host in the URL; libpq takes the one in the query.
                    url(settings, ADMIN).replace("@/", "@localhost/"),
                    folder,
                ],
                check=True,
                capture_output=True,
                text=True,
            )
            seconds.append(float(json.loads(result.stdout.splitlines()[-1])["seconds"]))
    return seconds


def _bench_nights(home: Path) -> None:
    print("\nNights through Airflow, stand-in publishers")
    settings = read_settings({"VRU_HOME": str(home), "VRU_TODAY": "2026-11-22"})
    setup.set_up(settings)
    full = _night(settings)
    steps = _steps(settings)
    before = _written(settings)
    quiet = [_night(settings) for _ in range(3)]
    print(f"  everything new: {full:.1f} s; nothing changed: median {statistics.median(quiet):.1f} s of 3")
    print(
        f"  of the first: transform {steps['transform']:.1f} s (to reach: 60 or less), gate {steps['gate']:.1f} s (to reach: 8 or less)"
    )
    print(f"  quiet / full: {statistics.median(quiet) / full:.0%} (to reach: under 40%)")
    print(f"  rows written to raw and marts by the quiet nights: {_written(settings) - before} (to reach: 0)")
    site.run(settings, home / "bench-site" / "site")


def _night(settings: Settings) -> float:
    started = time.perf_counter()
    subprocess.run(
        [str(Path(sys.executable).with_name("vru")), "nightly"],
        env={**os.environ, "VRU_HOME": str(settings.home), "VRU_TODAY": str(settings.today)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def _steps(settings: Settings) -> dict[str, float]:
    """Seconds of each step of the newest night that succeeded."""
    run = internals.newest_run(settings, "nightly") or ""
    with internals.metadata(settings) as connection:
        found = internals.task_states(connection, "nightly", run, states=["success"], running_for=0)
    return {task.task_id: float(task.seconds or 0) for task in found}


def _written(settings: Settings) -> int:
    """Rows that were ever inserted, updated or deleted in raw and the marts."""
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        row = connection.execute(
            """select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_all_tables
               where schemaname in ('raw', 'marts', 'marts_past')"""
        ).fetchone()
    return int(row[0]) if row else 0


main()
