"""Building the site: one release, whole or not at all, and only the pages whose figures have changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from warehouse.platform.settings import Settings
from warehouse.site import areas, engineer, folder, overview, packs, rendering
from warehouse.site.areas import EDITIONS
from warehouse.site.folder import Manifest
from warehouse.site.model import LONDON
from warehouse.site.reading import Reader, reading
from warehouse.site.rendering import Page
from warehouse.site.sources import sources_page

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
    """

    index: Path
    release_id: int
    rendered: int
    kept: int


def build(
    settings: Settings,
    *,
    release_id: int | None = None,
    editions: Sequence[str] = tuple(EDITIONS),
    out: Path | None = None,
    echo: Echo = lambda line: None,
) -> Built:
    """Build the site of one release, or some of its editions, beside the one that stands, and put it in its place.

    Args:
        release_id: an earlier release, of the partner edition alone; None for the one that the marts hold.
        editions: which are built; one that stands and is not among them is kept.
        out: the site's folder; None for `site` in the home.
        echo: prints a line.

    Returns:
        What was built. Where nothing has changed, nothing is written.

    Raises:
        Refusal: a page cannot be drawn, or release or folder are not as they should be. The site that stands is as it was.
    """
    out = out or settings.home / SITE
    folder.check(out)
    with folder.replacing(out) as new:
        parts = []
        for edition in EDITIONS:
            if edition in editions:
                parts.append(_edition(settings, edition, release_id, out / edition, new.path / edition, echo))
            else:
                folder.link_tree(out / edition, new.path / edition)
        shown = parts[0].release_id
        alone = [_front(new.path), *([engineer.status_page(settings)] if release_id is None else [])]
        parts.append(
            _write(alone, "", shown, {"release_id": shown, "published": "", "published_at": ""}, out, new.path)
        )
        new.is_wanted = any(part.rendered for part in parts) or folder.pages_of(out) != folder.pages_of(new.path)
    return Built(out / "index.html", shown, sum(part.rendered for part in parts), sum(part.kept for part in parts))


@dataclasses.dataclass(frozen=True)
class _Part:
    release_id: int
    rendered: int
    kept: int


def _edition(settings: Settings, edition: str, release_id: int | None, stands: Path, new: Path, echo: Echo) -> _Part:
    before = folder.read_manifest(stands)
    with reading(settings, edition, release_id) as (connection, release, is_current):
        boroughs = areas.boroughs(connection, edition)
        reader = Reader(connection, edition, release, is_current=is_current, areas=[*boroughs, LONDON])
        made_from = _made_from(reader)
        if before is not None and before.made_from == made_from and folder.is_whole(stands, before):
            folder.link_tree(stands, new)
            return _Part(release.release_id, 0, len(before.pages))
        echo(f"{edition} edition: reading release {release.release_id}")
        given = packs.shared(reader)
        pages = [page for area in boroughs for page in packs.pack(reader, area, given)]
        pages.append(overview.overview_page(reader, boroughs, given))
        if edition == "partner":
            pages += [overview.compare_page(reader, given), sources_page(reader, given)]
        said = packs.release_said(reader)
    echo(f"{edition} edition: {len(pages)} pages")
    return _write(pages, made_from, release.release_id, said, stands, new)


def _write(pages: list[Page], made_from: str, release_id: int, said: dict[str, Any], stands: Path, new: Path) -> _Part:
    """Write the pages whose figures have changed, and have the others stand in the new folder as they are."""
    before = folder.read_manifest(stands)
    code = rendering.code_version()
    listed: dict[str, tuple[str, list[str]]] = {}
    kept = 0
    for page in pages:
        page_hash = page.hash(code)
        known = before.pages.get(page.path) if before else None
        if known and known[0] == page_hash and all((stands / file).is_file() for file in known[1]):
            for file in known[1]:
                folder.link(stands / file, new / file)
            listed[page.path] = known
            kept += 1
        else:
            listed[page.path] = (page_hash, rendering.write(page, new, said))
    rendering.write_static(new)
    folder.write_manifest(new, Manifest(made_from, release_id, listed))
    return _Part(release_id, len(pages) - kept, kept)


def _made_from(reader: Reader) -> str:
    """A hash of all that the pages of an edition depend on: where it is the same, nothing needs to be read."""
    states = [] if reader.edition == "open" else [dict(row) for row in reader.rows("status")]
    given = [reader.edition, dataclasses.asdict(reader.release), states, rendering.code_version()]
    return hashlib.sha256(json.dumps(given, default=str).encode()).hexdigest()


def _front(new: Path) -> Page:
    doors = [
        (name.capitalize(), f"{name}/index.html", _EDITION_SAYS[name])
        for name in ("partner", "open")
        if (new / name).is_dir()
    ]
    doors.append(
        (
            "For the engineer",
            "engineer.html",
            "Releases, verdicts, alerts, how long the nights took, freshness, quarantine",
        )
    )
    context = {"heading": "Editions", "area_label": "", "edition": "", "banners": [], "doors": doors, "is_alone": True}
    return Page("index.html", "front.html.j2", LONDON, context)
