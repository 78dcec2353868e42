"""Building the site: one release, whole or not at all, and only the pages whose figures have changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from warehouse.platform.settings import Settings
from warehouse.site import areas, engineer, folder, overview, packs, rendering
from warehouse.site.areas import EDITIONS
from warehouse.site.folder import Manifest
from warehouse.site.model import LONDON, Area
from warehouse.site.reading import Reader, Release, reading
from warehouse.site.rendering import Page
from warehouse.site.sources import sources_page
from warehouse.site.takeaway import files, folders
from warehouse.site.takeaway.content import Pack
from warehouse.site.takeaway.folders import Folder

Echo = Callable[[str], None]
SITE = "site"
_EDITION_SAYS = {
    "open": "Open edition: counts as their owners' rules let them out, for anyone",
    "partner": "Partner edition, OFFICIAL-SENSITIVE: the whole assessment, for the partners of the violence-reduction duty",
}


@dataclasses.dataclass(frozen=True)
class Built:
    """What a build came to.

    Attributes:
        index: the page to open.
        release_id: what is shown.
        rendered: pages that were written.
        kept: pages whose figures are as they were, and which were not written again.
        files: files to take away that were written.
    """

    index: Path
    release_id: int
    rendered: int
    kept: int
    files: int


def build(
    settings: Settings,
    *,
    release_id: int | None = None,
    editions: Sequence[str] = tuple(EDITIONS),
    out: Path | None = None,
    files_of: Collection[str] | None = None,
    echo: Echo = lambda line: None,
) -> Built:
    """Build the site of one release, or some of its editions, beside the one that stands, and put it in its place.

    Args:
        release_id: an earlier release, of the partner edition alone; None for the one that the marts hold.
        editions: which are built; one that stands and is not among them is kept.
        out: the site's folder; None for `site` in the home.
        files_of: folders of the areas whose files to take away are written; None for all, and for what is given out of the whole.
        echo: prints a line.

    Returns:
        What was built. Where nothing has changed, nothing is written.

    Raises:
        Refusal: a page cannot be drawn, or release or folder are not as they should be. The site that stands is as it was.
    """
    out = out or settings.home / SITE
    folder.check(out)
    asked = _Asked(settings, release_id, None if files_of is None else frozenset(files_of), echo)
    with folder.replacing(out) as new:
        parts: list[_Part] = []
        shown = 0
        for edition in EDITIONS:
            if edition in editions:
                shown, part = _edition(asked, edition, out / edition, new.path / edition)
                parts.append(part)
            else:
                folder.link_tree(out / edition, new.path / edition)
        alone = [_front(new.path), *([engineer.status_page(settings)] if release_id is None else [])]
        said = {"release_id": shown, "published": "", "published_at": ""}
        parts.append(_write(_Drawn(alone, [], said), "", out, new.path))
        folder.share(new.path)
        new.is_wanted = any(part.rendered for part in parts) or folder.pages_of(out) != folder.pages_of(new.path)
    return Built(
        out / "index.html",
        shown,
        rendered=sum(part.rendered for part in parts),
        kept=sum(part.kept for part in parts),
        files=sum(part.files for part in parts),
    )


@dataclasses.dataclass(frozen=True)
class _Asked:
    settings: Settings
    release_id: int | None
    files_of: frozenset[str] | None
    echo: Echo

    def has_files(self, area: Area) -> bool:
        return self.files_of is None or area.slug in self.files_of

    def folders(self, edition: str, release: Release) -> tuple[Folder, ...]:
        """The folders that an edition gives out: of the release that the marts hold, where all files are asked for."""
        if self.release_id is not None or self.files_of is not None:
            return ()
        found = folders.open_data(self.settings, release) if edition == "open" else folders.bi_files(self.settings)
        return (found,) if found else ()


@dataclasses.dataclass(frozen=True)
class _Drawn:
    """What an edition is to be, in memory: its pages, the packs that have files, what it says of the release, and folders that it gives out."""

    pages: list[Page]
    packs: list[Pack]
    said: dict[str, Any]
    folders: tuple[Folder, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Part:
    rendered: int
    kept: int
    files: int = 0


def _edition(asked: _Asked, edition: str, stands: Path, new: Path) -> tuple[int, _Part]:
    """Build an edition.

    Returns:
        The release that it is of, and what was written.
    """
    before = folder.read_manifest(stands)
    with reading(asked.settings, edition, asked.release_id) as (connection, release, is_current):
        boroughs = areas.boroughs(connection, edition)
        reader = Reader(connection, edition, release, is_current=is_current, areas=[*boroughs, LONDON])
        made_from = _made_from(reader, asked)
        if before is not None and before.made_from == made_from and folder.is_whole(stands, before):
            folder.link_tree(stands, new)
            return release.release_id, _Part(0, len(before.pages))
        asked.echo(f"{edition} edition: reading release {release.release_id}")
        given = packs.shared(reader)
        said = packs.release_said(reader)
        of_areas = {area: packs.pack(reader, area, given, has_files=asked.has_files(area)) for area in boroughs}
        pages = [page for pack in of_areas.values() for page in pack]
        given_out = asked.folders(edition, release)
        pages.append(overview.overview_page(reader, boroughs, given | {"folders": [one.said for one in given_out]}))
        if edition == "partner":
            pages += [overview.compare_page(reader, given), sources_page(reader, given)]
    with_files = [Pack(area, edition, tuple(pack), said) for area, pack in of_areas.items() if asked.has_files(area)]
    asked.echo(f"{edition} edition: {len(pages)} pages, files to take away of {len(with_files)} areas")
    return release.release_id, _write(_Drawn(pages, with_files, said, given_out), made_from, stands, new)


def _write(drawn: _Drawn, made_from: str, stands: Path, new: Path) -> _Part:
    """Write the pages and files whose figures have changed, and have the others stand in the new folder as they are."""
    before = folder.read_manifest(stands) or Manifest("", 0, {})
    code = rendering.code_version()
    hashes = {page.path: page.hash(code) for page in drawn.pages}
    listed: dict[str, tuple[str, list[str]]] = {}
    kept = 0
    for page in drawn.pages:
        known = before.pages.get(page.path)
        if known and folder.link_listed(stands, new, known, hashes[page.path]):
            listed[page.path] = known
            kept += 1
        else:
            listed[page.path] = (hashes[page.path], rendering.write(page, new, drawn.said))
    takeaway, written = _write_files(drawn, hashes, before, stands, new)
    rendering.write_static(new)
    folder.write_manifest(new, Manifest(made_from, drawn.said["release_id"], listed, takeaway))
    return _Part(len(drawn.pages) - kept, kept, written)


def _write_files(
    drawn: _Drawn, hashes: dict[str, str], before: Manifest, stands: Path, new: Path
) -> tuple[dict[str, tuple[str, list[str]]], int]:
    """Write the files to take away, as the pages: those of an area whose pages have changed, and folders of what is new.

    Returns:
        What the manifest lists of them, and how many were written.
    """
    listed: dict[str, tuple[str, list[str]]] = {}
    changed = []
    written = 0
    for pack in drawn.packs:
        wanted = files.hash_of(pack, hashes)
        known = before.takeaway.get(pack.area.slug)
        if known and folder.link_listed(stands, new, known, wanted):
            listed[pack.area.slug] = known
        else:
            changed.append(pack)
            listed[pack.area.slug] = (wanted, files.paths(pack))
            written += len(files.paths(pack))
    files.write_all(changed, new)
    for one in drawn.folders:
        known = before.takeaway.get(one.name)
        if known and folder.link_listed(stands, new, known, one.hash):
            listed[one.name] = known
        else:
            one.write(new / one.name)
            listed[one.name] = (one.hash, [f"{one.name}/{file}" for file in folder.pages_of(new / one.name)])
            written += len(listed[one.name][1])
    return listed, written


def _made_from(reader: Reader, asked: _Asked) -> str:
    """A hash of all that the pages of an edition depend on: where it is the same, nothing needs to be read."""
    states = [] if reader.edition == "open" else [dict(row) for row in reader.rows("status")]
    files_of = None if asked.files_of is None else sorted(asked.files_of)
    given = [reader.edition, dataclasses.asdict(reader.release), states, files_of, rendering.code_version()]
    return hashlib.sha256(json.dumps(given, default=str).encode()).hexdigest()


def _front(new: Path) -> Page:
    doors = [
        (name.capitalize(), f"{name}/index.html", _EDITION_SAYS[name])
        for name in ("partner", "open")
        if (new / name).is_dir()
    ]
    if (new / "open" / folders.OPEN_DATA).is_dir():
        doors.append(
            (
                "Open data",
                f"open/index.html#{folders.OPEN_DATA}",
                "The whole open layer as CSV and Parquet, with metadata and checksums",
            )
        )
    doors.append(
        (
            "For the engineer",
            "engineer.html",
            "Releases, verdicts, alerts, how long the nights took, freshness, quarantine",
        )
    )
    context = {"heading": "Editions", "area_label": "", "edition": "", "banners": [], "doors": doors, "is_alone": True}
    return Page("index.html", "front.html.j2", LONDON, context)
