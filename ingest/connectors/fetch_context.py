"""What a connector is given to fetch one dataset from its publisher, and what it returns."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Protocol

from ingest.declaration import Dataset, Source
from ingest.http import Client
from ingest.landing import LandedFile
from ingest.naming import shown_address


@dataclasses.dataclass(frozen=True)
class LastFetch:
    """What was at an address at the last fetch."""

    url: str
    etag: str | None
    last_modified: str | None
    sha256: str


@dataclasses.dataclass(frozen=True)
class FetchContext:
    """What a connector is given: the publisher, the dataset and this home.

    Attributes:
        client: allowed to speak to the publisher, at its pace.
        source, name: the declared source and which of its datasets.
        base_url: where the publisher is (the stand-in's address in a synthetic home).
        landing, inbox: folders of this home.
        now: the time for the provenance (UTC).
        last_fetches: what was where at the last fetch, as far as its bytes still stand in landing and were read.
        must_be_synthetic: whether this publisher is a stand-in; an answer of the other kind is refused.
        inbox_url: an object store that takes the inbox folder's place, where this home has one.
        key: the publisher's key, where it gives one and this home has it (`secrets/<source>_key`).
    """

    client: Client
    source: Source
    name: str
    base_url: str
    landing: Path
    inbox: Path
    now: dt.datetime
    last_fetches: tuple[LastFetch, ...] = ()
    must_be_synthetic: bool = False
    key: str | None = None
    inbox_url: str | None = None

    @property
    def dataset(self) -> Dataset:
        return self.source.dataset(self.name)

    def last_fetch(self, url: str) -> LastFetch | None:
        """What was at an address at the last fetch."""
        known_as = (url, shown_address(self.source.source, url))
        return next((one for one in self.last_fetches if one.url in known_as), None)


@dataclasses.dataclass(frozen=True)
class Offer:
    """One copy of a file that a publisher offers.

    Attributes:
        url: its address; unique within the dataset, and what the next fetch knows it by.
        file_name: its name, which the provenance keeps.
        release_date: when the publisher released it, where the publisher says.
        mark: what the publisher says of its content (a hash, a time of change); the same mark means the same bytes.
        stands_alone: whether the others are of use without it: where it is refused, they are fetched all the same.
        shown_as: what messages call it, where that is not its address.
    """

    url: str
    file_name: str
    release_date: dt.date | None = None
    mark: str | None = None
    stands_alone: bool = False
    shown_as: str = ""

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.shown_as or self.url


@dataclasses.dataclass(frozen=True)
class Fetched:
    """What fetching one address came to: the landed file, or None where it has not changed."""

    offer: Offer
    landed: LandedFile | None
    etag: str | None
    last_modified: str | None
    sha256: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class Finding:
    """One way in which a publisher differs from what a source declares.

    Attributes:
        asked: what it was asked about: a dataset, a file, an indicator, a name, an area type.
        differs: how its answer differs from the declaration, in words.
        code: what kind of failure that is, of the registry (ingest/codes.csv).
    """

    asked: str
    differs: str
    code: str = "DIFFERS_FROM_DECLARATION"


class Connector(Protocol):
    """A way in which data arrive. What was fetched is read by `ingest.load`, whatever way it came."""

    def list_editions(self, context: FetchContext) -> list[Offer]:
        """Everything on offer, oldest first, so that the newest is landed last. Raises PublisherUnavailable, BodyRefused."""
        ...

    def fetch(self, context: FetchContext, offer: Offer) -> Fetched:
        """Fetch one and land it, unless it is what it was. Raises PublisherUnavailable, BodyRefused, Refusal."""
        ...

    def check(self, context: FetchContext) -> list[Finding]:
        """Ask whether everything declared is still there, and say what differs; nothing is landed.

        What the publisher refuses to say is a finding too: it raises nothing that is the publisher's doing.
        """
        ...
