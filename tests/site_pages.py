"""A site that was built, and its pages read back."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

from tests.homes import Home
from warehouse import site


class Tables(HTMLParser):
    """The cells of each table of a page, by its caption; and how many elements of some kinds there are."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.by_caption: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self._into = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("table", "tr"):
            self._into = ""  # a cell may end without saying so
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("th", "td"):
            self._rows[-1].append("")
        if tag in ("th", "td", "caption"):
            self._into = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td", "caption"):
            self._into = ""
        if tag == "table":
            self._into = ""
            self.by_caption[self._caption.strip()] = [[cell.strip() for cell in row] for row in self._rows[1:]]

    def handle_data(self, data: str) -> None:
        if self._into == "caption":
            self._caption += data
        elif self._into:
            self._rows[-1][-1] += data


@dataclasses.dataclass(frozen=True)
class BuiltSite:
    home: Home
    folder: Path
    built: site.Built

    def files(self) -> dict[str, bytes]:
        return {
            str(file.relative_to(self.folder)): file.read_bytes() for file in self.folder.rglob("*") if file.is_file()
        }


@dataclasses.dataclass(frozen=True)
class OpenAgain:
    folder: Path
    roles: list[str]
