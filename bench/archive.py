"""36 months of London from an archive in the police.uk form, generated: fetched by Range and loaded our way, against psql's \\copy; then one month more.

`python -m bench.archive ROWS` does this alone, with so many rows.
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
import zipfile
from pathlib import Path

from psycopg import sql

from bench import street_file
from ingest.declaration import find_source, raw_columns
from sandbox.exchange import Request, Response
from sandbox.police_uk.archive import shifted
from sandbox.server import serve_sites
from warehouse.home import setup
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, LOADER, connect, url
from warehouse.platform.settings import PROJECT, Settings, read_settings

ROWS = 3_500_000  # about what the forces of London publish in 36 months
MONTHS = 36
NEWEST = "2026-09"
_READ = 1024 * 1024


def run(home: Path, rows: int = ROWS) -> None:
    """Measure and print.

    Args:
        home: a home that is not there yet; its PostgreSQL is left running.
        rows: in 36 months together.
    """
    settings = read_settings({"VRU_HOME": str(home), "VRU_TODAY": "2026-11-22"})
    setup.set_up(settings)
    folder = home / "generated"
    print(f"\nAn archive of {MONTHS} months in the police.uk street form (generated)")
    files = months_of(folder, rows)
    print(f"  {rows:,} rows, {sum(f.stat().st_size for f in files[:-1]) / 1e6:.0f} MB in {MONTHS} files")
    copied = _copy(settings, files[:-1])
    site = Archive(folder)
    with serve_sites(lambda _: [site]) as publisher:
        site.offer(NEWEST, files[:-1])
        whole = night(settings, publisher.base_url)
        site.offer(shifted(NEWEST, 1), files[1:])
        one = night(settings, publisher.base_url)
        quiet = night(settings, publisher.base_url)
    print(f"  psql \\copy, bare table: {copied:.1f} s")
    print(f"  ours: fetch by Range {whole['fetch']:.1f} s; load {whole['load']:.1f} s ({whole['rows']:,} rows)")
    print(f"  load / \\copy: {whole['load'] / copied:.2f} (to reach: 1.5 or less)")
    print(f"  peak memory: {max(whole['peak_mib'], one['peak_mib']):.0f} MiB (to reach: under 500)")
    print(
        f"  one new month: fetch {one['fetch']:.1f} s, load {one['load']:.2f} s ({one['rows']:,} rows); "
        f"a month's share of all was {whole['fetch'] / MONTHS:.1f} s and {whole['load'] / MONTHS:.2f} s"
    )
    print(f"  the same archive again: {quiet['fetch']:.2f} s, {quiet['rows']:,} rows")


def months_of(folder: Path, rows: int) -> list[Path]:
    """The files of 36 months and of the one after them, the oldest first, of so many rows in 36 months."""
    months = [shifted(NEWEST, -age) for age in range(MONTHS - 1, -2, -1)]
    return [month_file(folder, month, rows // MONTHS, seed) for seed, month in enumerate(months)]


def month_file(folder: Path, month: str, rows: int, seed: int) -> Path:
    """The file of one month, generated unless it is there."""
    file = folder / f"{month}-metropolitan-street.csv"
    street_file.write(file, rows, seed, month)
    return file


def _copy(settings: Settings, files: list[Path]) -> float:
    """Seconds that psql takes for all files, one after the other."""
    columns = sql.SQL(", ").join(
        sql.SQL("{} text").format(sql.Identifier(c))
        for c in raw_columns(find_source("police_uk").dataset("street").layout)
    )
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute(sql.SQL("create table raw.bench_copy ({})").format(columns))
        connection.execute(sql.SQL("grant all on raw.bench_copy to {}").format(sql.Identifier(LOADER)))
        connection.execute("checkpoint")
    commands = [part for f in files for part in ("-c", f"\\copy raw.bench_copy from '{f}' (format csv, header)")]
    started = time.perf_counter()
    subprocess.run(
        [str(embedded.bin_path() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", *commands, url(settings, LOADER)], check=True
    )
    seconds = time.perf_counter() - started
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("drop table raw.bench_copy")
        connection.execute("checkpoint")
    return seconds


class Archive:
    """data.police.uk with an archive on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder
        self._md5 = ""

    def offer(self, month: str, files: list[Path]) -> None:
        """Pack files into the archive of a month and serve it from now on."""
        self._file = self._folder / f"{month}.zip"
        with zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for file in files:
                packed.write(file, f"{file.name[:7]}/{file.name}")
        # Its name stands for its content here; nobody asks for the whole.
        self._md5 = f"{month.replace('-', ''):0>32}"

    def answer(self, request: Request) -> Response | None:
        """The index, or a part of the archive."""
        if request.path == "/data/archive/":
            return Response(200, {}, f'<a href="/data/archive/{self._file.name}">newest</a> {self._md5}'.encode())
        found = re.fullmatch(r"bytes=(\d*)-(\d+)", request.headers.get("range", ""))
        if request.path != f"/data/archive/{self._file.name}" or not found:
            return None
        size = self._file.stat().st_size
        first = int(found[1]) if found[1] else max(0, size - int(found[2]))
        last = min(int(found[2]), size - 1) if found[1] else size - 1
        with self._file.open("rb") as file:
            file.seek(first)
            body = file.read(last - first + 1)
        return Response(206, {"ETag": f'"{self._md5}"', "Content-Range": f"bytes {first}-{last}/{size}"}, body)


def night(settings: Settings, base_url: str) -> dict[str, float]:
    """Fetch and load in a process of its own: seconds of each, rows, and peak memory in MiB."""
    with connect(settings, ADMIN, autocommit=True) as connection:
        connection.execute("checkpoint")
    result = subprocess.run(
        [sys.executable, "-m", "bench.archive_once"],
        env={
            **os.environ,
            "VRU_HOME": str(settings.home),
            "VRU_TODAY": str(settings.today),
            "VRU_BASE_URLS": json.dumps({"police_uk": base_url}),
        },
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(result.stdout.splitlines()[-1]))


def main() -> None:
    """Argument: how many rows (default 3,500,000)."""
    home = Path(tempfile.mkdtemp(prefix="vru-bench-"))
    try:
        run(home / "archive", int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
    finally:
        embedded.stop(home / "archive" / "postgres")
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
