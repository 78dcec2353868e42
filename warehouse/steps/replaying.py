"""Loading landed files again, from landing alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg

from ingest import attempts, landing, ledger, queue, raw
from ingest.declaration import find_source
from ingest.errors import Refusal
from ingest.load import gather_statistics
from ingest.load import load as load_file
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import loading, step, withdrawing


def replay(
    source: str, dataset: str, from_release: str | None = None, to_release: str | None = None, file: str | None = None
) -> dict[str, Any]:
    """Load landed files again, from landing alone: those of a range of releases, or one file.

    Args:
        from_release, to_release: release dates (YYYY-MM-DD), both included; None leaves that end open.
        file: path below landing, or the name of the only landed file of that name, instead of a range.

    Returns:
        How many files and rows were loaded, of which editions, and of a range the paths of the refused and of the withdrawn files that were left
        out of it.

    Raises:
        Refusal: when no landed file is meant, one of them is refused, or the one that is meant is withdrawn.
    """
    chosen, declared = step.settings(), find_source(source)
    declared.dataset(dataset)
    done = []
    with connect(chosen, LOADER, autocommit=True) as connection:
        withdrawing.settle_withdrawals(chosen, connection)
        files = (
            loading.landed_files(chosen, source, dataset) if file is None else [_meant(chosen, source, dataset, file)]
        )
        for landed in files:
            if withdrawal := landing.read_withdrawal(landed.path):
                raise withdrawing.refuse_withdrawn(landed, withdrawal, "is read no more")
            if file is not None:
                attempts.forget(landed.path)
            with connection.transaction():  # out and in again together, or not at all
                queue.lock_shared(connection, source)
                load_id, release = _ledger_line(connection, source, dataset, landed.provenance.sha256)
                # A range is of files that stand in raw; one that was refused is asked for by its path.
                if file is None and (load_id is None or not _within(release, from_release, to_release)):
                    continue
                if load_id is not None:
                    raw.take_out(connection, source, dataset, [load_id])
                    ledger.supersede(connection, [load_id])
                done.append(load_file(connection, declared, dataset, landed, chosen.now(), chosen.landing))
        gather_statistics(connection, declared, dataset)
        asked = (connection, source, dataset, from_release, to_release)
        refused = _left_out(*asked, "refused") if file is None else []
        withdrawn = _left_out(*asked, "withdrawn") if file is None else []
    if not done:
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            f"no loaded file of {source} {dataset} lies in that range",
            next_step="a range is of files that stand in raw; one that was refused is loaded by its path: "
            f"`vru replay {source} {dataset} --file {refused[0] if refused else 'PATH'}` (`vru loads` gives each path)"
            + (f"; one that was withdrawn by landing it by hand: {', '.join(withdrawn)}" if withdrawn else ""),
        )
    rows = sum(loaded.rows for loaded in done)
    editions = sorted({loaded.release_date.isoformat() for loaded in done})
    return {"files": len(done), "rows": rows, "editions": editions, "refused": refused, "withdrawn": withdrawn}


def _ledger_line(
    connection: psycopg.Connection, source: str, dataset: str, sha256: str
) -> tuple[int | None, dt.date | None]:
    row = connection.execute(
        """select load_id, release_date from ops.load
           where source = %s and dataset = %s and sha256 = %s and state in ('loaded', 'set_aside')""",
        [source, dataset, sha256],
    ).fetchone()
    return row or (None, None)


def _meant(chosen: Settings, source: str, dataset: str, file: str) -> landing.LandedFile:
    """The landed file that a person means by its path below landing, or by its name."""
    if "/" in file:
        return landing.find(chosen.landing, file)
    paths = landing.find_by_name(chosen.landing, source, dataset, file)
    if len(paths) != 1:
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            f"{len(paths) or 'no'} landed files of {source} {dataset} have the name {file}",
            next_step=f"give the path of one: {', '.join(paths)}" if paths else "`vru loads` gives the path of each",
        )
    return landing.find(chosen.landing, paths[0])


def _left_out(
    connection: psycopg.Connection, source: str, dataset: str, first: str | None, last: str | None, state: str
) -> list[str]:
    """Paths of the files that were refused, or withdrawn, and have not stood since.

    Of most that were refused nobody knows which release they would have been.
    """
    rows = connection.execute(
        """select landed_path, max(release_date) from ops.load
           where source = %s and dataset = %s
           group by landed_path, sha256
           having coalesce((array_agg(state order by load_id desc) filter (where state <> 'refused'))[1], 'refused') = %s
           order by min(load_id)""",
        [source, dataset, state],
    ).fetchall()
    return [path for path, release in rows if release is None or _within(release, first, last)]


def _within(release: dt.date | None, first: str | None, last: str | None) -> bool:
    if release is None:
        return first is None and last is None
    return (first is None or release >= dt.date.fromisoformat(first)) and (
        last is None or release <= dt.date.fromisoformat(last)
    )
