"""The fourth step of a load: whether a delivery may stand, by itself and against the edition that stands.

What holds for one publisher alone stands beside its declaration, in ingest/sources/<source>/checks.py, which may define

- `check_rows(delivery)`: asked first, whether what came is whole and right by its own account, and its months are those of its dataset;
- `check_against(delivery, edition)`: whether it may follow the edition that stands; returns what it lacks and may lack, in words;
- `doubt(delivery, edition)`: whether its new periods follow those that stand (`periods`); returns why not, and the load is set aside before the next build;
- `check(delivery)`: asked last, whether the file has what its publisher always gives; returns its rows by the labels that tell so
  (`ops.load.label_counts`).

Each but `doubt` raises `delivery.refuse(...)`. `check` judges by the file alone, so that a first delivery is judged as any other. What only the months
beside a file can tell is judged before each build (`set_aside`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import importlib.util
from functools import cache
from typing import Any

from ingest import editions
from ingest.checks import against_standing, by_itself
from ingest.checks.by_itself import MONTHS_BESIDE, few, many
from ingest.delivery import Delivery, Labels, borough_names
from ingest.editions import Edition
from ingest.errors import Wrong

__all__ = ["MONTHS_BESIDE", "Checked", "borough_names", "check", "few", "many"]


@dataclasses.dataclass(frozen=True)
class Checked:
    """A delivery that may stand.

    Attributes:
        release_date: when this edition was published, as given or worked out.
        standing: the newest edition of its part that stands, where there is one.
        labels: its rows by the labels that tell whether a month of its dataset is whole.
        drift: how it differs from what is declared, and from the edition that stands (`ingest.ledger.describe_drift`).
        doubt: why no build may take it unless a person says that it is true; None where nothing speaks against it.
    """

    delivery: Delivery
    release_date: dt.date
    standing: Edition | None
    labels: Labels
    drift: dict[str, list[str]]
    doubt: Wrong | None


def check(delivery: Delivery, now: dt.datetime) -> Checked:
    """See that a delivery may stand.

    Raises:
        FaultyFile: it is another's, is not whole, or cannot follow the edition that stands.
    """
    own, file, done = _own_checks(delivery.source.source), delivery.opened.file, delivery.done
    drift = dict(delivery.opened.drift)
    if hasattr(own, "check_rows"):
        own.check_rows(delivery)
    release_date = file.landed.provenance.release_date or editions.date_of(done.last, file.dataset, file.landed)
    by_itself.check_dates(delivery, release_date, now)
    by_itself.check_rows_of_its_month(delivery)
    standing = editions.standing_edition(delivery.cursor.connection, file.source, file.name, file.part)
    if standing is not None:
        against_standing.check_not_older(delivery, standing)
        if release_date >= standing.release_date:
            against_standing.check_not_cut(delivery, standing)
            against_standing.check_is_a_revision(delivery, standing)
            if hasattr(own, "check_against") and (gone := own.check_against(delivery, standing)):
                drift["rows gone"] = gone
    if done.repeats:
        drift["repeated rows"] = [f"{len(done.repeats):,}, the first in row {done.repeats[0]:,}"]
    by_itself.check_name(delivery)
    by_itself.check_months_beside(delivery)
    labels = own.check(delivery) if hasattr(own, "check") else {}
    doubt = own.doubt(delivery, standing) if hasattr(own, "doubt") else None
    return Checked(delivery, release_date, standing, labels, drift, doubt)


@cache
def _own_checks(source: str) -> Any:
    """The checks of one publisher alone; None where a source has none."""
    module = f"ingest.sources.{source}.checks"
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # a source declared in a test has no folder
    return importlib.import_module(module) if found else None
