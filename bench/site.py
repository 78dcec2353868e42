"""How long the site takes, what of memory and of the disk: pages first, then files to take away beside them, then nothing new."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

from bench import limits
from warehouse import site
from warehouse.platform.settings import Settings

MIB = 2**20


def run(settings: Settings, out: Path) -> None:
    """Build the site of a home in both editions, and print each part with its limit."""
    print("\nThe site: 32 packs and the overview, both editions")
    pages = _seconds(settings, out, ())
    limits.at_most("pages and charts", pages, 360)
    shutil.rmtree(out)
    print(f"  with every file to take away: {_seconds(settings, out, None) - pages:.0f} s more")
    print(f"  again, nothing new: {_seconds(settings, out, None):.1f} s")
    sizes = {file.stat().st_ino: file.stat() for file in out.rglob("*") if file.is_file()}
    given_out = sum(file.stat().st_size for file in (out / "open/open-data").rglob("*") if file.is_file())
    limits.at_most(f"{len(sizes):,} files", sum(one.st_size for one in sizes.values()) / MIB, 150, "MiB")
    print(
        f"  {given_out / MIB:.0f} MiB of them the open layer as data; {sum(one.st_blocks for one in sizes.values()) / 2048:.0f} MiB of the disk"
    )
    # Pages are of two processes beside this one.
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    limits.at_most("memory of this process and the largest below it", peak, 1024, "MiB")


def _seconds(settings: Settings, out: Path, files_of: tuple[str, ...] | None) -> float:
    started = time.perf_counter()
    site.build(settings, out=out, files_of=files_of)
    return time.perf_counter() - started
