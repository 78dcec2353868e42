"""The site's folder is replaced whole, and what a build left that did not end is put right by the next."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from warehouse.site import folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("yesterday", encoding="utf-8")
    return tmp_path / "site"


def test_a_new_folder_takes_the_place_of_the_old_one_whole(site: Path) -> None:
    (site / "gone.html").touch()
    with folder.replacing(site) as new:
        (new.path / "index.html").write_text("today", encoding="utf-8")
    assert [file.name for file in site.iterdir()] == ["index.html"]
    assert (site / "index.html").read_text(encoding="utf-8") == "today"
    assert [one.name for one in site.parent.iterdir()] == ["site"]


def test_a_full_disk_leaves_yesterdays_folder_and_nothing_beside_it(site: Path) -> None:
    def build() -> None:
        with folder.replacing(site) as new:
            (new.path / "index.html").write_text("half", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        build()
    assert (site / "index.html").read_text(encoding="utf-8") == "yesterday"
    assert [one.name for one in site.parent.iterdir()] == ["site"]


def test_what_a_killed_build_left_is_removed_and_what_it_moved_away_is_put_back(site: Path) -> None:
    site.rename(site.parent / ".site.old")
    (site.parent / ".site.new-killed").mkdir()
    with folder.replacing(site) as new:
        new.is_wanted = False
    assert (site / "index.html").read_text(encoding="utf-8") == "yesterday"
    assert [one.name for one in site.parent.iterdir()] == ["site"]


def test_a_page_that_is_kept_takes_no_room_a_second_time(site: Path) -> None:
    with folder.replacing(site) as new:
        folder.link(site / "index.html", new.path / "index.html")
        inode = (site / "index.html").stat().st_ino
    assert (site / "index.html").stat().st_ino == inode


def test_rows_that_are_the_same_stand_on_the_disk_once(site: Path) -> None:
    texts = {"map": "a,b\n1,2\n", "tiles": "a,b\n1,2\n", "ranked": "a,b\n1,3\n"}
    (site / "data").mkdir()
    for name, text in texts.items():
        (site / "data" / f"{name}.csv").write_text(text, encoding="utf-8")
    folder.share(site)
    places = {name: site / "data" / f"{name}.csv" for name in texts}
    assert {name: place.read_text(encoding="utf-8") for name, place in places.items()} == texts
    assert places["map"].samefile(places["tiles"])
    assert not places["map"].samefile(places["ranked"])
