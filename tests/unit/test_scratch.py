"""Folders for bytes under way: what a killed run left goes with the next one, what another run uses stays."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ingest.scratch import DEAD_AFTER, LOCK, scratch_folder


def aged(folder: Path) -> None:
    long_ago = time.time() - 2 * DEAD_AFTER
    os.utime(folder, (long_ago, long_ago))


def test_what_a_killed_run_left_is_removed_and_what_another_uses_stays(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    with scratch_folder(landing) as used:
        (used / "body").write_bytes(b"under way")
        left = used.parent / "left"
        left.mkdir()
        (left / LOCK).touch()
        (left / "body").write_bytes(b"of persons")
        aged(left)
        aged(used)
        with scratch_folder(landing):
            assert not left.exists()
            assert (used / "body").read_bytes() == b"under way"
    assert list(used.parent.iterdir()) == []
    assert not landing.exists()


def test_runs_that_begin_together_keep_their_folders(tmp_path: Path) -> None:
    def once(number: int) -> bool:
        with scratch_folder(tmp_path / "landing") as folder:
            (folder / "body").write_bytes(b"x")
            return (folder / "body").read_bytes() == b"x"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(once, range(400)))
