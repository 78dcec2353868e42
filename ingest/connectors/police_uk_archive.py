"""Members of police.uk's monthly archive, read where they lie: one file a month and force out of 1.6 GB.

The index page lists each archive with its MD5. An archive whose MD5 is the last one's is left alone; of another, the directory at its end
is read by HTTP Range, and then only those of our members whose CRC-32 or size there has changed. Where the server knows no Range the whole
archive is taken, and its MD5 checked. Contract: ../sources/police_uk/README.md.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import html
import io
import re
import weakref
import zipfile
import zlib
from typing import IO
from urllib.parse import urljoin

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, LastFetch, Offer
from ingest.connectors.file_at_url import land_body
from ingest.declaration import SEEDS, ArchiveMembers
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Body, Client, RangeNotSupported
from ingest.readers.headers import months_between, resolve
from ingest.readers.text import ZIP
from ingest.scratch import scratch_folder

INDEX = "/data/archive/"
LATEST = "/data/archive/latest.zip"
_ARCHIVE = re.compile(r"""href\s*=\s*["']?([^"'\s>]*?(\d{4}-(?:0[1-9]|1[0-2]))\.zip)""")
_MD5 = re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])")
_AHEAD = 512 * 1024  # bytes read at the end at first: the directory of 5,000 members has about as many
_DIRECTORY_MAX = 32 * 1024 * 1024
_MEMBERS_MAX = 100_000
_RATIO_MAX = 200  # text of this kind shrinks to a fifth; a thousandth is no text
_ENCRYPTED = 0x1
_BLOCK = 1024 * 1024
_BEGINNING = 8 * 1024  # bytes of a packed member in which its first kilobyte lies, its own header included
_NEXT = "look at the publisher's page; the next run asks again"


@dataclasses.dataclass(frozen=True)
class Listed:
    """An archive as the index page lists it: its address, its newest month (YYYY-MM) and its MD5."""

    url: str
    month: str
    md5: str


@dataclasses.dataclass
class _Archive:
    listed: Listed
    zip: zipfile.ZipFile
    file: _Remote | None  # None: the archive was taken whole
    is_synthetic: bool


# An archive is listed and then read member by member, by the same client.
_open_archives: weakref.WeakKeyDictionary[Client, _Archive] = weakref.WeakKeyDictionary()


def list_editions(context: FetchContext) -> list[Offer]:
    """Our members of the newest archive, oldest first; none where the archive is the one of the last fetch.

    Raises:
        PublisherUnavailable: the publisher does not answer.
        BodyRefused: the index lists no archive with its MD5; or the archive is no zip archive, or holds what no archive of theirs
            holds (an encrypted member, a name that leads out of a folder, a member that is far larger than it is packed).
    """
    location = context.dataset.location
    assert isinstance(location, ArchiveMembers)  # noqa: S101 - the registry chose this connector by it
    listed = _newest(context)
    if _is_complete(context.last_fetches, listed.md5):
        return []
    archive = _open(context, listed, location)
    members = _members(archive, context, location)
    offers = [
        Offer(
            # The address stays the same from archive to archive, so that a member is known again.
            url=f"{urljoin(context.base_url, LATEST)}#{info.filename}",
            file_name=info.filename.rpartition("/")[2],
            release_date=_day_after(listed.month),
            mark=f"{listed.md5} {len(members)} {info.CRC:08x} {info.file_size}",
        )
        for info in members
    ]
    _open_archives[context.client] = archive
    return offers


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """Take one member out of the archive and land it, unless its CRC-32 and size are those of the last fetch.

    Raises:
        PublisherUnavailable: the publisher does not answer, or the archive changed meanwhile.
        BodyRefused: the member is damaged, or no file of this dataset's kind.
        Refusal: when it cannot be landed.
    """
    assert offer.mark is not None  # noqa: S101 - every offer here has one
    last = context.last_fetch(offer.url)
    if last is not None and last.etag is not None and _content(last.etag) == _content(offer.mark):
        return Fetched(offer, None, offer.mark, None, last.sha256, 0)
    archive = _open_archives[context.client]
    name = offer.url.partition("#")[2]
    info = archive.zip.getinfo(name)
    where = f"{archive.listed.url}, member {name}"
    with scratch_folder(context.landing) as folder:
        path = folder / "member"
        if archive.file is not None:
            archive.file.read_ahead(info.header_offset, _end_of(archive.zip, info))
        digest, size = hashlib.sha256(), 0
        try:
            with archive.zip.open(info) as member, path.open("wb") as file:
                while block := member.read(_BLOCK):
                    size += len(block)
                    digest.update(block)
                    file.write(block)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise _archive_refused("ARCHIVE_DAMAGED", f"is damaged: {error}", where) from None
        if size != info.file_size:
            raise _archive_refused(
                "ARCHIVE_DAMAGED", f"has {size:,} bytes and the archive's directory says {info.file_size:,}", where
            )
        headers = {"X-Archive-MD5": archive.listed.md5, "X-Member-CRC32": f"{info.CRC:08x}"}
        body = Body(archive.listed.url, 200, headers, path, digest.hexdigest(), size, archive.is_synthetic)
        landed = land_body(context, dataclasses.replace(offer, url=f"{archive.listed.url}#{name}"), body)
    return Fetched(offer, landed, offer.mark, None, body.sha256, size)


