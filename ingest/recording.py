"""The last step of a load: its line in the ledger, what landing must know of it, and which edition speaks now."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from ingest import editions, ledger
from ingest.checks import Checked
from ingest.landing import events
from ingest.landing.store import note_release_date


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What loading a file came to."""

    load_id: int
    release_date: dt.date
    rows: int
    is_new: bool
    is_history: bool  # a newer edition covers every month of it
    quarantined: int = 0  # rows that are not in raw, each with its reason in quarantine.refused_row
    was_withdrawn: dict[str, str] | None = None  # when, by whom and why, where these bytes had been
    is_back: bool = False  # it stood in raw, another file of its release date had taken its place, and it came again
    set_aside: str | None = None  # why no build takes it
    stands_as: str = ""  # what messages call bytes that were loaded before, maybe under another name
    drift: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # as in ops.load
    doubt: str | None = None  # why no build takes it unless a person accepts it

    def __str__(self) -> str:
        if self.is_back:
            return f"came again (load {self.load_id}, edition of {self.release_date}): it speaks for its months again"
        if self.set_aside:
            return f"already loaded (load {self.load_id}, edition of {self.release_date}) and set aside: {self.set_aside}; nothing changed"
        if not self.is_new:
            return f"already loaded as {self.stands_as} (load {self.load_id}, edition of {self.release_date}): nothing changed"
        note = f"; {self.quarantined:,} quarantined" if self.quarantined else ""
        # A column that may be missing, or a correction that was confirmed, is on record and nobody's work.
        new = {kind: names for kind, names in self.drift.items() if kind in ledger.WARNED}
        known = {kind: names for kind, names in self.drift.items() if kind not in new}
        note += f"; WARNING: {ledger.describe_drift(new)}" if new else ""
        note += f"; WARNING: it {self.doubt}: no build takes it unless it is accepted" if self.doubt else ""
        note += f"; {ledger.describe_drift(known)}" if known else ""
        note += (
            "; older than what is loaded, so it is kept as history (`--release` says when it was published)"
            if self.is_history
            else ""
        )
        if self.was_withdrawn:
            gone = self.was_withdrawn
            note += f"; withdrawn on {gone['withdrawn_at'][:10]} by {gone['withdrawn_by']} ({gone['reason']}), and now stands again"
        return f"loaded {self.rows:,} rows (load {self.load_id}, edition of {self.release_date}{note})"


def record(checked: Checked, now: dt.datetime, landing: Path) -> Loaded:
    """Write down that a delivery stands, in the transaction in which its rows were copied.

    Args:
        now: the time for the ledger.
        landing: the landing folder (paths in the ledger are relative to it).

    Returns:
        What loading came to.
    """
    delivery, standing, release = checked.delivery, checked.standing, checked.release_date
    file, done, cursor = delivery.opened.file, delivery.done, delivery.cursor
    newer = cursor.execute(
        """select 1 from ops.load where source = %s and dataset = %s and part = %s and state = 'loaded'
           and release_date > %s""",
        [file.source.source, file.name, file.part, release],
    ).fetchone()
    is_history = newer is not None
    changes = (
        editions.changes_against(standing, file.dataset, done.rows, done.totals) if standing and not is_history else {}
    )
    ledger.record(
        cursor, file.source, file.name, file.landed, now, landing,
        load_id=delivery.load_id, state="loaded", part=file.part, release=release, classification=delivery.opened.vintage,
        drift=checked.drift, first=done.first, last=done.last, loaded=done.rows, quarantined=done.rows_quarantined,
        totals=done.totals, changes=changes, label_counts=checked.labels, doubt=checked.doubt,
    )  # fmt: skip
    ledger.quarantine(cursor, delivery.load_id, done.quarantined)
    note_release_date(file.as_landed)
    events.note_loaded(file.landed.path)
    if file.keeps_newest_only:
        editions.keep_newest(cursor.connection, file.source, file.name, file.part)
    return Loaded(
        delivery.load_id,
        release,
        done.rows,
        is_new=True,
        is_history=is_history,
        quarantined=done.rows_quarantined,
        was_withdrawn=file.withdrawal,
        drift=checked.drift,
        doubt=checked.doubt.reason if checked.doubt else None,
    )
