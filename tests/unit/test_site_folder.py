"""The site's folder is replaced whole, and what a build left that did not end is put right by the next."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tests.refused import refused_with
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


def made(site: Path) -> folder.Manifest:
    folder.write_manifest(site, folder.Manifest("of monday", 1, {"index.html": ("hash", ["index.html"])}))
    manifest = folder.read_manifest(site)
    assert manifest is not None
    return manifest


def test_a_file_that_is_not_as_it_was_written_is_not_kept(site: Path, tmp_path: Path) -> None:
    manifest = made(site)
    assert folder.is_whole(site, manifest)
    assert folder.link_listed(site, tmp_path / "new", manifest, manifest.pages["index.html"], "hash")
    (site / "index.html").write_text("yesterdaz", encoding="utf-8")
    assert not folder.is_whole(site, manifest)
    assert not folder.link_listed(site, tmp_path / "newer", manifest, manifest.pages["index.html"], "hash")


@pytest.mark.parametrize(("other", "text"), [("CNAME", "ours.example"), ("manifest.json", '{"metadata": {}}')])
def test_a_folder_with_what_no_build_made_is_not_replaced(site: Path, other: str, text: str) -> None:
    made(site)
    folder.check(site)
    (site / other).write_text(text, encoding="utf-8")
    with refused_with("EXPORT_FOLDER_TAKEN", match=other):
        folder.check(site)


def test_a_pack_does_not_replace_a_site(site: Path) -> None:
    made(site)
    with refused_with("EXPORT_FOLDER_TAKEN"):
        folder.check(site, is_pack=True)
