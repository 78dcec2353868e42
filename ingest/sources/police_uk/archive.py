"""police.uk's monthly archive: which one is the newest, and its members read where they lie.

Where the server knows no Range the whole archive is taken, and its MD5 checked.
"""

from __future__ import annotations

import dataclasses
import hashlib
import html
import io
import re
import zipfile
from typing import IO
from urllib.parse import urljoin

from ingest.connectors.fetch_context import FetchContext, Offer
from ingest.connectors.file_at_url import land_body
from ingest.errors import BodyRefused
from ingest.http import KEPT, Client, RangeNotSupported
from ingest.readers.text import ZIP
from ingest.scratch import scratch_folder

INDEX = "/data/archive/"
_ARCHIVE = re.compile(r"""href\s*=\s*["']?([^"'\s>]*?(\d{4}-(?:0[1-9]|1[0-2]))\.zip)""")
_MD5 = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])")
ARCHIVE_MAX = 6 * 1024**3  # bytes: 1.6 GB in 2026
_AHEAD = 512 * 1024  # bytes read at the end at first: the directory of 5,000 members has about as many
_DIRECTORY_MAX = 32 * 1024 * 1024
_MEMBERS_MAX = 100_000
_RATIO_MAX = 200  # text of this kind shrinks to a fifth; a thousandth is no text
_ENCRYPTED = 0x1
BLOCK = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Listed:
    """An archive as the index page lists it: its address, its newest month (YYYY-MM) and its MD5."""

    url: str
    month: str
    md5: str


@dataclasses.dataclass
class Archive:
    listed: Listed
    zip: zipfile.ZipFile
    file: _Remote | None  # None: the archive was taken whole
    is_synthetic: bool


def newest_archive(context: FetchContext) -> Listed:
    url = urljoin(context.base_url, INDEX)
    page, _ = context.client.text(url)
    found = list(_ARCHIVE.finditer(page))
    archives = []
    for this, following in zip(found, [*found[1:], None], strict=False):
        # The MD5 stands after the link it belongs to and before the next.
        md5 = _MD5.search(page, this.end(), following.start() if following else len(page))
        if md5 is not None:
            archives.append(Listed(urljoin(url, html.unescape(this[1])), this[2], md5[0].lower()))
    if not archives:
        raise BodyRefused(
            "ANSWER_NOT_AS_AGREED",
            "the page lists no archive (a link to YYYY-MM.zip followed by its MD5)",
            where=url,
            kept=KEPT,
            next_step="compare the page with ingest/sources/police_uk/README.md",
        )
    return max(archives, key=lambda archive: archive.month)


def open_archive(context: FetchContext, listed: Listed) -> Archive:
    try:
        return open_in_parts(context, listed)
    except RangeNotSupported:
        return _whole(context, listed)


def open_in_parts(context: FetchContext, listed: Listed) -> Archive:
    """The archive, read by Range. Raises RangeNotSupported."""
    remote = _Remote(context.client, listed.url, ARCHIVE_MAX)
    return Archive(listed, _as_zip(remote, listed.url), remote, remote.is_synthetic)


def _whole(context: FetchContext, listed: Listed) -> Archive:
    """The whole archive, checked against its MD5, in a file that is gone when it is closed."""
    with scratch_folder(context.landing) as folder:
        body = context.client.fetch(listed.url, folder, max_bytes=ARCHIVE_MAX)
        assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
        file = body.file.open("rb")
        if body.bytes <= context.dataset.max_bytes and file.read(len(ZIP)) != ZIP:
            # A page in place of the archive is kept, as every dataset's are.
            land_body(context, Offer(listed.url, f"{listed.month}.html"), body)
        file.seek(0)
    md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != listed.md5:
        file.close()
        raise archive_refused("HASH_DIFFERS", f"has the MD5 {md5} and the page says {listed.md5}", listed.url)
    return Archive(listed, _as_zip(file, listed.url), None, body.is_synthetic)


def _as_zip(file: IO[bytes] | _Remote, url: str) -> zipfile.ZipFile:
    try:
        found = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise archive_refused("ARCHIVE_DAMAGED", f"is not a zip archive: {error}", url) from None
    return found


