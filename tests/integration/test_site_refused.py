"""What a site does not show: a figure that cannot be drawn, what is not there, a folder that is not its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.homes import Home
from tests.refused import refused_with
from warehouse import site
from warehouse.site import charts, rendering, shown
from warehouse.site.model import LONDON, Column

PLAIN = {
    "heading": "Drivers", "area_label": "", "edition": "", "banners": [], "is_alone": True, "asks": "", "paragraphs": [], "tables": [],
}  # fmt: skip


def test_a_figure_that_never_was_drawn_has_a_place_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(rows: Any, **words: str) -> charts.Chart:
        raise ValueError("no room for the labels")

    monkeypatch.setattr(charts, "dots", fails)
    figure = shown.Shown(
        "index", "Index of drivers", "London = 100", "dots", "", (Column("value", "Index", "number"),), ({"value": 1},), ({"label": "a", "value": 1},), "",
        "select 1", (), (), "", "",
    )  # fmt: skip
    page = rendering.Page("engineer.html", "plain.html.j2", LONDON, PLAIN, (figure,))
    files, failures = rendering.write(page, tmp_path, {"release_id": 1, "published": "", "published_at": ""})
    assert files == ["engineer.html"]
    assert [failure.code for failure in failures] == ["SITE_PAGE_FAILED"]
    text = (tmp_path / "engineer.html").read_text(encoding="utf-8")
    assert "This figure could not be drawn, by a fault of ours [SITE_PAGE_FAILED]." in text
    assert "<svg" not in text


@pytest.mark.parametrize(
    ("area", "edition", "release", "code", "words"),
    [
        ("Hackny", "partner", None, "AREA_UNKNOWN", "Hackney"),
        ("E09000001", "partner", None, "AREA_UNKNOWN", ""),
        ("Hackney", "partner", 99, "RELEASE_UNKNOWN", "choose of the newest: 1"),
        ("Hackney", "open", 99, "OPTION_INVALID", "current release"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_nearest(
    first_night: Home, tmp_path: Path, area: str, edition: str, release: int | None, code: str, words: str
) -> None:
    with refused_with(code) as refusal:
        site.write_pack(
            first_night.settings, area, edition, tmp_path / "pack", release_id=release, echo=lambda line: None
        )
    assert words in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_no_build_made_is_left_alone(first_night: Home, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with refused_with("EXPORT_FOLDER_TAKEN"):
        site.build(first_night.settings, out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
