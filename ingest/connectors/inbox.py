"""Files that a publisher hands over: an inbox folder, local or mounted, or an object store; and, where agreed, an export behind a key.

A sender may put `manifest.json` beside the files (`Manifest`). What is half-written is left for the next night; every file is landed
once, and stays where it is: the inbox is the sender's. What else stands there (a link, a folder, a pipe) is refused by its name, and
keeps no file back: nobody should think that it came.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fnmatch
import hashlib
import io
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, Offer
from ingest.connectors.file_at_url import check_kind, land_body, refuse_other_file_type
from ingest.declaration import Inbox
from ingest.errors import SHOWN, BodyRefused, PublisherUnavailable, in_one_line
from ingest.landing import Provenance, land, sha256_of
from ingest.naming import is_name_shown, label_by_position
from ingest.readers.corrections import corrections_of
from ingest.readers.faults import some_of
from ingest.readers.tables import open_tables
from ingest.scratch import scratch_folder

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
NO_FILE = "is no file but a pipe, a socket or a device"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Delivered(_Strict):
    """What a sender says of a file: its hash, when the publisher released it, and whether it is invented."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    release_date: dt.date | None = None
    is_synthetic: bool = False


class Manifest(_Strict):
    """`manifest.json` of an inbox folder: `{"files": {"<name>": {"sha256": …, "release_date": …, "is_synthetic": …}}}`."""

    files: dict[str, Delivered] = {}


def list_editions(context: FetchContext) -> list[Offer]:
    """Everything that waits in the inbox, by name, what will be refused too; and the export, where one is agreed and this home has its key.

    Raises:
        BodyRefused: the manifest cannot be read; the inbox cannot be reached.
    """
    location = _location(context)
    offers = []
    if location.download and context.key:
        url = f"{context.base_url.rstrip('/')}/{location.download.lstrip('/')}"
        offers.append(Offer(url, location.download.rpartition("/")[2]))
    store, folder = _folder(context)
    if _is_local(store) and os.path.lexists(folder):
        with _open_folder(context):
            pass  # a link in a folder's place is refused as such, and not file by file of what it leads to
    manifest = _manifest(context, store, folder)
    files = _whole_files(store, folder)
    for name, stamp in sorted(files.items()):
        said = manifest.files.get(name, Delivered())
        mark = f"{stamp} {said.sha256 or ''} {said.release_date or ''}".strip()
        label = label_by_position(context.source.source, _label(context), list(files), name)
        offers.append(
            Offer(f"{_label(context)}/{name}", name, said.release_date, mark, stands_alone=True, shown_as=label)
        )
    return offers


def check(context: FetchContext) -> list[Finding]:
    """Whether the inbox can be read, no folder of it is nobody's, and each file that waits is named and begins as agreed.

    An empty one is no finding.
    """
    try:
        offers = list_editions(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(f"inbox {_label(context)}", refused.problem, refused.code)]
    store, folder = _folder(context)
    names = {offer.file_name for offer in offers}
    absent = sorted(_manifest(context, store, folder).files.keys() - names)
    findings = []
    if absent:
        which = f": {in_one_line(some_of(absent))}" if is_name_shown(context.source.source) else ""
        findings = [Finding(f"{MANIFEST} of {_label(context)}", f"names {len(absent)} that are not there{which}")]
    findings += _unknown_folders(context, store, folder)
    for offer in offers:
        if offer.url.startswith(("http://", "https://")):
            continue  # an export is served whole or not at all; a night asks for it
        asked = offer.label
        info = _info(store, f"{folder}/{offer.file_name}")
        wrong = _not_a_file_because(info, offer.file_name)
        if wrong:
            findings.append(Finding(in_one_line(asked), wrong))
            continue
        with scratch_folder(context.landing) as temporary:
            copy = temporary / "file"
            try:
                with (
                    _open_entry(context, store, info, offer.file_name, offer.label) as origin,
                    copy.open("wb") as target,
                ):
                    shutil.copyfileobj(origin, target, 1024 * 1024)
            except BodyRefused as refused:
                findings.append(Finding(asked, refused.problem, refused.code))
                continue
            sha256, _ = sha256_of(copy)
            found, faults = open_tables(copy, context.dataset.layout, corrections_of(context.source.source, sha256))
        if context.dataset.part_pattern and not re.fullmatch(context.dataset.part_pattern, offer.file_name):
            named = f"has a name that does not say what it is about: {context.dataset.part_pattern}"
            findings.append(Finding(asked, named))
        findings += [Finding(asked, str(fault), fault.code) for fault in faults]
        new = list(dict.fromkeys(name for table in found for name in table.header.unknown)) if not faults else []
        findings += [Finding(asked, f"has a column that is not declared: {name}") for name in new]
    return findings


