"""Files at an address: which there are, and fetching one that has changed.

The London Datastore keeps old copies of a file under the same title beside the new one, and replaces files in place under the same
address. So every copy of the title is asked for, each only if it has changed since the last look, and what a file holds decides
which release it is. Contract: DataPress/CKAN `package_show`, ../sources/mps/README.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import tempfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from ingest.declaration import Dataset, Source
from ingest.errors import BodyRefused
from ingest.http import Client
from ingest.landing import LandedFile, Papers, land
from ingest.readers.text import foreign_body


@dataclasses.dataclass(frozen=True)
class Offer:
    """One copy of a file that a publisher offers."""

    url: str
    file_name: str


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was at an address at the last look."""

    url: str
    etag: str | None
    last_modified: str | None
    sha256: str


@dataclasses.dataclass(frozen=True)
class Fetched:
    """The outcome of one look at an address: the landed file, or None where it has not changed."""

    offer: Offer
    landed: LandedFile | None
    etag: str | None
    last_modified: str | None
    sha256: str
    bytes: int


def list_releases(client: Client, source: Source, dataset: Dataset, base_url: str) -> list[Offer]:
    """Every copy of a dataset's file on offer, oldest first, so that the newest is landed last.

    Args:
        client: allowed to speak to the publisher.
        base_url: where the publisher is (the stand-in's address in a synthetic home).

    Raises:
        BodyRefused: the publisher does not list the file; names what it lists instead.
        PublisherUnavailable: it does not answer.
    """
    location = dataset.location
    url = f"{base_url.rstrip('/')}/api/action/package_show?{urlencode({'id': location.package})}"
    answer, _ = client.json(url)
    try:
        resources = [(str(r["name"]), str(r["url"])) for r in answer["result"]["resources"]]
    except (KeyError, TypeError):
        raise BodyRefused(
            "the answer is not the description of a dataset (no result.resources with name and url)",
            where=url,
            kept="nothing was fetched; the last good data stand",
            next_step="compare the answer with ingest/sources/mps/README.md",
        ) from None
    offers = [
        Offer(urljoin(url, address), _file_name(address))
        for name, address in resources
        if location.file_name in (name, f"{name}.csv", _file_name(address))
    ]
    if not offers:
        raise BodyRefused(
            f"the dataset offers no file {location.file_name!r}; it offers {', '.join(sorted({n for n, _ in resources}))}",
            where=url,
            kept="nothing was fetched; the last good data stand",
            next_step="if the publisher has renamed it, change file_name in source.yml",
        )
    unique = list(dict.fromkeys(offers))
    return unique[::-1]  # they list the newest first


def _file_name(url: str) -> str:
    return unquote(Path(urlsplit(url).path).name)


def fetch(
    client: Client,
    source: Source,
    name: str,
    offer: Offer,
    landing: Path,
    now: dt.datetime,
    *,
    seen: Iterable[Seen] = (),
    must_be_synthetic: bool,
) -> Fetched:
    """Fetch one copy and land it, unless the publisher says that it is what it was.

    Args:
        seen: what was at which address at the last look and still stands in landing.
        must_be_synthetic: whether this publisher is a stand-in; an answer of the other kind is refused.

    Raises:
        PublisherUnavailable, BodyRefused: as the client's; and when the body is no delimited text.
        Refusal: when it cannot be landed.
    """
    dataset = source.dataset(name)
    last = next((s for s in seen if s.url == offer.url), None)
    validators = {}
    if last and last.etag:
        validators["If-None-Match"] = last.etag
    elif last and last.last_modified:
        validators["If-Modified-Since"] = last.last_modified
    with tempfile.TemporaryDirectory(prefix="vru-fetch-") as folder:
        body = client.fetch(offer.url, Path(folder), max_bytes=dataset.max_bytes, validators=validators)
        if body.file is None:
            if last is None:
                raise BodyRefused(
                    "the publisher says that nothing has changed since a look we never took", where=offer.url
                )
            return Fetched(offer, None, last.etag, last.last_modified, last.sha256, 0)
        if body.is_synthetic != must_be_synthetic:
            kinds = ("synthetic", "real") if body.is_synthetic else ("real", "synthetic")
            raise BodyRefused(
                f"what came is {kinds[0]} and {kinds[1]} data were asked for",
                where=offer.url,
                kept="nothing was landed",
                next_step="check the base URL of this source against SOURCES",
            )
        papers = Papers(
            source=source.source,
            dataset=name,
            sha256=body.sha256,
            bytes=body.bytes,
            file_name=offer.file_name,
            url=offer.url,
            status=body.status,
            headers=body.headers,
            landed_at=now,
            licence=source.licence,
            attribution=source.attribution,
            release_date=None,
            is_synthetic=body.is_synthetic,
        )
        landed = land(landing, body.file, papers)
    with landed.path.open("rb") as file:
        foreign = foreign_body(file.read(512))
    if foreign:
        raise BodyRefused(
            f"what came {foreign.reason}",
            where=offer.url,
            kept=f"its bytes are in landing ({landed.path.name}); raw and the marts are as they were",
            next_step="look at the publisher's page; the next run asks again",
        )
    return Fetched(offer, landed, body.headers.get("ETag"), body.headers.get("Last-Modified"), body.sha256, body.bytes)