def our_members(archive: Archive, context: FetchContext) -> list[zipfile.ZipInfo]:
    """Our members, the oldest month first.

    Raises:
        BodyRefused: naming the member that no archive of theirs would hold, or what is there where none is ours.
    """
    url = archive.listed.url
    infos = archive.zip.infolist()
    if len(infos) > _MEMBERS_MAX:
        raise archive_refused("ARCHIVE_UNSAFE", f"holds {len(infos):,} members", url)
    for info in infos:
        if info.filename.startswith("/") or ".." in info.filename.split("/") or "\\" in info.orig_filename:
            raise archive_refused(
                "ARCHIVE_UNSAFE", f"holds a member whose name leads out of its folder: {info.orig_filename!r}", url
            )
    ours = [info for info in infos if _is_ours(info.filename, context)]
    names = [info.filename for info in ours]
    for info in ours:
        what = None
        if names.count(info.filename) > 1:
            what = "stands in it twice"
        elif info.flag_bits & _ENCRYPTED:
            what = "is encrypted"
        elif info.file_size > context.dataset.max_bytes:
            what = f"has {info.file_size:,} bytes, and one of this dataset may have {context.dataset.max_bytes:,}"
        elif info.file_size > _RATIO_MAX * info.compress_size + BLOCK:
            what = f"would grow from {info.compress_size:,} to {info.file_size:,} bytes, which no text does"
        if what is not None:
            raise archive_refused("ARCHIVE_UNSAFE", what, f"{url}, member {info.filename}")
    if not ours:
        there = ", ".join(sorted(info.filename for info in infos)[:5]) or "nothing"
        raise archive_refused(
            "NO_LONGER_OFFERED", f"holds no member <month>/{context.dataset.part_pattern}; it holds {there}", url
        )
    return sorted(ours, key=lambda info: info.filename)


def _is_ours(name: str, context: FetchContext) -> bool:
    """Whether a member is a file of the dataset, in the folder of its month."""
    folder, _, file_name = name.rpartition("/")
    pattern = context.dataset.part_pattern or ""
    return re.fullmatch(pattern, file_name) is not None and folder == file_name[: len("2026-10")]


def end_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """The byte after a member: where the next one begins, or the directory."""
    later = [other.header_offset for other in archive.infolist() if other.header_offset > info.header_offset]
    # Name and extra field of a member's own header have 65,535 bytes each at most, and 16 more may follow its data.
    return min([*later, archive.start_dir, info.header_offset + info.compress_size + 2 * 65535 + 64])


def archive_refused(code: str, what: str, where: str) -> BodyRefused:
    return BodyRefused(
        code,
        f"the archive {what}" if "member" not in where else f"the member {what}",
        where=where,
        kept="nothing of it was landed; the last good data stand",
        next_step="look at the publisher's page; the next run asks again",
    )


class _Remote(io.RawIOBase):
    """A file at an address, read by Range, whose end is read ahead. What it reads is of one version of the file.

    Raises:
        RangeNotSupported: the server answers with the whole file.
        BodyRefused: the file is larger than it may be.
    """

    def __init__(self, client: Client, url: str, max_bytes: int) -> None:
        self._client = client
        self._url = url
        self._position = 0
        tail = client.fetch_range(url, -_AHEAD)
        self._size, self._version = tail.total, tail.version
        self.is_synthetic = tail.is_synthetic
        if self._size > max_bytes:
            raise archive_refused("FILE_TOO_LARGE", f"has {self._size:,} bytes, and one may have {max_bytes:,}", url)
        self._tail_start, self._tail = tail.first, tail.body
        self._ahead_start, self._ahead = 0, b""

    def read_ahead(self, start: int, end: int) -> None:
        """Read from one byte up to another, so that what lies between costs no more requests."""
        self._ahead_start, self._ahead = start, self._bytes(start, end)

    def _bytes(self, start: int, end: int) -> bytes:
        for first, held in ((self._tail_start, self._tail), (self._ahead_start, self._ahead)):
            if first <= start and end <= first + len(held):
                return held[start - first : end - first]
        return self._client.fetch_range(self._url, start, end - 1, version=self._version, total=self._size).body

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        end = min(self._position + len(buffer), self._size)
        if end <= self._position:
            return 0
        if end - self._position > _DIRECTORY_MAX:
            raise archive_refused("ARCHIVE_UNSAFE", f"has a directory of {end - self._position:,} bytes", self._url)
        found = self._bytes(self._position, end)
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
