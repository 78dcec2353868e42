"""A backup brings an empty home to what was there: marts, every release, ledgers and landing."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.connectors import file_drop
from ingest.declaration import find_source
from tests.candidates import judged, pair, read
from tests.conftest import Server, new_warehouse
from tests.mps_files import borough_file
from tests.refused import refused_with
from warehouse import steps
from warehouse.home import backup, restore
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, parameters
from warehouse.platform.settings import Settings
from warehouse.publish import publish

MPS = find_source("mps")
AS_OF = "select marts_history.area_as_of(1)::text from generate_series(1, 1) order by 1"


@pytest.fixture
def empty(server: Server, tmp_path: Path) -> Iterator[Settings]:
    """Another home, with nothing in it."""
    with new_warehouse(server, tmp_path / "other") as settings:
        yield settings


def filled(warehouse: Settings, tmp_path: Path) -> None:
    """Two releases, and a landed and loaded file."""
    publish(warehouse, judged(warehouse, pair(0)))
    publish(warehouse, judged(warehouse, pair(1, areas=4)))
    file = tmp_path / "recent.csv"
    file.write_bytes(borough_file("202411", "202610"))
    landed = file_drop.take(warehouse.landing, MPS, "borough_recent", file, warehouse.now(), is_synthetic=True)
    steps.load_one(warehouse, MPS, "borough_recent", landed)


def cut_restore(folder: Path) -> Path:
    """A folder of programs in which pg_restore ends at once."""
    program = folder / "programs" / "pg_restore"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho cut >&2\nexit 1\n")
    program.chmod(0o700)
    return program.parent


def test_the_superusers_password_is_in_no_file_while_a_backup_runs(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill then leaves none behind."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    program = tmp_path / "programs" / "pg_dump"
    program.parent.mkdir()
    program.write_text(
        f"""#!/bin/sh
        echo "$PGPASSWORD" | sha256sum > '{tmp_path}/told'
        for word in "$PGPASSWORD" '{password_of(warehouse)}'; do grep -rlF -- "$word" '{warehouse.home}' '{tmp_path}/tmp'; done > '{tmp_path}/found'
        ps -o args= -p "$$" >> '{tmp_path}/found'
        exit 1
        """
    )
    program.chmod(0o700)
    monkeypatch.setattr(embedded, "bin_path", lambda: program.parent)
    with refused_with("BACKUP_FAILED", match="pg_dump"):
        backup.take(warehouse)
    found = (tmp_path / "found").read_text(encoding="utf-8").splitlines()
    assert len(found) == 1
    assert password_of(warehouse) not in found[0]
    told = hashlib.sha256(f"{password_of(warehouse)}\n".encode()).hexdigest()
    assert (tmp_path / "told").read_text(encoding="utf-8").split()[0] == told


def password_of(settings: Settings) -> str:
    return parameters(settings, ADMIN)["password"]


def landed_files(settings: Settings) -> dict[str, bytes]:
    return {str(p.relative_to(settings.landing)): p.read_bytes() for p in settings.landing.rglob("*") if p.is_file()}


def test_what_was_backed_up_comes_back_in_an_empty_home_and_a_cut_restore_is_run_again(
    warehouse: Settings, empty: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(warehouse, tmp_path)
    taken = backup.take(warehouse)
    assert taken.tables["marts.area"][0] == 4
    assert taken.tables["ops.load"][0] == 1
    with monkeypatch.context() as context:
        # As a kill would: the schemas are gone by then, and nothing has come back.
        context.setattr(embedded, "bin_path", lambda: cut_restore(tmp_path))
        with refused_with("BACKUP_FAILED", match="pg_restore"):
            restore.restore(empty, taken.folder)
    assert restore.restore(empty, taken.folder).tables == taken.tables
    assert landed_files(empty) == landed_files(warehouse)
    assert read(empty, AS_OF) == read(warehouse, AS_OF)
    assert read(empty, "select state from ops.release order by release_id", ADMIN) == [("published",), ("published",)]
    assert publish(empty, judged(empty, pair(2))).state == "published"
    with refused_with("HOME_NOT_EMPTY"):
        restore.restore(empty, taken.folder)


def test_a_damaged_backup_is_refused_before_anything_is_touched(
    warehouse: Settings, empty: Settings, tmp_path: Path
) -> None:
    filled(warehouse, tmp_path)
    taken = backup.take(warehouse)
    path, sha256 = next((p, s) for p, s in taken.landing.items() if p.endswith(".csv"))
    kept = taken.folder.parent / "landing" / sha256[:2] / sha256
    kept.unlink()
    with refused_with("BACKUP_DAMAGED", match=f"landing/{path}"):
        restore.restore(empty, taken.folder)
    assert landed_files(empty) == {}


def test_only_the_newest_backups_are_kept_with_the_bytes_they_need(warehouse: Settings, tmp_path: Path) -> None:
    backup.take(warehouse)
    filled(warehouse, tmp_path)
    second = backup.take(warehouse, keep=1)
    assert [one.folder for one in backup.backups(warehouse)] == [second.folder]
    kept = {path.name for path in (second.folder.parent / "landing").glob("*/*")}
    assert kept == set(second.landing.values())


def test_backups_of_one_second_have_names_of_their_own(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = dt.datetime(2026, 11, 30, 2, 18, 41, tzinfo=dt.UTC)
    monkeypatch.setattr(Settings, "now", lambda _: moment)
    names = [backup.take(warehouse).folder.name for _ in range(3)]
    assert names == ["20261130T021841Z", "20261130T021841Z-2", "20261130T021841Z-3"]
