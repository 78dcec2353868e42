"""Files that a publisher hands over: an inbox folder, local or mounted, or an object store; and, where agreed, an export behind a key.

A sender may put `manifest.json` beside the files (`Manifest`). What is half-written is left for the next night; every file is landed
once, and stays where it is: the inbox is the sender's. What else stands there (a link, a folder, a pipe) is refused by its name, and
keeps no file back: nobody should think that it came.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, Offer
from ingest.connectors.file_at_url import check_kind, header_findings, land_body, refuse_other_file_type
from ingest.connectors.inbox_folder import (
    MANIFEST,
    UNKNOWN_FOLDER,
    Delivered,
    being_written,
    has_content_mark,
    info_of,
    is_local,
    label_of_folder,
    location_of,
    not_a_file,
    not_a_file_because,
    open_entry,
    open_folder,
    open_store,
    read_manifest,
    sha256_of_entry,
    stamp_of,
    whole_files,
)
from ingest.connectors.lawful import carries, land_lawful
from ingest.declaration import Inbox
from ingest.errors import BodyRefused, PublisherUnavailable, in_one_line
from ingest.landing import Provenance, sha256_of
from ingest.naming import is_name_shown, label_by_position
from ingest.readers.corrections import corrections_of
from ingest.readers.faults import some_of
from ingest.scratch import scratch_folder

if TYPE_CHECKING:
    pass


def list_editions(context: FetchContext) -> list[Offer]:
    """Everything that waits in the inbox, by name, what will be refused too; and the export, where one is agreed and this home has its key.

    Raises:
        BodyRefused: the manifest cannot be read; the inbox cannot be reached.
    """
    location = location_of(context)
    offers = []
    if location.download and context.key:
        url = f"{context.base_url.rstrip('/')}/{location.download.lstrip('/')}"
        offers.append(Offer(url, location.download.rpartition("/")[2]))
    store, folder = open_store(context)
    if is_local(store) and os.path.lexists(folder):
        with open_folder(context):
            pass  # a link in a folder's place is refused as such, and not file by file of what it leads to
    manifest = read_manifest(context, store, folder)
    files = whole_files(store, folder)
    for name, stamp in sorted(files.items()):
        said = manifest.files.get(name, Delivered())
        mark = f"{stamp} {said.sha256 or ''} {said.release_date or ''}".strip()
        label = label_by_position(context.source.source, label_of_folder(context), list(files), name)
        offers.append(
            Offer(
                f"{label_of_folder(context)}/{name}", name, said.release_date, mark, stands_alone=True, shown_as=label
            )
        )
    return offers


def check(context: FetchContext) -> list[Finding]:
    """Whether the inbox can be read, no folder of it is nobody's, and each file that waits is named and begins as agreed.

    An empty one is no finding.
    """
    try:
        offers = list_editions(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(f"inbox {label_of_folder(context)}", refused.problem, refused.code)]
    store, folder = open_store(context)
    names = {offer.file_name for offer in offers}
    absent = sorted(read_manifest(context, store, folder).files.keys() - names)
    findings = []
    if absent:
        which = f": {in_one_line(some_of(absent))}" if is_name_shown(context.source.source) else ""
        findings = [
            Finding(f"{MANIFEST} of {label_of_folder(context)}", f"names {len(absent)} that are not there{which}")
        ]
    findings += _unknown_folders(context, store, folder)
    for offer in offers:
        if offer.url.startswith(("http://", "https://")):
            continue  # an export is served whole or not at all; a night asks for it
        asked = offer.label
        info = info_of(store, f"{folder}/{offer.file_name}")
        wrong = not_a_file_because(info, offer.file_name)
        if wrong:
            findings.append(Finding(in_one_line(asked), wrong))
            continue
        with scratch_folder(context.landing) as temporary:
            copy = temporary / "file"
            try:
                with (
                    open_entry(context, store, info, offer.file_name, offer.label) as origin,
                    copy.open("wb") as target,
                ):
                    shutil.copyfileobj(origin, target, 1024 * 1024)
            except BodyRefused as refused:
                findings.append(Finding(asked, refused.problem, refused.code))
                continue
            if wrong := carries(copy):
                findings.append(Finding(asked, wrong, "PERSONAL_DATA"))
                continue
            sha256, _ = sha256_of(copy)
            corrections = corrections_of(context.source.source, sha256)
            of_header = header_findings(asked, copy, context.dataset.layout, corrections)
        if context.dataset.part_pattern and not re.fullmatch(context.dataset.part_pattern, offer.file_name):
            named = f"has a name that does not say what it is about: {context.dataset.part_pattern}"
            findings.append(Finding(asked, named))
        findings += of_header
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
        BodyRefused: it is not what its manifest says, is too large, carries identifiers of persons, or is of the other kind (real,
            synthetic) than was asked for.
        PublisherUnavailable: the export does not answer.
        Refusal: when it cannot be landed.
    """
    if offer.url.startswith(("http://", "https://")):
        return _download(context, offer)
    store, folder = open_store(context)
    path = f"{folder}/{offer.file_name}"
    info = info_of(store, path)
    wrong = not_a_file_because(info, offer.file_name)
    if wrong:
        raise not_a_file(offer.label, wrong)
    last = context.last_fetch(offer.url)
    # A copy can keep the size and the time of what it takes the place of; only a store's ETag says that the bytes are the same.
    if (
        last
        and last.etag == offer.mark
        and (has_content_mark(info) or sha256_of_entry(context, store, info, offer) == last.sha256)
    ):
        return Fetched(offer, None, last.etag, None, last.sha256, 0)
    said = read_manifest(context, store, folder).files.get(offer.file_name, Delivered())
    check_kind(context, offer, is_synthetic=said.is_synthetic)
    before = stamp_of(info)
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
        with open_entry(context, store, info, offer.file_name, offer.label) as origin, copy.open("wb") as target:
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
        again = info_of(store, path)
        if not again or stamp_of(again) != before:
            raise being_written(offer.label)
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
        landed = land_lawful(context.landing, copy, provenance)
    refuse_other_file_type(context, offer, landed)
    return Fetched(offer, landed, offer.mark, None, sha256, provenance.bytes)


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
