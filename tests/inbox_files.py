"""Files in an inbox for tests, and how a night takes them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import time
from pathlib import Path

from ingest.connectors import inbox, inbox_folder
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch
from ingest.declaration import Dataset, Source, find_source
from ingest.http import Client

SAFESTATS = find_source("safestats")
NOW = dt.datetime(2026, 11, 22, 3, tzinfo=dt.UTC)
BODY = b"Report ID,Incident Date,Incident Category,Borough\r\n1,01/10/2026,Traffic,Camden\r\n"
SHA256 = hashlib.sha256(BODY).hexdigest()
NAME = "tfl-2026-10.csv"


def context_in(folder: Path) -> FetchContext:
    """An inbox of driver incidents in a folder, beside a landing that is not there yet."""
    return FetchContext(
        client=Client(("127.0.0.1",)),
        source=SAFESTATS,
        name="tfl_driver_incidents",
        base_url="https://www.safestats.org.uk",
        landing=folder / "landing",
        inbox=folder / "inbox",
        now=NOW,
    )


def put(context: FetchContext, name: str = NAME, body: bytes = BODY, *, age: float = 60) -> Path:
    """A file in the inbox, last written so many seconds ago."""
    file = context.inbox / "safestats" / context.name / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    os.utime(file, (time.time() - age,) * 2)
    return file


def manifest(context: FetchContext, **files: dict[str, object]) -> None:
    """A manifest in the inbox that tells of these files."""
    put(context, inbox_folder.MANIFEST, json.dumps({"files": files}).encode())


def names(context: FetchContext) -> list[str]:
    """What the inbox offers."""
    return [offer.file_name for offer in inbox.list_editions(context)]


def take(context: FetchContext) -> list[Fetched]:
    """Everything the inbox offers, fetched."""
    return [inbox.fetch(context, offer) for offer in inbox.list_editions(context)]


def after(context: FetchContext, done: list[Fetched]) -> FetchContext:
    """The next night's fetch."""
    return dataclasses.replace(
        context, last_fetches=tuple(LastFetch(d.offer.url, d.etag, d.last_modified, d.sha256) for d in done)
    )


def with_dataset(context: FetchContext, dataset: Dataset) -> FetchContext:
    """A context whose source has this dataset alone."""
    source = Source.model_validate({**context.source.model_dump(), "datasets": {context.name: dataset.model_dump()}})
    return dataclasses.replace(context, source=source)
