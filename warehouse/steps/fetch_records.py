"""What the database keeps of fetches: how each ended (ops.dataset), and what was where (ops.fetched_address)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest.connectors.fetch_context import Fetched, LastFetch
from ingest.errors import Refusal
from ingest.naming import shown_address
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings


@contextmanager
def fetch_recorded(chosen: Settings, run_id: str, source: str, dataset: str) -> Iterator[None]:
    """Note the outcome of a fetch on the dataset, where `marts.data_status` reads it."""

    def note(reason: str | None, code: str | None = None) -> None:
        with connect(chosen, LOADER) as connection:
            connection.execute(
                """update ops.dataset set last_checked_at = %(now)s, last_check_failed_because = %(reason)s,
                       last_check_failed_code = %(code)s,
                       failing_since = case when %(reason)s::text is null then null else coalesce(failing_since, %(now)s) end
                   where source = %(source)s and dataset = %(dataset)s""",
                {"now": chosen.now(), "reason": reason, "code": code, "source": source, "dataset": dataset},
            )
            if reason is None:  # at this try: what went wrong at one before is nobody's concern any more
                connection.execute(
                    "delete from ops.run_problem where run_id = %s and step = 'fetch' and subject = %s",
                    [run_id, f"{source} {dataset}"],
                )

    try:
        yield
    except Refusal as refusal:
        note(str(refusal), refusal.code)
        raise
    note(None)


def last_fetches(chosen: Settings, source: str, dataset: str) -> tuple[LastFetch, ...]:
    """What was where at the last fetch, as far as its bytes still stand in landing and were read."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            "select url, etag, last_modified, sha256 from ops.fetched_address where source = %s and dataset = %s",
            [source, dataset],
        ).fetchall()
    folder = chosen.landing / source / dataset
    held = {file.name.partition(".")[0] for file in folder.glob("*.papers.json")}
    return tuple(LastFetch(*row) for row in rows if row[3] in held)


def remember(chosen: Settings, source: str, dataset: str, *found: Fetched) -> None:
    """Write down what was found at addresses, for the next fetch to ask only for what has changed."""
    if not found:
        return
    with connect(chosen, LOADER) as connection:
        connection.cursor().executemany(
            """insert into ops.fetched_address (source, dataset, url, etag, last_modified, sha256, bytes, fetched_at, checked_at)
               values (%(source)s, %(dataset)s, %(url)s, %(etag)s, %(modified)s, %(sha256)s, %(bytes)s, %(now)s, %(now)s)
               on conflict (source, dataset, url) do update set checked_at = excluded.checked_at, etag = excluded.etag,
                   last_modified = excluded.last_modified, sha256 = excluded.sha256,
                   bytes = case when %(is_new)s then excluded.bytes else fetched_address.bytes end,
                   fetched_at = case when %(is_new)s then excluded.fetched_at else fetched_address.fetched_at end""",
            [
                {
                    "source": source,
                    "dataset": dataset,
                    "url": shown_address(source, one.offer.url),
                    "etag": one.etag,
                    "modified": one.last_modified,
                    "sha256": one.sha256,
                    "bytes": one.bytes,
                    "now": chosen.now(),
                    "is_new": one.landed is not None,
                }
                for one in found
            ],
        )
