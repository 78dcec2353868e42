"""The ways in which data arrive, by the `kind` of a dataset's declared location. What serves one publisher alone lies in its source's folder."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from ingest.connectors import file_at_url, inbox, london_datastore
from ingest.connectors.fetch_context import Connector, FetchContext, Finding
from ingest.declaration import Dataset, Source
from ingest.errors import NO_ROOM, BodyRefused, PublisherUnavailable, Refusal, unforeseen

_SHARED = {
    "inbox": inbox,
    "file_at_url": file_at_url,
    "london_datastore": london_datastore,
}


def connector_of(source: Source, dataset: Dataset) -> Connector:
    """The connector of a dataset: one that several sources use, or `connector.py` in the folder of its source."""
    shared = _SHARED.get(dataset.location.kind)
    return cast(Connector, shared or importlib.import_module(f"ingest.sources.{source.source}.connector"))


@contextmanager
def refuse_unforeseen(context: FetchContext, where: str = "") -> Iterator[None]:
    """Make a refusal of what a connector did not foresee: a publisher can write what no reader expects.

    Args:
        where: the address that was asked; without it, the dataset.

    Raises:
        BodyRefused: naming the kind of exception and the place in the code. Its text may hold what a body held, and is not shown.
        Refusal: the disk is full, which is nobody's fault but ours.
    """
    try:
        yield
    except Refusal:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person gets a sentence and no traceback
        where = where or f"{context.source.source} {context.name}"
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise Refusal(
                "DISK_FULL",
                f"there is no room on this machine's disk ({error.strerror})",
                where=where,
                kept="nothing of it was landed; the last good data stand",
                next_step=f"make room on the disk of {context.landing} and run the same again",
            ) from None
        raise BodyRefused(
            "UNFORESEEN",
            f"what came {unforeseen(error)}",
            where=where,
            kept="nothing of it was loaded; the last good data stand",
            next_step="the next run asks again; if it stays so, report this sentence: a connector lacks a check",
        ) from None


def check(context: FetchContext) -> list[Finding]:
    """What differs between a publisher and what is declared of a dataset; a connector that cannot say is asked for its list."""
    way = connector_of(context.source, context.dataset)
    try:
        with refuse_unforeseen(context):
            if hasattr(way, "check"):
                return way.check(context)
            way.list_editions(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(context.name, refused.problem, refused.code)]
    return []
