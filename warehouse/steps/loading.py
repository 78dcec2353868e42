"""Loading: landed files into raw, those of this night and those that an earlier one left over."""

from __future__ import annotations

import dataclasses
from typing import Any

from ingest import attempts, landing
from ingest.declaration import Source, find_source
from ingest.errors import FileRefused, Refusal, together
from ingest.load import Loaded, gather_statistics
from ingest.load import load as load_file
from warehouse.build import transform
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step, withdrawing


def load(run_id: str, source: str, dataset: str, landed: list[str]) -> dict[str, Any]:
    """Load landed files into raw: those named, any that an earlier night landed and did not get to load, and those that were refused
    for what has changed since.

    Returns:
        How many files and rows are new, and of which editions (days) they are.

    Raises:
        FileRefused: after every file has been tried; names each that was refused.
    """
    chosen, declared = step.settings(), find_source(source)
    refused: list[Refusal] = []
    files = rows = 0
    editions: set[str] = set()
    with step.noted(run_id, "load", f"{source} {dataset}"), connect(chosen, LOADER, autocommit=True) as connection:
        returned = _returned(chosen, source, dataset)
        refused_before = _refused_before(chosen, source, dataset)
        codes = _codes_of_refused(chosen, source, dataset)
        again = [path for path in refused_before if path not in landed]
        for path in dict.fromkeys([*_unloaded(chosen, source, dataset), *returned, *landed, *again]):
            try:
                file = landing.find(chosen.landing, path)
                if withdrawal := landing.read_withdrawal(file.path):
                    raise withdrawing.refuse_withdrawn(
                        file, withdrawal, "came again", "; else ask its sender to take it away"
                    )
                if refused_before.get(path):
                    attempts.forget(file.path)
                if path in landed or path in returned:
                    file = dataclasses.replace(file, arrived_at=chosen.now())
                done = load_file(connection, declared, dataset, file, chosen.now(), chosen.landing)
            except Refusal as refusal:
                # Of a file that is refused as it was, the alert went out then, also where the same bytes came again.
                if not isinstance(refusal, FileRefused) or (path not in again and codes.get(path) != refusal.code):
                    refused.append(refusal)
                continue
            files += done.is_new
            rows += done.rows if done.is_new else 0
            editions |= {done.release_date.isoformat()} if done.is_new else set()
        if files:
            gather_statistics(connection, declared, dataset)
        if len(refused) == 1:
            raise refused[0]
        if refused:
            raise FileRefused(refused[0].code, together(refused))
    return {"files": files, "rows": rows, "editions": sorted(editions)}


def load_one(chosen: Settings, source: Source, dataset: str, landed: landing.LandedFile) -> Loaded:
    """Load one landed file. Raises as ingest.load.load."""
    attempts.forget(landed.path)
    with connect(chosen, LOADER, autocommit=True) as connection:
        withdrawing.settle_withdrawals(chosen, connection)
        done = load_file(connection, source, dataset, landed, chosen.now(), chosen.landing)
        if done.is_new:
            gather_statistics(connection, source, dataset)
        return done


def landed_files(chosen: Settings, source: str, dataset: str) -> list[landing.LandedFile]:
    """A dataset's landed files, each time they came, oldest first; none that was withdrawn."""
    return [
        f
        for f in landing.every_file(chosen.landing)
        if (f.provenance.source, f.provenance.dataset) == (source, dataset)
    ]


def _unloaded(chosen: Settings, source: str, dataset: str) -> list[str]:
    """Landed files that no line of the ledger speaks of: a night was killed between landing and loading them."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute("select sha256 from ops.load where source = %s and dataset = %s", [source, dataset])
        known = {sha256 for (sha256,) in rows}
    return [
        file.path.relative_to(chosen.landing).as_posix()
        for file in landed_files(chosen, source, dataset)
        if file.provenance.sha256 not in known
    ]


def _codes_of_refused(chosen: Settings, source: str, dataset: str) -> dict[str, str]:
    """Landed files that were refused when they were last judged, each with the code it was refused by."""
    with connect(chosen, LOADER) as connection:
        return dict(
            connection.execute(
                """select landed_path, code from (
                     select distinct on (sha256) landed_path, code, state from ops.load where source = %s and dataset = %s
                     order by sha256, load_id desc
                   ) as newest where state = 'refused' and code is not null""",
                [source, dataset],
            ).fetchall()
        )


def _refused_before(chosen: Settings, source: str, dataset: str) -> dict[str, bool]:
    """Files that their publisher offers, that were refused, and that may be taken now, each with whether the code is another.

    A refusal is not of the bytes alone. Another file of the source has been loaded since (one that leaves no hole any more, say), or the code, a correction or a seed has
    changed since the last build before.
    """
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            """select
                 refused.landed_path,
                 exists (
                   select from ops.load as other
                   where other.source = refused.source and other.state in ('loaded', 'superseded')
                     and other.loaded_at > refused.loaded_at
                 ),
                 (
                   select c.code_version from ops.candidate as c where c.begun_at <= refused.loaded_at
                   order by c.begun_at desc limit 1
                 )
               from (
                 select distinct on (sha256) * from ops.load where source = %(source)s and dataset = %(dataset)s
                 order by sha256, load_id desc
               ) as refused
               where refused.state = 'refused'
                 and refused.sha256 in (
                   select sha256 from ops.fetched_address where source = %(source)s and dataset = %(dataset)s
                 )
               order by refused.load_id""",
            {"source": source, "dataset": dataset},
        ).fetchall()
    version = transform.code_version() if rows else None
    return {
        path: code not in (None, version)
        for path, is_other_loaded, code in rows
        if (is_other_loaded or code not in (None, version)) and (chosen.landing / path).is_file()
    }


def _returned(chosen: Settings, source: str, dataset: str) -> list[str]:
    """Landed files that their publisher went back to, and that do not speak for it: a night was killed before it loaded them again."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            """select distinct this.landed_path
               from ops.fetched_address as seen
               inner join ops.load as this
                 on this.source = seen.source and this.dataset = seen.dataset and this.sha256 = seen.sha256
                   and this.state in ('loaded', 'superseded')
               inner join ops.load as later
                 on later.source = this.source and later.dataset = this.dataset and later.part = this.part
                   and later.release_date = this.release_date and later.state = 'loaded' and later.sha256 <> this.sha256
                   and later.landed_at > this.landed_at and later.landed_at < seen.fetched_at
               where seen.source = %s and seen.dataset = %s
                 and not exists (
                   select from ops.load as newer
                   where newer.source = this.source and newer.dataset = this.dataset and newer.sha256 = this.sha256
                     and newer.landed_at >= seen.fetched_at
                 )""",
            [source, dataset],
        ).fetchall()
    return [path for (path,) in rows]
