"""A pack of which a file cannot be written stands as it was; the packs of other areas are of the new release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from warehouse.site import folder, rendering
from warehouse.site.model import LONDON, Area
from warehouse.site.rendering import Page
from warehouse.site.takeaway import files
from warehouse.site.takeaway.content import Pack
from warehouse.site.writing import UNFINISHED, Drawn, Part, write

HACKNEY, SUTTON = Area("E09000012", "Hackney", "hackney"), Area("E09000029", "Sutton", "sutton")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Pages and files of one line each. Gives the areas whose workbooks cannot be written, to be filled."""
    failing: set[str] = set()

    def page(page: Page, new: Path, said: dict[str, Any]) -> tuple[list[str], list[Any]]:
        (new / page.path).parent.mkdir(parents=True, exist_ok=True)
        told = [page.context["says"], *(one["name"] for one in page.context.get("files", []))]
        (new / page.path).write_text(" ".join([*told, *page.context.get("behind", [])]), encoding="utf-8")
        return [page.path], list(page.failures)

    def workbook(pack: Pack, file: Path) -> None:
        if pack.area.slug in failing:
            raise ValueError("two columns of it have one heading")
        file.write_text(pack.pages[0].context["says"], encoding="utf-8")

    monkeypatch.setattr(rendering, "write", page)
    for form in files.WRITERS:
        monkeypatch.setitem(files.WRITERS, form, lambda pack, file: file.write_text(pack.pages[0].context["says"]))
    monkeypatch.setitem(files.WRITERS, "xlsx", workbook)
    return failing


def built(says: str, stands: Path, new: Path) -> Part:
    packs = []
    for area in (HACKNEY, SUTTON):
        context = {"says": says, "files": files.links(area, "open")}
        packs.append(Pack(area, "open", (Page(f"{area.slug}/index.html", "", area, context),), {}))
    pages = [page for pack in packs for page in pack.pages]
    overview = Page("index.html", "", LONDON, {"says": says})
    return write(Drawn([*pages, overview], packs, {"release_id": 1}), says, stands, new)


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_a_file_that_fails_keeps_its_whole_pack_of_yesterday_and_the_others_are_built(
    tmp_path: Path, small: set[str]
) -> None:
    one, two, three = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    assert built("monday", tmp_path / "0", one).failures == ()
    small.add("hackney")
    part = built("tuesday", one, two)
    assert [failure.code for failure in part.failures] == ["SITE_FILE_FAILED"]
    assert text(two / "hackney/index.html").startswith("monday")
    assert {text(two / f"hackney/hackney-open.{form}") for form in files.WRITERS} == {"monday"}
    assert text(two / "sutton/index.html").startswith("tuesday")
    assert {text(two / f"sutton/sutton-open.{form}") for form in files.WRITERS} == {"tuesday"}
    assert text(two / "index.html") == "tuesday Hackney"
    small.clear()
    assert built("tuesday", two, three).failures == ()
    assert text(three / "hackney/hackney-open.xlsx") == "tuesday"
    assert text(three / "index.html") == "tuesday"


def test_a_pack_whose_file_never_was_written_links_to_those_that_were(tmp_path: Path, small: set[str]) -> None:
    small.add("hackney")
    built("monday", tmp_path / "0", tmp_path / "1")
    assert text(tmp_path / "1/hackney/index.html") == "monday hackney-open.pdf hackney-open.ods"
    assert sorted(file.name for file in (tmp_path / "1/hackney").iterdir()) == [
        "hackney-open.ods",
        "hackney-open.pdf",
        "index.html",
    ]
    manifest = folder.read_manifest(tmp_path / "1")
    assert manifest is not None
    assert manifest.made_from == UNFINISHED
