"""Building the site of one release: put in its place whole, and only the pages whose figures have changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ingest.errors import Refusal
from warehouse.platform.settings import Settings
from warehouse.site import areas, engineer, folder, overview, packs, rendering
from warehouse.site.areas import EDITIONS
from warehouse.site.model import LONDON, Area
from warehouse.site.reading import Reader, Release, reading
from warehouse.site.rendering import Page
from warehouse.site.sources import measures_page, sources_page
from warehouse.site.takeaway import folders
from warehouse.site.takeaway.content import Pack
from warehouse.site.takeaway.folders import Folder
from warehouse.site.writing import Drawn, Part, write

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
        Refusal: a figure cannot be drawn or a file not be written: its pack stands as it was, and every other page is of the release; or release or folder are not as they
            should be, and the site that stands is as it was.
    """
    out = (out or settings.home / SITE).resolve()
    folder.check(out)
    asked = _Asked(settings, release_id, None if files_of is None else frozenset(files_of), echo)
    with folder.replacing(out) as new:
        parts: list[Part] = []
        shown = 0
        said_above: list[dict[str, str]] = []
        for edition in EDITIONS:
            if edition in editions:
                shown, said_above, part = _edition(asked, edition, out / edition, new.path / edition)
                parts.append(part)
            else:
                folder.link_tree(out / edition, new.path / edition)
        alone = [
            _front(new.path, said_above),
            *([engineer.status_page(settings, said_above)] if release_id is None else []),
        ]
        said = {"release_id": shown, "published": "", "published_at": ""}
        parts.append(write(Drawn(alone, [], said), "", out, new.path))
        folder.share(new.path)
        new.is_wanted = any(part.rendered for part in parts) or folder.pages_of(out) != folder.pages_of(new.path)
    failures = [failure for part in parts for failure in part.failures]
    if failures:
        raise _refusal(failures, shown)
    return Built(
        out / "index.html",
        shown,
        rendered=sum(part.rendered for part in parts),
        kept=sum(part.kept for part in parts),
        files=sum(part.files for part in parts),
    )


def _refusal(failures: list[Refusal], release_id: int) -> Refusal:
    """One refusal of all figures that cannot be shown and files that cannot be written."""
    more = f"; and {len(failures) - 1} more" if len(failures) > 1 else ""
    return Refusal(
        failures[0].code,
        f"{failures[0].problem}{more}",
        kept=f"their packs as they were; every other page is of release {release_id}",
        next_step="read the log of the site's run; the next build tries again",
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


def _edition(asked: _Asked, edition: str, stands: Path, new: Path) -> tuple[int, list[dict[str, str]], Part]:
    """Build an edition.

    Returns:
        The release that it is of, what is said above its pages, and what was written.
    """
    before = folder.read_manifest(stands)
    with reading(asked.settings, edition, asked.release_id) as (connection, release, is_current):
        boroughs = areas.boroughs(connection, edition)
        reader = Reader(connection, edition, release, is_current=is_current, areas=[*boroughs, LONDON])
        made_from = _made_from(reader, asked)
        given = packs.shared(reader)
        if before is not None and before.made_from == made_from and folder.is_whole(stands, before):
            folder.link_tree(stands, new)
            return release.release_id, given["banners"], Part(0, len(before.pages))
        asked.echo(f"{edition} edition: reading release {release.release_id}")
        said = packs.release_said(reader)
        of_areas = {area: packs.pack(reader, area, given, has_files=asked.has_files(area)) for area in boroughs}
        pages = [page for pack in of_areas.values() for page in pack]
        given_out = asked.folders(edition, release)
        pages.append(overview.overview_page(reader, boroughs, given | {"folders": [one.said for one in given_out]}))
        pages.append(measures_page(reader, given))
        if edition == "partner":
            pages += [overview.compare_page(reader, given), sources_page(reader, given)]
    with_files = [Pack(area, edition, tuple(pack), said) for area, pack in of_areas.items() if asked.has_files(area)]
    asked.echo(f"{edition} edition: {len(pages)} pages, files to take away of {len(with_files)} areas")
    return (
        release.release_id,
        given["banners"],
        write(Drawn(pages, with_files, said, given_out), made_from, stands, new),
    )


def _made_from(reader: Reader, asked: _Asked) -> str:
    """A hash of all that the pages of an edition depend on: where it is the same, nothing needs to be read."""
    states = [dict(row) for row in reader.rows("status")]
    files_of = None if asked.files_of is None else sorted(asked.files_of)
    given = [reader.edition, dataclasses.asdict(reader.release), states, files_of, rendering.code_version()]
    return hashlib.sha256(json.dumps(given, default=str).encode()).hexdigest()


def _front(new: Path, banners: list[dict[str, str]]) -> Page:
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
    context = {
        "heading": "Editions",
        "area_label": "",
        "edition": "",
        "banners": banners,
        "doors": doors,
        "is_alone": True,
    }
    return Page("index.html", "front.html.j2", LONDON, context)
