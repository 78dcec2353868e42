"""A file at an address, fetched only where it has changed: of datasets that stand at one, and of those that list theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, Offer
from ingest.connectors.lawful import land_lawful
from ingest.declaration import FileAtUrl, Layout
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Body
from ingest.landing import LandedFile, Provenance, events
from ingest.readers.corrections import Correction
from ingest.readers.faults import FaultyFile
from ingest.readers.tables import open_tables
from ingest.readers.text import is_text, not_delimited_text
from ingest.scratch import scratch_folder

HEADER_WITHIN = 64 * 1024  # bytes of delimited text in which its header ends


def list_editions(context: FetchContext) -> list[Offer]:
    """The one file of a dataset that stands at one address."""
    location = context.dataset.location
    assert isinstance(location, FileAtUrl)  # noqa: S101 - the registry chose this connector by it
    return [Offer(f"{context.base_url.rstrip('/')}/{location.path}", unquote(location.path.rpartition("/")[2]))]


def check(context: FetchContext) -> list[Finding]:
    """Whether the address answers and the file's header is as declared."""
    return check_header(context, list_editions(context)[0])


def check_header(context: FetchContext, offer: Offer) -> list[Finding]:
    """How the header of a file on offer differs from what is declared; of text, only as much is fetched as holds one."""
    asked = f"file {offer.file_name}"
    # A workbook's index is at its end: it is of use only whole.
    is_workbook = offer.file_name.lower().endswith((".xlsx", ".xlsm"))
    with scratch_folder(context.landing) as folder:
        try:
            body = context.client.fetch(
                offer.url,
                folder,
                max_bytes=context.dataset.max_bytes,
                only_first=None if is_workbook else HEADER_WITHIN,
            )
        except (BodyRefused, PublisherUnavailable) as refused:
            return [Finding(asked, refused.problem, refused.code)]
        assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
        findings = header_findings(asked, body.file, context.dataset.layout)
        if not is_workbook and not is_text(body.file.read_bytes()):
            findings.append(Finding(asked, "is not UTF-8"))
    return findings


def header_findings(asked: str, file: Path, layout: Layout, corrections: Sequence[Correction] = ()) -> list[Finding]:
    """How the header of a file differs from what is declared.

    Args:
        asked: what messages call the file.
        corrections: the confirmed corrections of this very file's headers.
    """
    try:
        found = open_tables(file, layout, corrections)
    except FaultyFile as faulty:
        return [Finding(asked, str(fault), fault.code) for fault in faulty.faults]
    new = list(dict.fromkeys(name for table in found for name in table.header.unknown))
    return [Finding(asked, f"has a column that is not declared: {name}") for name in new]


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """Fetch one copy and land it, unless the publisher says that it is what it was.

    Raises:
        PublisherUnavailable, BodyRefused: as the client's; and when the body is no file of this dataset's kind.
        Refusal: when it cannot be landed.
    """
    last = context.last_fetch(offer.url)
    validators = {}
    if last and last.etag:
        validators["If-None-Match"] = last.etag
    elif last and last.last_modified:
        validators["If-Modified-Since"] = last.last_modified
    with scratch_folder(context.landing) as folder:
        body = context.client.fetch(offer.url, folder, max_bytes=context.dataset.max_bytes, validators=validators)
        if body.file is None:
            if last is None:
                raise BodyRefused(
                    "ANSWER_NOT_AS_AGREED",
                    "the publisher says that nothing has changed since a fetch that never happened",
                    where=offer.url,
                )
            return Fetched(offer, None, last.etag, last.last_modified, last.sha256, 0)
        landed = land_body(context, offer, body)
    return Fetched(offer, landed, body.headers.get("ETag"), body.headers.get("Last-Modified"), body.sha256, body.bytes)


def land_body(context: FetchContext, offer: Offer, body: Body, pages: tuple[str, ...] = ()) -> LandedFile:
    """Land what came, with its provenance, and see that it is a file and no page that says so.

    Args:
        body: with its file, which stays where it is.
        pages: the address of each page, where the file is a zip of them.

    Raises:
        BodyRefused: it is synthetic and must not be, or the other way round (nothing is landed then); or it is a page, or
            empty (it is landed, since those are the publisher's bytes).
        Refusal: when it cannot be landed.
    """
    check_kind(context, offer, is_synthetic=body.is_synthetic)
    landed = keep_body(context, offer, body, pages)
    refuse_other_file_type(context, offer, landed)
    return landed


def keep_body(context: FetchContext, offer: Offer, body: Body, pages: tuple[str, ...] = ()) -> LandedFile:
    """Land what came, with its provenance, whatever it is.

    Raises:
        BodyRefused: it carries identifiers of persons; nothing is landed then.
        Refusal: when it cannot be landed.
    """
    assert body.file is not None  # noqa: S101 - the caller has looked
    provenance = Provenance(
        source=context.source.source,
        dataset=context.name,
        sha256=body.sha256,
        bytes=body.bytes,
        file_name=offer.file_name,
        url=offer.url,
        status=body.status,
        headers=body.headers,
        landed_at=context.now,
        licence=context.source.licence,
        attribution=context.source.attribution,
        release_date=offer.release_date,
        is_synthetic=body.is_synthetic,
        pages=pages,
    )
    return land_lawful(context.landing, body.file, provenance)


def check_kind(context: FetchContext, offer: Offer, *, is_synthetic: bool) -> None:
    """See that what came is of the kind that was asked for, before it is landed.

    Raises:
        BodyRefused: it is synthetic and must not be, or the other way round.
    """
    if is_synthetic != context.must_be_synthetic:
        kinds = ("synthetic", "real") if is_synthetic else ("real", "synthetic")
        raise BodyRefused(
            "KINDS_MIXED",
            f"what came is {kinds[0]} and {kinds[1]} data were asked for",
            where=offer.label,
            kept="nothing was landed",
            next_step="check the base URL of this source against SOURCES",
        )


def refuse_other_file_type(context: FetchContext, offer: Offer, landed: LandedFile) -> None:
    """See that a landed body is a file and no page that says so.

    Raises:
        BodyRefused: it is not; it stays landed, since those are the publisher's bytes.
    """
    with landed.path.open("rb") as file:
        foreign = not_delimited_text(file.read(512), may_be_workbook=context.dataset.layout.may_be_zip)
    if foreign:
        note_refusal(landed, foreign.reason)
        raise BodyRefused(
            foreign.code,
            f"what came {foreign.reason}",
            where=offer.label,
            kept=f"its bytes are in landing ({landed.path.name}); raw and the marts are as they were",
            next_step="look at the publisher's page; the next run asks again",
        )


def note_refusal(landed: LandedFile, reason: str) -> None:
    """Keep later nights from loading what came and is no file of its dataset; bytes that were landed before were good then."""
    if landed.is_new:
        events.note_refusal_on_arrival(landed.path, reason)