def _unknown_folders(context: FetchContext, store: Any, folder: str) -> list[Finding]:
    """Folders beside those of the source's datasets: what a sender puts there is never fetched. The first dataset asks for all."""
    if context.name != next(iter(context.source.datasets)):
        return []
    ours = {
        one.location.folder or name for name, one in context.source.datasets.items() if isinstance(one.location, Inbox)
    }
    try:
        found = store.ls(folder.rpartition("/")[0], detail=True)
    except FileNotFoundError:
        return []
    names = {str(info["name"]).rstrip("/").rpartition("/")[2] for info in found if info["type"] == "directory"}
    return [
        Finding(
            label_by_position(context.source.source, f"inbox:{context.source.source}", list(names), name),
            UNKNOWN_FOLDER,
        )
        for name in sorted(names - ours)
    ]


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """Land one file, unless it is what it was at the last fetch.

    Raises:
        BodyRefused: it is not what its manifest says, is too large, or is of the other kind (real, synthetic) than was asked for.
        PublisherUnavailable: the export does not answer.
        Refusal: when it cannot be landed.
    """
    if offer.url.startswith(("http://", "https://")):
        return _download(context, offer)
    store, folder = _folder(context)
    path = f"{folder}/{offer.file_name}"
    info = _info(store, path)
    wrong = _not_a_file_because(info, offer.file_name)
    if wrong:
        raise _not_a_file(offer.label, wrong)
    last = context.last_fetch(offer.url)
    # A copy can keep the size and the time of what it takes the place of; only a store's ETag says that the bytes are the same.
    if (
        last
        and last.etag == offer.mark
        and (_has_content_mark(info) or _sha256(context, store, info, offer) == last.sha256)
    ):
        return Fetched(offer, None, last.etag, None, last.sha256, 0)
    said = _manifest(context, store, folder).files.get(offer.file_name, Delivered())
    check_kind(context, offer, is_synthetic=said.is_synthetic)
    before = _stamp(info)
    with scratch_folder(context.landing) as temporary:
        copy = temporary / "file"
        if info["size"] > context.dataset.max_bytes:
            raise BodyRefused(
                "FILE_TOO_LARGE",
                f"has {info['size']:,} bytes, and a file of this dataset may have {context.dataset.max_bytes:,}",
                where=offer.label,
                kept="nothing was landed; the file is where it was",
                next_step="check that it is the right file; if it has really grown, raise max_bytes in source.yml",
            )
        with _open_entry(context, store, info, offer.file_name, offer.label) as origin, copy.open("wb") as target:
            shutil.copyfileobj(origin, target, 1024 * 1024)
        with copy.open("rb") as handle:
            sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
        if said.sha256 and said.sha256 != sha256:
            raise BodyRefused(
                "HASH_DIFFERS",
                f"its SHA-256 is {sha256} and its manifest says {said.sha256}: it is not whole, or not the file that was sent",
                where=offer.label,
                kept="nothing was landed; the file is where it was",
                next_step="ask the sender for the file again, or for the manifest that goes with it",
            )
        again = _info(store, path)
        if not again or _stamp(again) != before:
            raise _being_written(offer.label)
        provenance = Provenance(
            source=context.source.source,
            dataset=context.name,
            sha256=sha256,
            bytes=copy.stat().st_size,
            file_name=offer.file_name,
            url=offer.url,
            status=None,
            headers={},
            landed_at=context.now,
            licence=context.source.licence,
            attribution=context.source.attribution,
            release_date=said.release_date,
            is_synthetic=said.is_synthetic,
        )
        landed = land(context.landing, copy, provenance)
    refuse_other_file_type(context, offer, landed)
    return Fetched(offer, landed, offer.mark, None, sha256, provenance.bytes)


def _location(context: FetchContext) -> Inbox:
    location = context.dataset.location
    assert isinstance(location, Inbox)  # noqa: S101 - the registry chose this connector by it
    return location


def _label(context: FetchContext) -> str:
    """The folder as provenance and messages name it: without this machine's paths or the store's address."""
    return f"inbox:{context.source.source}/{_location(context).folder or context.name}"


def _folder(context: FetchContext) -> tuple[Any, str]:
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
            where=_label(context),
            kept="nothing was fetched; the last good data stand",
            next_step="check VRU_INBOX_URL; a store other than a folder needs its own package beside fsspec, such as s3fs",
        ) from None
    return store, f"{path.rstrip('/')}/{context.source.source}/{_location(context).folder or context.name}"


def _whole_files(store: fsspec.AbstractFileSystem, folder: str) -> dict[str, str]:
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
        files[name] = (_stamp(info), float(written) if isinstance(written, (int, float)) else 0.0)
    return files


def _holds_anything(store: fsspec.AbstractFileSystem, folder: str) -> bool:
    try:
        return bool(store.ls(folder, detail=False))
    except OSError:
        return True  # it is refused, and so somebody looks


def _info(store: fsspec.AbstractFileSystem, path: str) -> dict[str, Any]:
    """What a store says of one thing in the inbox; nothing where it is gone, or a link that leads nowhere."""
    try:
        return dict(store.info(path))
    except FileNotFoundError:
        return {}


def _not_a_file_because(info: dict[str, Any], name: str) -> str | None:
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


def _has_content_mark(info: dict[str, Any]) -> bool:
    return any(key in info for key in ("ETag", "etag"))


