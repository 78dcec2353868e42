"""Editions of a file: when one was published, which one stands in raw, what a newer one changed."""

from __future__ import annotations

import dataclasses
import datetime as dt

import psycopg

from ingest import ledger, raw
from ingest.declaration import Dataset, Source
from ingest.errors import Refusal
from ingest.landing import LandedFile, events
from ingest.naming import label_of

# Of the next month's sum: a first month with less is partial (the model int_mps_partial_month says the same).
PARTIAL = 0.5


@dataclasses.dataclass(frozen=True)
class Edition:
    """An edition whose rows stand in raw.

    Attributes:
        release_date: when it was published.
        vintage: which vintage of the publisher's categories it is written in, where there are several.
        first, last: the days it is about.
        totals: by month (YYYY-MM; empty: all of it) the sum of its values, or its rows.
    """

    load_id: int
    release_date: dt.date
    vintage: str | None
    rows: int
    first: dt.date | None
    last: dt.date | None
    totals: dict[str, float]


def date_of(newest: dt.date | None, dataset: Dataset, landed: LandedFile) -> dt.date:
    """When an edition was published that nobody dates: by its newest month where the dataset says so, else when it was landed.

    Args:
        newest: the last day that it is about.
    """
    if newest is None or dataset.release is None:
        return landed.provenance.landed_at.date()
    months = newest.year * 12 + newest.month - 1 + dataset.release.months_after_newest
    return dt.date(months // 12, months % 12 + 1, 1)


def check_same_date(landed: LandedFile, release_date: dt.date) -> None:
    """Refuse bytes that stand in raw as the edition of another day than is now given.

    Raises:
        Refusal: naming both dates.
    """
    given = landed.provenance.release_date
    if given and given != release_date:
        raise Refusal(
            "RELEASE_DATE_IMPOSSIBLE",
            f"the same bytes stand in raw as the edition of {release_date}, and are now given as that of {given}",
            where=label_of(landed.provenance),
            kept="nothing changed",
            next_step="leave out --release, or give the one they were landed with",
        )


def was_replaced(connection: psycopg.Connection, load_id: int) -> bool:
    """Whether another file of the same dataset and release date came after this one."""
    return (
        connection.execute(
            """select 1 from ops.load as later inner join ops.load as this on this.load_id = %s
               where later.source = this.source and later.dataset = this.dataset and later.state = 'loaded'
                 and later.part = this.part and later.release_date = this.release_date and later.load_id <> this.load_id
                 and (later.landed_at, later.load_id) > (this.landed_at, this.load_id)""",
            [load_id],
        ).fetchone()
        is not None
    )


def as_returned(connection: psycopg.Connection, source: Source, name: str, part: str, landed: LandedFile) -> LandedFile:
    """A file that had been superseded and came again, dated now: the publisher went back to it. Any other file as it is.

    Its provenance is of the first time, and by that date it would be history at once.
    """
    if landed.arrived_at <= landed.provenance.landed_at:
        return landed
    row = connection.execute(
        """select max(release_date) filter (where state = 'loaded'), bool_or(sha256 = %s and state = 'superseded')
           from ops.load where source = %s and dataset = %s and part = %s""",
        [landed.provenance.sha256, source.source, name, part],
    ).fetchone()
    if row is None or row[0] is None or not row[1]:
        return landed
    events.note_return(landed.path, landed.arrived_at)
    return dataclasses.replace(
        landed, provenance=dataclasses.replace(landed.provenance, landed_at=landed.arrived_at, release_date=row[0])
    )


def standing_edition(connection: psycopg.Connection, source: Source, name: str, part: str) -> Edition | None:
    """The newest edition of a dataset and part that stands in raw, if there is one."""
    row = connection.execute(
        """select load_id, release_date, classification, rows_loaded, first_period, last_period, totals from ops.load
           where source = %s and dataset = %s and part = %s and state = 'loaded'
           order by release_date desc, landed_at desc, load_id desc limit 1""",
        [source.source, name, part],
    ).fetchone()
    return Edition(*row) if row else None


def partial_months(dataset: Dataset, *totals: dict[str, float]) -> list[str]:
    """The first months, of files with these totals, that had all but left the window: nothing is to be compared with them."""
    if not dataset.layout.first_month_may_be_partial:
        return []
    firsts = [(found, sorted(found)[:2]) for found in totals]
    return sorted({two[0] for found, two in firsts if len(two) > 1 and found[two[0]] < PARTIAL * found[two[1]]})


def changes_against(before: Edition, dataset: Dataset, rows: int, totals: dict[str, float]) -> dict[str, object]:
    """What an edition changed against the one before: rows, the sum, which months came and went, and which were revised.

    A partial month is in the sum, which is of the whole files, and is no revision.
    """
    now, then = totals, before.totals
    partial = partial_months(dataset, now, then)
    in_both = [month for month in sorted(now.keys() & then) if month not in partial]
    revised = {month: now[month] - then[month] for month in in_both if now[month] != then[month]}
    most = max(revised, key=lambda month: abs(revised[month]), default=None)
    return {
        "against_load": before.load_id,
        "rows": rows - before.rows,
        "sum": sum(now.values()) - sum(then.values()),
        "months_new": sorted(now.keys() - then),
        "months_gone": sorted(then.keys() - now),
        "months_partial": partial,
        "months_in_both": len(in_both),
        "months_revised": len(revised),
        "revised_by": sum(revised.values()),
        "revised_most": {"month": most, "by": revised[most]} if most is not None else None,
    }


def keep_newest(connection: psycopg.Connection, source: Source, name: str, part: str) -> None:
    """Take all but the newest edition of a part out of raw; landing keeps them."""
    older = connection.execute(
        """with stands as (
               select load_id, row_number() over (order by release_date desc, landed_at desc, load_id desc) as age, state
               from ops.load where source = %s and dataset = %s and part = %s and state in ('loaded', 'set_aside')
           )
           select load_id from stands where age > (select min(age) from stands where state = 'loaded')""",
        [source.source, name, part],
    ).fetchall()
    if older:
        ids = [load_id for (load_id,) in older]
        raw.take_out(connection, source.source, name, ids)
        ledger.supersede(connection, ids)