def check(context: FetchContext) -> list[Finding]:
    """Whether the newest archive holds a file of each declared force and month, and each force's newest begins as declared.

    Nothing but the archive's directory and the beginning of a file a force is read. Months that are known to be missing
    (dbt_project/seeds/known_gap.csv) are no finding.
    """
    location = context.dataset.location
    assert isinstance(location, ArchiveMembers)  # noqa: S101 - the registry chose this connector by it
    try:
        listed = _newest(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(refused.where, refused.problem, refused.code)]
    asked = f"archive {listed.month}"
    try:
        archive = _in_parts(context, listed, location)
        members = _members(archive, context, location)
        known = _force_months(context, members)
        findings = [
            Finding(f"{asked}, {force}", f"lacks {_months_in_words(missing)}")
            for force, there in sorted(known.items())
            if (missing := sorted(_months(archive, members) - there.keys() - _known_gaps(context, force)))
        ]
        for _, there in sorted(known.items()):
            if there:
                findings += _begins_otherwise(archive, there[max(there)], context)
    except RangeNotSupported:
        return [Finding(asked, "is not served in parts: a night would take it whole")]
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(asked, refused.problem, refused.code)]
    return findings


def _force_months(context: FetchContext, members: list[zipfile.ZipInfo]) -> dict[str, dict[str, zipfile.ZipInfo]]:
    """Our members by force and month (YYYY-MM); each declared force is there, also where it has none."""
    assert context.dataset.part_pattern is not None  # noqa: S101 - an archive's dataset declares one
    with (SEEDS / "police_uk_label.csv").open(encoding="utf-8", newline="") as file:
        found: dict[str, dict[str, zipfile.ZipInfo]] = {
            row["code"]: {} for row in csv.DictReader(file) if row["label_list"] == "force"
        }
    for info in members:
        part = re.fullmatch(context.dataset.part_pattern, info.filename.rpartition("/")[2])
        if part is not None:
            found.setdefault(part[1][8:].replace("-", "_"), {})[part[1][:7]] = info
    return found


def _months(archive: _Archive, members: list[zipfile.ZipInfo]) -> set[str]:
    """Every month from the first that any of our forces has up to the archive's own (YYYY-MM)."""
    month, months = min(info.filename[:7] for info in members), set()
    while month <= archive.listed.month:
        months.add(month)
        month = f"{_day_after(month):%Y-%m}"
    return months


def _known_gaps(context: FetchContext, force: str) -> set[str]:
    """Months of which a force is known to have published no file."""
    gaps: set[str] = set()
    with (SEEDS / "known_gap.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (row["source"], row["dataset"], row["part"]) == (context.source.source, context.name, force):
                gaps |= set(months_between(*(row[end][:7].replace("-", "") for end in ("first_month", "last_month"))))
    return {f"{month[:4]}-{month[4:]}" for month in gaps}


def _months_in_words(months: list[str]) -> str:
    return months[0] if len(months) == 1 else f"{len(months)} months from {months[0]} to {months[-1]}"


def _begins_otherwise(archive: _Archive, info: zipfile.ZipInfo, context: FetchContext) -> list[Finding]:
    """How the header of a member differs from the declared one."""
    assert archive.file is not None  # noqa: S101 - it was opened in parts
    asked = f"file {info.filename.rpartition('/')[2]}"
    archive.file.read_ahead(info.header_offset, min(_end_of(archive.zip, info), info.header_offset + _BEGINNING))
    try:
        with archive.zip.open(info) as member:
            line = member.readline(1024).decode("utf-8-sig")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        return [Finding(asked, f"cannot be read: {error}")]
    header, faults = resolve(next(csv.reader(io.StringIO(line, newline="")), []), context.dataset.layout)
    new = [] if faults else [Finding(asked, f"has a column that is not declared: {name}") for name in header.unknown]
    return [*(Finding(asked, str(fault), fault.code) for fault in faults), *new]


def _newest(context: FetchContext) -> Listed:
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
            kept="nothing was fetched; the last good data stand",
            next_step="compare the page with ingest/sources/police_uk/README.md",
        )
    return max(archives, key=lambda archive: archive.month)


def _is_complete(last_fetches: tuple[LastFetch, ...], md5: str) -> bool:
    """Whether every member of ours was looked at in the archive of that MD5. The mark says how many there are."""
    of_this = [one.etag.split() for one in last_fetches if one.etag and one.etag.startswith(f"{md5} ")]
    return bool(of_this) and len(of_this) == int(of_this[0][1])


