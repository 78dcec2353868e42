"""Building the site of one release: put in its place whole, and only the pages whose figures have changed."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
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
UNFINISHED = "unfinished"  # in place of a hash: the next build tries again
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
        Refusal: a figure cannot be drawn: its pack stands as it was, and every other page is of the release; or release or folder are not as they
            should be, and the site that stands is as it was.
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
        parts.append(_write(alone, "", {"release_id": shown, "published": "", "published_at": ""}, out, new.path))
        new.is_wanted = any(part.rendered for part in parts) or folder.pages_of(out) != folder.pages_of(new.path)
    failures = [failure for part in parts for failure in part.failures]
    if failures:
        raise _refusal(failures, shown)
    return Built(out / "index.html", shown, sum(part.rendered for part in parts), sum(part.kept for part in parts))


@dataclasses.dataclass(frozen=True)
class _Part:
    release_id: int
    rendered: int
    kept: int
    failures: list[Refusal]


def _refusal(failures: list[Refusal], release_id: int) -> Refusal:
    """One refusal of all figures that cannot be shown, by their packs."""
    more = f"; and {len(failures) - 1} more figures" if len(failures) > 1 else ""
    return Refusal(
        failures[0].code,
        f"{failures[0].problem}{more}",
        kept=f"their packs as they were; every other page is of release {release_id}",
        next_step="read the log of the site's run; the next build tries again",
    )


def _edition(settings: Settings, edition: str, release_id: int | None, stands: Path, new: Path, echo: Echo) -> _Part:
    before = folder.read_manifest(stands)
    with reading(settings, edition, release_id) as (connection, release, is_current):
        boroughs = areas.boroughs(connection, edition)
        reader = Reader(connection, edition, release, is_current=is_current, areas=[*boroughs, LONDON])
        made_from = _made_from(reader)
        if before is not None and before.made_from == made_from and folder.is_whole(stands, before):
            folder.link_tree(stands, new)
            return _Part(release.release_id, 0, len(before.pages), [])
        echo(f"{edition} edition: reading release {release.release_id}")
        given = packs.shared(reader)
        pages = [page for area in boroughs for page in packs.pack(reader, area, given)]
        pages.append(overview.overview_page(reader, boroughs, given))
        if edition == "partner":
            pages += [overview.compare_page(reader, given), sources_page(reader, given)]
        said = packs.release_said(reader)
    echo(f"{edition} edition: {len(pages)} pages")
    return _write(pages, made_from, said, stands, new)


def _write(pages: list[Page], made_from: str, said: dict[str, Any], stands: Path, new: Path) -> _Part:
    """Write the pages whose figures have changed, and have the others stand in the new folder as they are.

    Of a pack that has a figure which cannot be shown, what stands is kept whole, where there is one.
    """
    before = folder.read_manifest(stands)
    code = rendering.code_version()
    listed: dict[str, tuple[str, list[str]]] = {}
    kept = 0
    failures: list[Refusal] = []
    behind: list[str] = []
    for name, group in itertools.groupby(pages, _pack_of):
        written: dict[str, tuple[str, list[str]]] = {}
        failed: list[Refusal] = []
        for given in group:
            page = dataclasses.replace(given, context={**given.context, "behind": list(behind)}) if not name else given
            page_hash = page.hash(code)
            known = before.pages.get(page.path) if before else None
            if known and known[0] == page_hash and all((stands / file).is_file() for file in known[1]):
                _link(known[1], stands, new)
                written[page.path] = known
                kept += 1
            else:
                files, refused = rendering.write(page, new, said)
                written[page.path] = (UNFINISHED if refused else page_hash, files)
                failed += refused
        if failed and before and (standing := {path: before.pages[path] for path in written if path in before.pages}):
            for _, files in written.values():
                for file in files:
                    (new / file).unlink()
            for _, files in standing.values():
                _link(files, stands, new)
            written = {path: (UNFINISHED, files) for path, (_, files) in standing.items()}
        listed |= written
        failures += failed
        behind += [given.area.name] if failed and name else []
    rendering.write_static(new)
    folder.write_manifest(new, Manifest(UNFINISHED if failures else made_from, said["release_id"], listed))
    return _Part(said["release_id"], len(pages) - kept, kept, failures)


def _pack_of(page: Page) -> str:
    """The pack that a page is of; empty for one of no pack."""
    return page.path.rpartition("/")[0]


def _link(files: list[str], stands: Path, new: Path) -> None:
    for file in files:
        folder.link(stands / file, new / file)


def _made_from(reader: Reader) -> str:
    """A hash of all that the pages of an edition depend on: where it is the same, nothing needs to be read."""
    states = [dict(row) for row in reader.rows("status")]
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