def _not_a_file(label: str, wrong: str) -> BodyRefused:
    return BodyRefused(
        "INBOX_ENTRY_NOT_A_FILE",
        wrong,
        where=label,
        kept="nothing of it was landed; it is where it was",
        next_step="put the file itself, under a plain name, into the dataset's folder, and take this away",
    )


def _being_written(label: str) -> BodyRefused:
    return BodyRefused(
        "CHANGED_WHILE_READ",
        "was being written while it was read",
        where=label,
        kept="nothing was landed; the file is where it was",
        next_step="nothing: the next run takes it once it is whole",
    )


@contextlib.contextmanager
def _open_entry(
    context: FetchContext, store: fsspec.AbstractFileSystem, info: dict[str, Any], name: str, label: str
) -> Iterator[io.BufferedReader]:
    """One file of the inbox, open to be read: the very one that was looked at.

    In a folder a sender may put a link or a pipe in a file's place, or in that of a folder above it, between the look and the opening. No
    link is followed, no pipe is waited for, and what was opened is looked at again by its handle, which nobody can turn to something else.

    Raises:
        BodyRefused: it is no file now, or another one than was looked at.
    """
    if not _is_local(store):
        with store.open(info["name"], "rb") as file:
            yield file
        return
    with _open_folder(context) as folder:
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except OSError as error:
            wrong = {errno.ELOOP: A_LINK, errno.ENOENT: GONE, errno.ENXIO: NO_FILE}.get(error.errno or 0)
            if wrong is None:
                raise
            raise _not_a_file(label, wrong) from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _not_a_file(label, NO_FILE)
        if (found.st_size, found.st_mtime, found.st_ino) != (info["size"], info["mtime"], info["ino"]):
            raise _being_written(label)
        with open(handle, "rb", closefd=False) as file:
            yield file
        # A sender can give a file its size and time of writing back, and not its time of change.
        after = os.fstat(handle)
        if (after.st_size, after.st_mtime_ns, after.st_ctime_ns) != (
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        ):
            raise _being_written(label)
    finally:
        os.close(handle)


def _is_local(store: fsspec.AbstractFileSystem) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(store, LocalFileSystem)


@contextlib.contextmanager
def _open_folder(context: FetchContext) -> Iterator[int]:
    """The dataset's folder of an inbox that is a folder, open: neither it nor the source's above it may be a link to another.

    Raises:
        BodyRefused: one of them is, or is no folder any more.
    """
    _, path = _folder(context)
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
                    where=_label(context),
                    kept="nothing was landed; what lies there is where it was",
                    next_step="put the folder itself there; only the inbox as a whole may be a link (VRU_HOME/inbox) or a mount",
                ) from None
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _sha256(context: FetchContext, store: fsspec.AbstractFileSystem, info: dict[str, Any], offer: Offer) -> str:
    with _open_entry(context, store, info, offer.file_name, offer.label) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(info: dict[str, Any]) -> str:
    written = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified", "last_modified") if key in info), "")
    return f"{info['size']} {written}"


def _manifest(context: FetchContext, store: fsspec.AbstractFileSystem, folder: str) -> Manifest:
    info = _info(store, f"{folder}/{MANIFEST}")
    if not info or info["type"] == "directory":
        return Manifest()  # a folder of that name says nothing of the files, and is refused by itself
    try:
        if info.get("islink") or info["type"] != "file":
            raise ValueError
        with _open_entry(context, store, info, MANIFEST, f"{_label(context)}/{MANIFEST}") as file:
            return Manifest.model_validate(json.loads(file.read(LONGEST_MANIFEST)))
    except (ValueError, ValidationError, RecursionError) as error:
        wrong = (
            # A key of it may be the name of a file, or whatever a sender wrote.
            "; ".join(dict.fromkeys(e["msg"] for e in error.errors()[:SHOWN]))
            if isinstance(error, ValidationError)
            else _not_a_file_because(info, MANIFEST) or "it is not JSON"
        )
        raise BodyRefused(
            "MANIFEST_INVALID",
            f"the manifest cannot be read: {wrong}",
            where=f"{_label(context)}/{MANIFEST}",
            kept="nothing was landed; the files are where they were",
            next_step="ask the sender for a manifest in the form that ingest/sources/safestats/README.md gives",
        ) from None


def _download(context: FetchContext, offer: Offer) -> Fetched:
    # The client sends headers to the hosts that the source declares and to no other, redirects included.
    headers = {"Authorization": f"Bearer {context.key}"}
    last = context.last_fetch(offer.url)
    if last and last.etag:
        headers["If-None-Match"] = last.etag
    with scratch_folder(context.landing) as folder:
        body = context.client.fetch(offer.url, folder, max_bytes=context.dataset.max_bytes, validators=headers)
        if body.file is None:
            if last is None:
                raise BodyRefused(
                    "ANSWER_NOT_AS_AGREED",
                    "says that nothing has changed since a fetch that never happened",
                    where=offer.url,
                )
            return Fetched(offer, None, last.etag, last.last_modified, last.sha256, 0)
        landed = land_body(context, offer, body)
    return Fetched(offer, landed, body.headers.get("ETag"), body.headers.get("Last-Modified"), body.sha256, body.bytes)
