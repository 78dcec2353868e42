"""Writing an edition by difference: what has not changed is linked, and a pack that cannot be shown whole stands as it was."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
from warehouse.site import folder, rendering, workers
from warehouse.site.folder import Listed, Manifest
from warehouse.site.rendering import Page
from warehouse.site.takeaway import files
from warehouse.site.takeaway.content import Pack
from warehouse.site.takeaway.folders import Folder

UNFINISHED = "unfinished"  # in place of a hash: the next build tries again


@dataclasses.dataclass(frozen=True)
class Drawn:
    """What an edition is to be, in memory: its pages, the packs that have files, what it says of the release, and folders that it gives out."""

    pages: list[Page]
    packs: list[Pack]
    said: dict[str, Any]
    folders: tuple[Folder, ...] = ()


@dataclasses.dataclass(frozen=True)
class Part:
    """What became of an edition: pages and files written, pages kept, and the figures that could not be shown."""

    rendered: int
    kept: int
    files: int = 0
    failures: tuple[Refusal, ...] = ()


def write(drawn: Drawn, made_from: str, stands: Path, new: Path) -> Part:
    """Write the pages and files whose figures have changed, and have the others stand in the new folder as they are.

    Of a pack that has a figure which cannot be shown, or a file which cannot be written, what stands is kept whole, where there is one.

    Args:
        made_from: a hash of all that the edition depends on.
        stands, new: its folder in the site that stands, and in the one that is put together.

    Raises:
        Refusal: a folder that is given out as a whole cannot be written.
    """
    before = folder.read_manifest(stands) or Manifest("", 0, {})
    pages = _Pages(drawn.said, before, stands, new)
    pages.write([page for page in drawn.pages if _pack_of(page)])
    takeaway, written = _write_files(drawn, pages, before, stands, new)
    # Last, since they say which packs are behind.
    pages.write([_with(page, behind=list(pages.behind.values())) for page in drawn.pages if not _pack_of(page)])
    rendering.write_static(new)
    made = UNFINISHED if pages.failures else made_from
    folder.write_manifest(new, Manifest(made, drawn.said["release_id"], pages.listed, takeaway))
    return Part(len(drawn.pages) - pages.kept, pages.kept, written, tuple(pages.failures))


def _pack_of(page: Page) -> str:
    """The pack that a page is of; empty for one of no pack."""
    return page.path.rpartition("/")[0]


class _Pages:
    """The pages of an edition as they are written, pack by pack.

    Attributes:
        listed: by address, each page's hash and files.
        hashes: what each page's hash is by what it shows, whether it could be drawn or not.
        behind: areas of the packs that stand as they were, by folder.
    """

    def __init__(self, said: dict[str, Any], before: Manifest, stands: Path, new: Path) -> None:
        self._said, self._before, self._stands, self._new = said, before, stands, new
        self._code = rendering.code_version()
        self.listed: Listed = {}
        self.hashes: dict[str, str] = {}
        self.kept = 0
        self.failures: list[Refusal] = []
        self.behind: dict[str, str] = {}

    def write(self, given: list[Page]) -> None:
        """Write pages, those of a pack beside one another; of a pack that cannot be shown whole what stands is put in its place."""
        changed = [page for page in given if not self._keep(page)]
        drawn = workers.each(lambda page: rendering.write(page, self._new, self._said), changed)
        made = {page.path: one for page, one in zip(changed, drawn, strict=True)}
        for name, group in itertools.groupby(given, _pack_of):
            pages = list(group)
            written: Listed = {}
            failed: list[Refusal] = []
            for page in pages:
                if page.path in made:
                    listed, refused = made[page.path]
                    written[page.path] = (UNFINISHED if refused else self.hashes[page.path], listed)
                    failed += refused
                else:
                    written[page.path] = self._before.pages[page.path]
            if failed and name:
                written = self._as_it_stood(written)
                self.behind[name] = pages[0].area.name
            self.listed |= written
            self.failures += failed

    def _keep(self, page: Page) -> bool:
        """Have a page that has not changed stand in the new folder; false of one that has to be written."""
        wanted = self.hashes[page.path] = page.hash(self._code)
        known = self._before.pages.get(page.path)
        is_kept = folder.link_listed(self._stands, self._new, self._before, known, wanted)
        self.kept += is_kept
        return is_kept

    def without_files(self, pack: Pack, failed: dict[str, Refusal]) -> bool:
        """Put a pack as it stood in the place of one of which files could not be written; where none stood, its pages stay without links to them.

        Args:
            failed: the refusals, by the files' names.

        Returns:
            Whether the pack that stood is there.
        """
        self.failures += failed.values()
        mine = {page.path: self.listed[page.path] for page in pack.pages}
        standing = self._as_it_stood(mine)
        self.listed |= standing
        if standing is not mine:
            self.behind[pack.area.slug] = pack.area.name
            return True
        for page in pack.pages:
            if page.context["files"]:
                left = [one for one in page.context["files"] if one["name"] not in failed]
                made, _ = rendering.write(_with(page, files=left), self._new, self._said)
                self.listed[page.path] = (UNFINISHED, made)
        return False

    def _as_it_stood(self, written: Listed) -> Listed:
        """Put the pack that stands in the place of the pages that were written; these stay where none stands."""
        standing = {path: self._before.pages[path] for path in written if path in self._before.pages}
        if not standing:
            return written
        for _, made in written.values():
            for file in made:
                (self._new / file).unlink()
        for _, made in standing.values():
            for file in made:
                folder.link(self._stands / file, self._new / file)
        return {path: (UNFINISHED, made) for path, (_, made) in standing.items()}


def _with(page: Page, **context: Any) -> Page:
    """The page with something else in its context."""
    return dataclasses.replace(page, context={**page.context, **context})


def _write_files(drawn: Drawn, pages: _Pages, before: Manifest, stands: Path, new: Path) -> tuple[Listed, int]:
    """Write the files to take away, as the pages: those of an area whose pages have changed, and folders of what is new.

    Returns:
        What the manifest lists of them, and how many were written.
    """
    listed: Listed = {}
    changed = []
    written = 0
    for pack in drawn.packs:
        known = before.takeaway.get(pack.area.slug)
        is_behind = pack.area.slug in pages.behind
        wanted = known[0] if known and is_behind else files.hash_of(pack, pages.hashes)
        if known and folder.link_listed(stands, new, before, known, wanted):
            listed[pack.area.slug] = known
        elif not is_behind:
            changed.append(pack)
            listed[pack.area.slug] = (wanted, files.paths(pack))
            written += len(files.paths(pack))
    failures = files.write_all(changed, new)
    for pack in changed:
        if failed := failures.get(pack.area.slug):
            _keep_files(pack, failed, listed, pages, before, stands, new)
    for one in drawn.folders:
        known = before.takeaway.get(one.name)
        if known and folder.link_listed(stands, new, before, known, one.hash):
            listed[one.name] = known
        else:
            one.write(new / one.name)
            listed[one.name] = (one.hash, [f"{one.name}/{file}" for file in folder.pages_of(new / one.name)])
            written += len(listed[one.name][1])
    return listed, written


def _keep_files(
    pack: Pack, failed: dict[str, Refusal], listed: Listed, pages: _Pages, before: Manifest, stands: Path, new: Path
) -> None:
    """Have the files that stood be in the place of a pack's, of which some could not be written; where none stood, those that could be."""
    slug = pack.area.slug
    made = [path for path in files.paths(pack) if (new / path).is_file()]
    if pages.without_files(pack, failed):
        for path in made:
            (new / path).unlink()
        made = before.takeaway.get(slug, (UNFINISHED, []))[1]
        made = [path for path in made if (stands / path).is_file()]
        for path in made:
            folder.link(stands / path, new / path)
    listed[slug] = (UNFINISHED, made)
