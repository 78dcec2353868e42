"""The folder of a site: put together beside the one that stands, and put in its place whole."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
from warehouse.site.model import MARKINGS

MANIFEST = "manifest.json"
BY_HAND = "a pack by hand"  # what a pack that is written by hand says that it was made from
# By a page's address, or what files are of: the hash that they were made from, and the files.
Listed = dict[str, tuple[str, list[str]]]


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What an edition was made of.

    Attributes:
        made_from: a hash of the release, the state of the datasets and the code; where it is the same, so is every page.
        release_id: the release that the edition was built from last.
        pages: by address, the page's hash and its files.
        takeaway: by what they are of, the hash of files to take away, and the files.
        digests: of each file, of the bytes that were written.
    """

    made_from: str
    release_id: int
    pages: Listed
    takeaway: Listed = dataclasses.field(default_factory=dict)
    digests: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """Every file that it lists."""
        return [file for _, files in (*self.pages.values(), *self.takeaway.values()) for file in files]


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an edition that stands; None where there is none, or none that can be read."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        pages, takeaway = (
            {name: (given["hash"], list(given["files"])) for name, given in found[part].items()}
            for part in ("pages", "takeaway")
        )
        return Manifest(found["made_from"], found["release_id"], pages, takeaway, dict(found["digests"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write an edition's manifest, with the digest of each file as it lies in the folder."""
    digests = {file: _digest(folder / file) for file in sorted({*manifest.files})}
    parts = {
        part: {name: {"hash": given[0], "files": given[1]} for name, given in sorted(listed.items())}
        for part, listed in (("pages", manifest.pages), ("takeaway", manifest.takeaway))
    }
    text = json.dumps(
        {"made_from": manifest.made_from, "release_id": manifest.release_id, **parts, "digests": digests}, indent=1
    )
    (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


@dataclasses.dataclass
class Replacement:
    """A folder that is to take another's place.

    Attributes:
        path: where it is put together.
        is_wanted: whether it is to take the place; false where nothing in it is new.
    """

    path: Path
    is_wanted: bool = True


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Replacement]:
    """A new folder beside this one, which takes its place when the block ends well and goes when it does not.

    A crash leaves the folder that stands as it was; what a crashed build left beside it is removed by the next.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second build beside it waits, and finds what the first has built
        yield from _replacing(folder)
    finally:
        os.close(lock)


def _replacing(folder: Path) -> Iterator[Replacement]:
    put_back(folder)
    new = Replacement(Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent)))
    try:
        new.path.chmod(0o777 & ~_umask())
        yield new
        if new.is_wanted:
            if folder.exists():
                folder.rename(_old(folder))
            new.path.rename(folder)
    finally:
        shutil.rmtree(new.path, ignore_errors=True)
        put_back(folder)


def put_back(folder: Path) -> None:
    """Put a folder back that was moved away by a build which ended before it put the new one in its place; remove what builds left."""
    old = _old(folder)
    if old.exists():
        if folder.exists():
            shutil.rmtree(old)
        else:
            old.rename(folder)
    for left in folder.parent.glob(f".{folder.name}.new-*"):
        shutil.rmtree(left, ignore_errors=True)


def pages_of(folder: Path) -> list[str]:
    """Every page and file of a folder, by address."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def is_whole(folder: Path, manifest: Manifest) -> bool:
    """Whether every file that the manifest lists stands as it was written."""
    return all(_stands(folder, file, manifest) for file in manifest.files)


def _stands(folder: Path, file: str, manifest: Manifest) -> bool:
    return (folder / file).is_file() and _digest(folder / file) == manifest.digests.get(file)


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=8).hexdigest()


def link_listed(stands: Path, new: Path, before: Manifest, known: tuple[str, list[str]] | None, wanted: str) -> bool:
    """Have the files of a listing stand in a second folder, where they are what is wanted and as they were written.

    Args:
        before: the manifest of the folder that stands.
        known: the hash that the files were made from, and the files; None where there are none.
        wanted: the hash that they would be made from now.

    Returns:
        Whether they do; else they have to be written.
    """
    if known is None or known[0] != wanted or not all(_stands(stands, file, before) for file in known[1]):
        return False
    for file in known[1]:
        link(stands / file, new / file)
    return True


def link(file: Path, new: Path) -> None:
    """Have a file stand in a second place without copying it; copy it where the disk cannot."""
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, new)
    except OSError:
        shutil.copy2(file, new)


def link_tree(folder: Path, new: Path) -> None:
    """Have every file of a folder stand in a second one."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            link(file, new / file.relative_to(folder))


def share(folder: Path) -> None:
    """Have figures' files of rows that are the same stand on the disk once: three charts of one query have the same."""
    seen: dict[bytes, Path] = {}
    for file in sorted(folder.rglob("data/*.csv")):
        first = seen.setdefault(hashlib.sha256(file.read_bytes()).digest(), file)
        if not first.samefile(file):
            file.unlink()
            link(first, file)


def _old(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.old"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check(folder: Path, *, is_pack: bool = False) -> None:
    """See that a folder may be replaced: it is not there, is empty, or a build of ours made all that is in it.

    Args:
        is_pack: by a pack that is written by hand; else by a site.

    Raises:
        Refusal: it holds something else.
    """
    if folder.exists() and not (folder.is_dir() and _other_entries(folder, is_pack=is_pack) == []):
        other = ", ".join(_other_entries(folder, is_pack=is_pack)[:5]) if folder.is_dir() else folder.name
        raise Refusal(
            "EXPORT_FOLDER_TAKEN",
            f"the folder holds what no build of {'a pack' if is_pack else 'a site'} made: {other}",
            where=str(folder),
            kept="it as it was",
            next_step="name a new folder, or move this one away",
        )


def _other_entries(folder: Path, *, is_pack: bool) -> list[str]:
    """What lies in a folder and was not put there by a build of this kind."""
    there = sorted(entry.name for entry in folder.iterdir())
    manifest = read_manifest(folder)
    if manifest is None or (manifest.made_from == BY_HAND) != is_pack:
        return there
    ours = {Path(file).parts[0] for file in manifest.files} | {MANIFEST, "static"} | (set() if is_pack else {*MARKINGS})
    return [name for name in there if name not in ours]
