"""A full build at full size: dbt's, and the same SQL run by psql alone; then a build with one new month.

15 years of MPS borough figures, 24 months of wards and LSOAs, 36 months of police.uk street crime (generated, 3.5 million rows), and all that the
other stand-in publishers have. `python -m bench.build ROWS` does this alone, with so many police.uk rows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psycopg

from bench import archive, exploring, limits
from expectations import gate
from ingest.declaration import read_sources
from sandbox.police_uk.archive import shifted
from sandbox.server import serve_sites
from warehouse.build import transform
from warehouse.home import setup
from warehouse.platform import embedded
from warehouse.platform.connection import ANALYST, TRANSFORMER, connect, url
from warehouse.platform.settings import PROJECT, Settings, read_settings
from warehouse.publish import publishing

THREADS = 2  # as dbt's


def run(home: Path, rows: int = archive.ROWS) -> None:
    """Measure and print.

    Args:
        home: a home that is not there yet; its PostgreSQL is left running.
        rows: of police.uk, in 36 months together.
    """
    settings = read_settings({"VRU_HOME": str(home), "VRU_TODAY": "2026-11-22"})
    setup.set_up(settings)
    print(
        f"\nA full build: every stand-in publisher, and {rows:,} rows of police.uk in {archive.MONTHS} months (generated)"
    )
    others = ",".join(name for name in read_sources() if name != "police_uk")
    subprocess.run(
        [str(Path(sys.executable).with_name("vru")), "nightly", "--sources", others],
        env={**os.environ, "VRU_HOME": str(home), "VRU_TODAY": str(settings.today)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    files = archive.months_of(home / "generated", rows)
    site = archive.Archive(home / "generated")
    with serve_sites(lambda _: [site]) as publisher:
        site.offer(archive.NEWEST, files[:-1])
        archive.night(settings, publisher.base_url)
        whole = _build(settings, whole=True)
        limits.at_most("dbt build, all of it with its tests", whole, 60)
        psql = _psql(settings)
        limits.at_most(
            f"dbt / the same SQL by psql alone, {THREADS} at a time ({psql:.0f} s)", whole / psql, 1.25, "times"
        )
        _judge_and_publish(settings)
        _ask(settings)
        exploring.run(settings)
        site.offer(shifted(archive.NEWEST, 1), files[1:])
        archive.night(settings, publisher.base_url)
        limits.at_most("a build with one new month of police.uk", _build(settings), 10)


def _build(settings: Settings, *, whole: bool = False) -> float:
    started = time.perf_counter()
    transform.build(settings, whole=whole)
    return time.perf_counter() - started


def _judge_and_publish(settings: Settings) -> None:
    """Print what the gate and publishing take of the candidate that stands."""
    with connect(settings, TRANSFORMER) as connection:
        newest = "select candidate_id from ops.candidate order by begun_at desc limit 1"
        candidate_id = str(connection.execute(newest).fetchone()[0])  # type: ignore[index] # a candidate was just built
    started = time.perf_counter()
    gate.judge(settings, candidate_id)
    judged = time.perf_counter()
    publishing.publish(settings, candidate_id, force=True)
    limits.at_most("gate", judged - started, 20)
    print(f"  publishing: {time.perf_counter() - judged:.1f} s")


def _psql(settings: Settings) -> float:
    """Seconds that psql takes for the statements dbt ran (models, keys, statistics, tests), each undone so that the next finds what dbt left.

    In dbt's order: what reads a table waits for it.
    """
    target = settings.home / "dbt"
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    ran = {result["unique_id"]: manifest.get(result["unique_id"], {}) for result in results}
    nodes = {name: node for name, node in ran.items() if node.get("resource_type") in {"model", "test"}}
    scripts = {}
    with connect(settings, TRANSFORMER) as connection:
        for number, (name, node) in enumerate(nodes.items()):
            folder = "run" if node["resource_type"] == "model" else "compiled"
            statement = (target / folder / "vru" / _below(node)).read_text(encoding="utf-8").strip().rstrip(";")
            if folder == "run":
                # What dbt made stands under the name.
                statement = statement.replace(
                    f'"{node["schema"]}"."{node["name"]}"', f'"{node["schema"]}"."{node["name"]}__dbt_tmp"'
                )
            scripts[name] = settings.home / f"bench-{number}.sql"
            scripts[name].write_text(
                ";\n".join(["begin", statement, *_after(connection, node), "rollback;\n"]), encoding="utf-8"
            )
    order = TopologicalSorter(
        {name: [on for on in node["depends_on"]["nodes"] if on in nodes] for name, node in nodes.items()}
    )
    order.prepare()
    address = url(settings, TRANSFORMER)
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        running: dict[Future[subprocess.CompletedProcess[bytes]], str] = {}
        while order.is_active():
            running |= {pool.submit(_run, address, scripts[name]): name for name in order.get_ready()}
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(done)
                # A CompletedProcess that failed would say its command, in which the address has the password.
                if done.result().returncode:
                    raise RuntimeError(f"psql failed in {scripts[name]}")
                order.done(name)
    return time.perf_counter() - started


def _after(connection: psycopg.Connection, node: dict[str, Any]) -> list[str]:
    """What dbt does to a table when its rows stand: keys, indexes, statistics."""
    if node["config"]["materialized"] in {"view", "test"}:
        return []
    made = f"{node['schema']}.{node['name']}__dbt_tmp"
    found = connection.execute(
        """select 'alter table ' || %(made)s || ' add ' || pg_get_constraintdef(oid) from pg_constraint
           where conrelid = %(table)s::regclass and contype in ('p', 'u', 'f', 'c')
           union all
           select regexp_replace(pg_get_indexdef(indexrelid), ' INDEX .* USING', ' INDEX ON ' || %(made)s || ' USING') from pg_index
           where indrelid = %(table)s::regclass and not exists (select from pg_constraint where conindid = indexrelid)""",
        {"made": made, "table": f"{node['schema']}.{node['name']}"},
    ).fetchall()
    return [*(row[0] for row in found), f"analyze {made}"]


def _ask(settings: Settings) -> None:
    """Print the slowest of the queries that README and docs give, asked of the marts as an analyst, each the best of three."""
    seconds = {}
    with connect(settings, ANALYST) as connection:
        for page in ("README.md", "docs/questions.md"):
            for query in re.findall(r"```sql\n(.*?)```", (PROJECT / page).read_text(encoding="utf-8"), flags=re.DOTALL):
                rounds = []
                for _ in range(3):
                    started = time.perf_counter()
                    connection.execute(query.encode()).fetchall()
                    rounds.append(time.perf_counter() - started)
                seconds[query] = min(rounds)
    slowest = max(seconds, key=lambda query: seconds[query])
    what = f"the slowest of {len(seconds)} queries of README and docs, of {re.findall(r'marts[.][a-z_]+', slowest)[0]}"
    limits.at_most(what, seconds[slowest] * 1000, 100, "ms")


def _below(node: dict[str, Any]) -> str:
    path = str(node["original_file_path"])
    # A test of a YAML file stands in a folder of the file's name.
    return f"{path}/{node['path']}" if path.endswith(".yml") else path


def _run(address: str, script: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [
            str(embedded.bin_path() / "psql"),
            "--quiet",
            "--no-psqlrc",
            "--set",
            "ON_ERROR_STOP=1",
            "--output",
            os.devnull,
            "--file",
            str(script),
            address,
        ],
        check=False,
    )


def main() -> None:
    """Argument: how many police.uk rows (default 3,500,000)."""
    home = Path(tempfile.mkdtemp(prefix="vru-bench-"))
    try:
        run(home / "build", int(sys.argv[1]) if len(sys.argv) > 1 else archive.ROWS)
    finally:
        embedded.stop(home / "build" / "postgres")
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