def _content(mark: str) -> list[str]:
    """CRC-32 and size out of a mark."""
    return mark.split()[2:]


def _open(context: FetchContext, listed: Listed, location: ArchiveMembers) -> _Archive:
    try:
        return _in_parts(context, listed, location)
    except RangeNotSupported:
        return _whole(context, listed, location)


def _in_parts(context: FetchContext, listed: Listed, location: ArchiveMembers) -> _Archive:
    """The archive, read by Range. Raises RangeNotSupported."""
    remote = _Remote(context.client, listed.url, location.max_archive_bytes)
    return _Archive(listed, _as_zip(remote, listed.url), remote, remote.is_synthetic)


def _whole(context: FetchContext, listed: Listed, location: ArchiveMembers) -> _Archive:
    """The whole archive, checked against its MD5, in a file that is gone when it is closed."""
    with scratch_folder(context.landing) as folder:
        body = context.client.fetch(listed.url, folder, max_bytes=location.max_archive_bytes)
        assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
        file = body.file.open("rb")
        if body.bytes <= context.dataset.max_bytes and file.read(len(ZIP)) != ZIP:
            # A page in place of the archive is kept, as every dataset's are.
            land_body(context, Offer(listed.url, f"{listed.month}.html"), body)
        file.seek(0)
    md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != listed.md5:
        file.close()
        raise _archive_refused("HASH_DIFFERS", f"has the MD5 {md5} and the page says {listed.md5}", listed.url)
    return _Archive(listed, _as_zip(file, listed.url), None, body.is_synthetic)


def _as_zip(file: IO[bytes] | _Remote, url: str) -> zipfile.ZipFile:
    try:
        found = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _archive_refused("ARCHIVE_DAMAGED", f"is no zip archive: {error}", url) from None
    return found


def _members(archive: _Archive, context: FetchContext, location: ArchiveMembers) -> list[zipfile.ZipInfo]:
    """Our members, the oldest month first.

    Raises:
        BodyRefused: naming the member that no archive of theirs would hold, or what is there where none is ours.
    """
    url = archive.listed.url
    infos = archive.zip.infolist()
    if len(infos) > _MEMBERS_MAX:
        raise _archive_refused("ARCHIVE_UNSAFE", f"holds {len(infos):,} members", url)
    for info in infos:
        if info.filename.startswith("/") or ".." in info.filename.split("/") or "\\" in info.orig_filename:
            raise _archive_refused(
                "ARCHIVE_UNSAFE", f"holds a member whose name leads out of its folder: {info.orig_filename!r}", url
            )
    ours = [info for info in infos if re.fullmatch(location.member_pattern, info.filename)]
    names = [info.filename for info in ours]
    for info in ours:
        what = None
        if names.count(info.filename) > 1:
            what = "stands in it twice"
        elif info.flag_bits & _ENCRYPTED:
            what = "is encrypted"
        elif info.file_size > context.dataset.max_bytes:
            what = f"has {info.file_size:,} bytes, and one of this dataset may have {context.dataset.max_bytes:,}"
        elif info.file_size > _RATIO_MAX * info.compress_size + _BLOCK:
            what = f"would grow from {info.compress_size:,} to {info.file_size:,} bytes, which no text does"
        if what is not None:
            raise _archive_refused("ARCHIVE_UNSAFE", what, f"{url}, member {info.filename}")
    if not ours:
        there = ", ".join(sorted(info.filename for info in infos)[:5]) or "nothing"
        raise _archive_refused("NO_LONGER_OFFERED", f"holds no member {location.member_pattern}; it holds {there}", url)
    return sorted(ours, key=lambda info: info.filename)


def _end_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """The byte after a member: where the next one begins, or the directory."""
    later = [other.header_offset for other in archive.infolist() if other.header_offset > info.header_offset]
    # Name and extra field of a member's own header have 65,535 bytes each at most, and 16 more may follow its data.
    return min([*later, archive.start_dir, info.header_offset + info.compress_size + 2 * 65535 + 64])


def _day_after(month: str) -> dt.date:
    """The first day after a month (YYYY-MM)."""
    return (dt.date(int(month[:4]), int(month[5:]), 28) + dt.timedelta(days=4)).replace(day=1)


def _archive_refused(code: str, what: str, where: str) -> BodyRefused:
    return BodyRefused(
        code,
        f"the archive {what}" if "member" not in where else f"the member {what}",
        where=where,
        kept="nothing of it was landed; the last good data stand",
        next_step=_NEXT,
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
            raise _archive_refused("FILE_TOO_LARGE", f"has {self._size:,} bytes, and one may have {max_bytes:,}", url)
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
            raise _archive_refused("ARCHIVE_UNSAFE", f"has a directory of {end - self._position:,} bytes", self._url)
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
