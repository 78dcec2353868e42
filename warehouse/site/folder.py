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

MANIFEST = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What an edition was made of.

    Attributes:
        made_from: a hash of the release, the state of the datasets and the code; where it is the same, so is every page.
        release_id: the release that the edition was built from last.
        pages: by address, the page's hash and its files.
        takeaway: by what they are of, the hash of files to take away, and the files.
    """

    made_from: str
    release_id: int
    pages: dict[str, tuple[str, list[str]]]
    takeaway: dict[str, tuple[str, list[str]]] = dataclasses.field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of an edition that stands; None where there is none, or none that can be read."""
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        pages, takeaway = (
            {name: (given["hash"], list(given["files"])) for name, given in found[part].items()}
            for part in ("pages", "takeaway")
        )
        return Manifest(found["made_from"], found["release_id"], pages, takeaway)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write an edition's manifest."""
    parts = {
        part: {name: {"hash": given[0], "files": given[1]} for name, given in sorted(listed.items())}
        for part, listed in (("pages", manifest.pages), ("takeaway", manifest.takeaway))
    }
    text = json.dumps({"made_from": manifest.made_from, "release_id": manifest.release_id, **parts}, indent=1)
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
    """Whether every file that the manifest lists stands."""
    listed = [*manifest.pages.values(), *manifest.takeaway.values()]
    return all((folder / file).is_file() for _, files in listed for file in files)


def link_listed(stands: Path, new: Path, known: tuple[str, list[str]] | None, wanted: str) -> bool:
    """Have the files of a listing stand in a second folder, where they are what is wanted and none is lost.

    Args:
        known: the hash that the files were made from, and the files; None where there are none.
        wanted: the hash that they would be made from now.

    Returns:
        Whether they do; else they have to be written.
    """
    if known is None or known[0] != wanted or not all((stands / file).is_file() for file in known[1]):
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


def check(folder: Path) -> None:
    """See that a folder may be replaced: it is not there, is empty, or a build of ours made it.

    Raises:
        Refusal: it holds something else.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _is_ours(folder))):
        raise Refusal(
            "EXPORT_FOLDER_TAKEN",
            "the folder for the site holds something that no build of a site made",
            where=str(folder),
            kept="it as it was",
            next_step="name a new folder, or move this one away",
        )


def _is_ours(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or any(
        (folder / edition / MANIFEST).is_file() for edition in ("open", "partner")
    )
