"""Fetching: a publisher's new files into landing, and the question whether what is declared of it is still there."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.connectors import check as ask
from ingest.connectors import connector_of, refuse_unforeseen
from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, LastFetch
from ingest.declaration import Source, find_source
from ingest.errors import BodyRefused, PublisherUnavailable, Refusal, together
from ingest.http import Client
from warehouse.platform.settings import Settings
from warehouse.steps import fetch_records, publishers, step

# A publisher that is away is asked again for so long after a night began, and no longer: what it has not sent by then waits for the next.
FETCHING = dt.timedelta(minutes=10)
# Seconds for which a publisher is asked that was away a moment ago (else ingest.http.DEADLINE).
IMPATIENT = 20.0


class _PartsRefused(Refusal):
    """Some of a dataset's copies, which stand alone, were refused; the others were landed."""

    landed: tuple[str, ...] = ()


def fetch(run_id: str, source: str, dataset: str, stand_ins: str | None = None) -> list[str]:
    """Ask a publisher for every copy of a dataset's file that has changed since the last fetch, and land it.

    Returns:
        Paths of the landed files below landing, oldest first.

    Raises:
        PublisherUnavailable: worth trying again.
        BodyRefused, Refusal: not worth trying again now.
    """
    try:
        return _fetch(run_id, source, dataset, stand_ins)
    except _PartsRefused as refusal:
        # It is written down for the run's alert and on the dataset; what came goes on to be loaded.
        if not refusal.landed:
            raise
        return list(refusal.landed)


def _fetch(run_id: str, source: str, dataset: str, stand_ins: str | None) -> list[str]:
    chosen, declared = publishers.for_run(stand_ins), find_source(source)
    with (
        step.noted(run_id, "fetch", f"{source} {dataset}"),
        fetch_records.fetch_recorded(chosen, run_id, source, dataset),
        _until_fetching_ends(chosen, run_id, source),
    ):
        base, is_stand_in = publishers.base_url(chosen, declared)
        landed: list[str] = []
        # One that did not answer a moment ago, for this dataset or another, is not waited for as long again.
        deadline = IMPATIENT if _clock(chosen, run_id, source).exists() else None
        with _client(chosen, declared, base, is_stand_in, deadline) as client:
            context = _fetch_context(
                chosen,
                client,
                declared,
                dataset,
                base,
                is_stand_in,
                last_fetches=fetch_records.last_fetches(chosen, source, dataset),
            )
            way = connector_of(declared, declared.dataset(dataset))
            refused: list[BodyRefused] = []
            unchanged: list[Fetched] = []
            with refuse_unforeseen(context):
                offers = way.list_editions(context)
            for offer in offers:
                try:
                    with refuse_unforeseen(context, offer.label):
                        found = way.fetch(context, offer)
                except BodyRefused as refusal:
                    if not offer.stands_alone:
                        raise
                    refused.append(refusal)
                    continue
                if found.landed is None:
                    unchanged.append(found)  # written down together: there may be hundreds
                    continue
                landed.append(found.landed.path.relative_to(chosen.landing).as_posix())
                fetch_records.remember(chosen, source, dataset, found)
            fetch_records.remember(chosen, source, dataset, *unchanged)
            if refused:
                parts = _PartsRefused(refused[0].code, together(refused))
                parts.landed = tuple(landed)
                raise parts
    return landed


def check(source: str, dataset: str, stand_ins: str | None = None) -> list[Finding]:
    """Ask a publisher whether what is declared of a dataset is still there. Lands, loads and notes nothing.

    Returns:
        What differs; nothing where all is as declared.
    """
    chosen, declared = publishers.for_run(stand_ins), find_source(source)
    base, is_stand_in = publishers.base_url(chosen, declared)
    with _client(chosen, declared, base, is_stand_in) as client:
        context = _fetch_context(chosen, client, declared, dataset, base, is_stand_in, last_fetches=())
        return ask(context)


def _client(chosen: Settings, source: Source, base: str, is_stand_in: bool, deadline: float | None = None) -> Client:
    allowed = (publishers.host(base),) if is_stand_in else (publishers.host(base), *source.allowed_hosts)
    return Client(
        allowed, ca_bundle=chosen.ca_bundle, deadline=deadline, pacing=chosen.home / "turns", scratch=chosen.landing
    )


def _fetch_context(
    chosen: Settings,
    client: Client,
    source: Source,
    dataset: str,
    base: str,
    is_stand_in: bool,
    *,
    last_fetches: tuple[LastFetch, ...],
) -> FetchContext:
    return FetchContext(
        client=client,
        source=source,
        name=dataset,
        base_url=base,
        landing=chosen.landing,
        inbox=chosen.inbox,
        now=chosen.now(),
        last_fetches=last_fetches,
        must_be_synthetic=is_stand_in,
        key=publishers.key_of(chosen, source.source),
        inbox_url=chosen.inbox_url or None,
    )


def start_clock(chosen: Settings, run_id: str) -> None:
    """Write down when a night began: publishers that are away are asked again for a while from then."""
    _clock(chosen, run_id).write_text(chosen.now().isoformat(), encoding="utf-8")


def _clock(chosen: Settings, run_id: str, source: str = "") -> Path:
    """The file that says when a night began, or since when a publisher has been away in it; those of other days are removed."""
    folder = chosen.home / "nights"
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - 86400:
            old.unlink(missing_ok=True)
    return folder / f"{hashlib.sha256(run_id.encode()).hexdigest()[:16]}{source and '.'}{source}"


@contextmanager
def _until_fetching_ends(chosen: Settings, run_id: str, source: str) -> Iterator[None]:
    """Let a publisher that is away be asked again as long as the night still fetches; after that it is refused for good."""
    clock, away_since = _clock(chosen, run_id), _clock(chosen, run_id, source)
    try:
        yield
    except PublisherUnavailable as away:
        away_since.touch()
        begun = dt.datetime.fromisoformat(clock.read_text(encoding="utf-8")) if clock.exists() else chosen.now()
        if chosen.now() - begun < FETCHING:
            raise
        raise Refusal(
            away.code,
            away.problem,
            where=away.where,
            kept=away.kept,
            next_step=f"the night has been fetching for more than {FETCHING.seconds // 60} minutes; the next one asks again",
        ) from away
    away_since.unlink(missing_ok=True)
