"""The inbox as a folder or an object store: what waits in it, opened so that no sender can put something else in its place."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fnmatch
import hashlib
import io
import json
import os
import stat
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.connectors.fetch_context import FetchContext, Offer
from ingest.declaration import Inbox
from ingest.errors import SHOWN, BodyRefused

if TYPE_CHECKING:
    import fsspec

MANIFEST = "manifest.json"
# How the names of files look that a sender has not finished, and of those that are no delivery.
UNFINISHED = (".*", "~$*", "*.part", "*.partial", "*.filepart", "*.tmp", "*.crdownload", "*.writing", "*.lock", "*.swp")
LONGEST_MANIFEST = 1024**2  # bytes
SETTLED_AFTER = 10.0  # seconds: a file last written longer ago is whole; a younger one is looked at twice
PAUSE = 1.0  # seconds between the two looks

# What something in the inbox is that is no file to be fetched.
GONE = "is a link that leads nowhere, or is no longer there"
A_LINK = "is a link, and links are not followed: what they lead to is not the sender's to give"
UNKNOWN_FOLDER = "is a folder that no dataset is read from"
NO_FILE = "is a pipe, a socket or a device, not a file"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Delivered(_Strict):
    """What a sender says of a file: its hash, when the publisher published it, and whether it is invented."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    release_date: dt.date | None = None
    is_synthetic: bool = False


class Manifest(_Strict):
    """`manifest.json` of an inbox folder: `{"files": {"<name>": {"sha256": …, "release_date": …, "is_synthetic": …}}}`."""

    files: dict[str, Delivered] = {}


def location_of(context: FetchContext) -> Inbox:
    """The inbox that a dataset declares."""
    location = context.dataset.location
    assert isinstance(location, Inbox)  # noqa: S101 - the registry chose this connector by it
    return location


def label_of_folder(context: FetchContext) -> str:
    """The folder as provenance and messages name it: without this machine's paths or the store's address."""
    return f"inbox:{context.source.source}/{location_of(context).folder or context.name}"


def open_store(context: FetchContext) -> tuple[Any, str]:
    """The store that holds the inbox, and the dataset's folder in it.

    Raises:
        BodyRefused: it cannot be reached.
    """
    from fsspec.core import url_to_fs

    # Stand-ins write to this machine; a store that holds real files is never asked for invented ones.
    root = context.inbox_url if context.inbox_url and not context.must_be_synthetic else str(context.inbox)
    try:
        store, path = url_to_fs(root)
        store.invalidate_cache()
    except (ImportError, ValueError, OSError) as error:
        raise BodyRefused(
            "INBOX_AWAY",
            f"the inbox cannot be reached ({type(error).__name__}: {str(error).splitlines()[0][:200]})",
            where=label_of_folder(context),
            kept="nothing was fetched; the last good data stand",
            next_step="check VRU_INBOX_URL; a store other than a folder needs its own package beside fsspec, such as s3fs",
        ) from None
    return store, f"{path.rstrip('/')}/{context.source.source}/{location_of(context).folder or context.name}"


def whole_files(store: fsspec.AbstractFileSystem, folder: str) -> dict[str, str]:
    """Name and stamp of each file of a folder that nobody is writing; none where there is no folder."""
    first = _listed(store, folder)
    now = time.time()
    if any(now - written < SETTLED_AFTER for _, written in first.values()):
        time.sleep(PAUSE)
        second = _listed(store, folder)
        first = {name: seen for name, seen in first.items() if second.get(name) == seen}
    return {name: stamp for name, (stamp, _) in first.items()}


def _listed(store: fsspec.AbstractFileSystem, folder: str) -> dict[str, tuple[str, float]]:
    try:
        found = store.ls(folder, detail=True)
    except FileNotFoundError:
        return {}
    files = {}
    for info in found:
        path = str(info["name"]).rstrip("/")
        name = path.rpartition("/")[2]
        if path == folder or any(fnmatch.fnmatch(name.lower(), p) for p in UNFINISHED):
            continue  # some stores list the folder itself
        if name == MANIFEST and info["type"] == "file":
            continue
        if info["type"] == "directory" and name != MANIFEST and not _holds_anything(store, path):
            continue
        written = info.get("mtime")
        # A store's objects appear whole; only a folder's files grow.
        files[name] = (stamp_of(info), float(written) if isinstance(written, (int, float)) else 0.0)
    return files


def _holds_anything(store: fsspec.AbstractFileSystem, folder: str) -> bool:
    try:
        return bool(store.ls(folder, detail=False))
    except OSError:
        return True  # it is refused, and so somebody looks


def info_of(store: fsspec.AbstractFileSystem, path: str) -> dict[str, Any]:
    """What a store says of one thing in the inbox; nothing where it is gone, or a link that leads nowhere."""
    try:
        return dict(store.info(path))
    except FileNotFoundError:
        return {}


def not_a_file_because(info: dict[str, Any], name: str) -> str | None:
    """Why something in the inbox is no file to be fetched, or None."""
    if not info:
        return GONE
    if info.get("islink"):
        return A_LINK
    if info["type"] == "directory":
        return "is a folder, and nothing in it is read"
    if info["type"] != "file":
        return NO_FILE
    if not name.isprintable():
        return "has a name that is not plain text: it holds a line end, a tab, another control character or a byte that is not UTF-8"
    return None


