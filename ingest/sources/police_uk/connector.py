"""Members of police.uk's monthly archive, read where they lie: one file a month and force out of 1.6 GB.

The index page lists each archive with its MD5. An archive whose MD5 is the last one's is left alone; of another, the directory at its end
is read by HTTP Range, and then only those of our members whose CRC-32 or size there has changed. Where the server knows no Range the whole
archive is taken, and its MD5 checked. Contract: README.md beside this file.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import io
import re
import weakref
import zipfile
import zlib
from urllib.parse import urljoin

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, LastFetch, Offer
from ingest.connectors.file_at_url import land_body
from ingest.declaration import SEEDS
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Body, Client, RangeNotSupported
from ingest.readers.headers import months_between, resolve
from ingest.scratch import scratch_folder
from ingest.sources.police_uk.archive import (
    BLOCK,
    Archive,
    archive_refused,
    end_of,
    newest_archive,
    open_archive,
    open_in_parts,
    our_members,
)

LATEST = "/data/archive/latest.zip"
_BEGINNING = 8 * 1024  # bytes of a packed member in which its first kilobyte lies, its own header included

# An archive is listed and then read member by member, by the same client.
_open_archives: weakref.WeakKeyDictionary[Client, Archive] = weakref.WeakKeyDictionary()


def list_editions(context: FetchContext) -> list[Offer]:
    """Our members of the newest archive, oldest first; none where the archive is the one of the last fetch.

    Raises:
        PublisherUnavailable: the publisher does not answer.
        BodyRefused: the index lists no archive with its MD5; or the archive is no zip archive, or holds what no archive of theirs
            holds (an encrypted member, a name that leads out of a folder, a member that is far larger than it is packed).
    """
    listed = newest_archive(context)
    if _is_complete(context.last_fetches, listed.md5):
        return []
    archive = open_archive(context, listed)
    members = our_members(archive, context)
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
            archive.file.read_ahead(info.header_offset, end_of(archive.zip, info))
        digest, size = hashlib.sha256(), 0
        try:
            with archive.zip.open(info) as member, path.open("wb") as file:
                while block := member.read(BLOCK):
                    size += len(block)
                    digest.update(block)
                    file.write(block)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise archive_refused("ARCHIVE_DAMAGED", f"is damaged: {error}", where) from None
        if size != info.file_size:
            raise archive_refused(
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
    try:
        listed = newest_archive(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(refused.where, refused.problem, refused.code)]
    asked = f"archive {listed.month}"
    try:
        archive = open_in_parts(context, listed)
        members = our_members(archive, context)
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


def _months(archive: Archive, members: list[zipfile.ZipInfo]) -> set[str]:
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


def _begins_otherwise(archive: Archive, info: zipfile.ZipInfo, context: FetchContext) -> list[Finding]:
    """How the header of a member differs from the declared one."""
    assert archive.file is not None  # noqa: S101 - it was opened in parts
    asked = f"file {info.filename.rpartition('/')[2]}"
    archive.file.read_ahead(info.header_offset, min(end_of(archive.zip, info), info.header_offset + _BEGINNING))
    try:
        with archive.zip.open(info) as member:
            line = member.readline(1024).decode("utf-8-sig")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
        return [Finding(asked, f"cannot be read: {error}")]
    header, faults = resolve(next(csv.reader(io.StringIO(line, newline="")), []), context.dataset.layout)
    new = [] if faults else [Finding(asked, f"has a column that is not declared: {name}") for name in header.unknown]
    return [*(Finding(asked, str(fault), fault.code) for fault in faults), *new]


def _is_complete(last_fetches: tuple[LastFetch, ...], md5: str) -> bool:
    """Whether every member of ours was looked at in the archive of that MD5. The mark says how many there are."""
    of_this = [one.etag.split() for one in last_fetches if one.etag and one.etag.startswith(f"{md5} ")]
    return bool(of_this) and len(of_this) == int(of_this[0][1])


def _content(mark: str) -> list[str]:
    """CRC-32 and size out of a mark."""
    return mark.split()[2:]


def _day_after(month: str) -> dt.date:
    """The first day after a month (YYYY-MM)."""
    return (dt.date(int(month[:4]), int(month[5:]), 28) + dt.timedelta(days=4)).replace(day=1)