def has_content_mark(info: dict[str, Any]) -> bool:
    """Whether a store says by a mark of its own that bytes are the same."""
    return any(key in info for key in ("ETag", "etag"))


def not_a_file(label: str, wrong: str) -> BodyRefused:
    """The refusal of what is no file, to be raised."""
    return BodyRefused(
        "INBOX_ENTRY_NOT_A_FILE",
        wrong,
        where=label,
        kept="nothing of it was landed; it is where it was",
        next_step="put the file itself, under a plain name, into the dataset's folder, and take this away",
    )


def being_written(label: str) -> BodyRefused:
    """The refusal of a file that changed while it was read, to be raised."""
    return BodyRefused(
        "CHANGED_WHILE_READ",
        "was being written while it was read",
        where=label,
        kept="nothing was landed; the file is where it was",
        next_step="nothing: the next run takes it once it is whole",
    )


@contextlib.contextmanager
def open_entry(
    context: FetchContext, store: fsspec.AbstractFileSystem, info: dict[str, Any], name: str, label: str
) -> Iterator[io.BufferedReader]:
    """One file of the inbox, open to be read: the very one that was looked at.

    In a folder a sender may put a link or a pipe in a file's place, or in that of a folder above it, between the look and the opening. No
    link is followed, no pipe is waited for, and what was opened is looked at again by its handle, which nobody can turn to something else.

    Raises:
        BodyRefused: it is no file now, or another one than was looked at.
    """
    if not is_local(store):
        with store.open(info["name"], "rb") as file:
            yield file
        return
    with open_folder(context) as folder:
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            wrong = {errno.ELOOP: A_LINK, errno.ENOENT: GONE, errno.ENXIO: NO_FILE}.get(error.errno or 0)
            if wrong is None:
                raise
            raise not_a_file(label, wrong) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise not_a_file(label, NO_FILE)
        if (found.st_size, found.st_mtime, found.st_ino) != (info["size"], info["mtime"], info["ino"]):
            raise being_written(label)
        with open(handle, "rb", closefd=False) as file:
            yield file
        # A sender can give a file its size and time of writing back, and not its time of change.
        after = os.fstat(handle)
        if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) != (
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        ):
            raise being_written(label)
    finally:
        os.close(handle)


def is_local(store: fsspec.AbstractFileSystem) -> bool:
    """Whether the inbox is a folder of this machine."""
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(store, LocalFileSystem)


@contextlib.contextmanager
def open_folder(context: FetchContext) -> Iterator[int]:
    """The dataset's folder of an inbox that is a folder, open: neither it nor the source's above it may be a link to another.

    Raises:
        BodyRefused: one of them is, or is no folder any more.
    """
    _, path = open_store(context)
    *above, source, dataset = path.rsplit("/", 2)
    handle = os.open("/".join(above), os.O_RDONLY | os.O_DIRECTORY)  # the inbox itself is ours, and may lie anywhere
    try:
        for step in (source, dataset):
            try:
                below = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.ENOENT):
                    raise
                raise BodyRefused(
                    "INBOX_ENTRY_NOT_A_FILE",
                    f"its folder {step} is {'no longer there' if error.errno == errno.ENOENT else 'a link, and links are not followed'}",
                    where=label_of_folder(context),
                    kept="nothing was landed; what lies there is where it was",
                    next_step="put the folder itself there; only the inbox as a whole may be a link (VRU_HOME/inbox) or a mount",
                ) from None
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def sha256_of_entry(context: FetchContext, store: fsspec.AbstractFileSystem, info: dict[str, Any], offer: Offer) -> str:
    """The hash of a file of the inbox as it is now."""
    with open_entry(context, store, info, offer.file_name, offer.label) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp_of(info: dict[str, Any]) -> str:
    """Size and mark or time of writing: another says that it is not the same file any more."""
    written = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified", "last_modified") if key in info), "")
    return f"{info['size']} {written}"


def read_manifest(context: FetchContext, store: fsspec.AbstractFileSystem, folder: str) -> Manifest:
    """What the sender says of the files; empty where there is no manifest.

    Raises:
        BodyRefused: it cannot be read.
    """
    info = info_of(store, f"{folder}/{MANIFEST}")
    if not info or info["type"] == "directory":
        return Manifest()  # a folder of that name says nothing of the files, and is refused by itself
    try:
        if info.get("islink") or info["type"] != "file":
            raise ValueError
        with open_entry(context, store, info, MANIFEST, f"{label_of_folder(context)}/{MANIFEST}") as file:
            return Manifest.model_validate(json.loads(file.read(LONGEST_MANIFEST)))
    except (ValueError, ValidationError, RecursionError) as error:
        wrong = (
            # A key of it may be the name of a file, or whatever a sender wrote.
            "; ".join(dict.fromkeys(e["msg"] for e in error.errors()[:SHOWN]))
            if isinstance(error, ValidationError)
            else not_a_file_because(info, MANIFEST) or "it is not JSON"
        )
        raise BodyRefused(
            "MANIFEST_INVALID",
            f"the manifest cannot be read: {wrong}",
            where=f"{label_of_folder(context)}/{MANIFEST}",
            kept="nothing was landed; the files are where they were",
            next_step="ask the sender for a manifest in the form that ingest/sources/safestats/README.md gives",
        ) from None
