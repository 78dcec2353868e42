"""What a delivery says of itself against the rows it brought: its name, and whether it is all of what its publisher gives.

What holds for one publisher alone stands beside its declaration, in ingest/sources/<source>/checks.py: a function `check` that takes a
`Delivery`. It judges by the file alone, so the order in which files come never matters. What only the months beside it can tell is
judged before each build (warehouse/build/set_aside.py).
"""

from __future__ import annotations

import calendar
import csv
import dataclasses
import datetime as dt
import importlib
import importlib.util
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import psycopg
from psycopg import sql

from ingest.copying import Copied
from ingest.declaration import SEEDS, Dataset, DatastoreFile, FileAtUrl, Inbox, Source, raw_table
from ingest.readers.faults import NEXT_DAMAGED, FaultyFile, file_fault, some_of

NEXT_NAME = "if its name is wrong, give it the name it was published under; if its rows are, fetch it again"
LATER_THAN_DUE = 3  # months by which the date in a name may be after the release that its newest month makes due
MONTHS_BESIDE = 6  # on either side of a month, that say how much a whole one has
ENOUGH_TO_JUDGE_BY = 100  # of a month beside it, or of one label there
LEAST_SHARE, MOST_TIMES = 0.25, 4  # of the median of the months beside it
MONTHS_TO_TELL_TOO_MUCH = 3


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A file whose rows stand in raw, in a transaction that can still be undone.

    Attributes:
        cursor: of that transaction, as vru_loader.
        source, name: the declared source and the dataset's name.
        load_id: what its rows in raw have as `_load_id`.
        part: what its name says it is about (`part_pattern`); empty where it is about all of its dataset.
        file_name: the name it was published, or handed over, under.
        is_synthetic: a stand-in publisher invented it.
        done: what was copied.
    """

    cursor: psycopg.Cursor
    source: Source
    name: str
    load_id: int
    part: str
    file_name: str
    is_synthetic: bool
    done: Copied

    @property
    def dataset(self) -> Dataset:
        return self.source.dataset(self.name)

    def rows(self, query: str, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        """Rows of a query over `delivered`, this delivery's rows in raw; `parts` take the places of their names in braces."""
        table = sql.Identifier("raw", raw_table(self.source.source, self.name))
        delivered = sql.SQL("with delivered as (select * from {} where _load_id = {}) ").format(
            table, sql.Literal(self.load_id)
        )
        return self.cursor.execute(delivered + sql.SQL(query).format(**parts)).fetchall()

    def refuse(self, code: str, reason: str, next_step: str = NEXT_DAMAGED) -> FaultyFile:
        """The refusal of the whole file, to be raised."""
        return FaultyFile([file_fault(code, reason)], self.done.rows, next_step)


Labels = Mapping[str, int]  # rows by label


def check(delivery: Delivery) -> Labels:
    """See that a delivery's name agrees with its rows, and that it is whole as far as it shows by itself.

    Returns:
        Its rows by the labels that tell whether a month of its dataset is whole (ops.load.label_counts); empty where none do.

    Raises:
        FaultyFile: it is another's, or lacks what its publisher always gives.
    """
    _check_name_of_its_dataset(delivery)
    _check_dates_in_name(delivery)
    _check_months_beside(delivery)
    own = _own_check(delivery.source.source)
    return own(delivery) if own else {}


@cache
def _own_check(source: str) -> Callable[[Delivery], Labels] | None:
    module = f"ingest.sources.{source}.checks"
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None  # a source declared in a test has no folder
    return importlib.import_module(module).check if found else None


def _check_name_of_its_dataset(delivery: Delivery) -> None:
    """Refuse a file under the name of another dataset of its source."""
    if _names(delivery.name, delivery.dataset, delivery.file_name):
        return
    others = [name for name, other in delivery.source.datasets.items() if _names(name, other, delivery.file_name)]
    if others:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"has the name of a file of {' or '.join(others)}, and came as {delivery.name}",
            NEXT_NAME,
        )


def _names(name: str, dataset: Dataset, file_name: str) -> bool:
    """Whether a file's name is one that its publisher gives files of this dataset, and of no other."""
    location = dataset.location
    if isinstance(location, Inbox):
        return file_name.casefold().startswith((name, location.folder or name))
    if isinstance(location, FileAtUrl):
        return location.path.rpartition("/")[2].casefold() == file_name.casefold()
    if not isinstance(location, DatastoreFile):
        return False
    return location.file_name.casefold() == file_name.casefold() or (
        location.file_pattern is not None and re.fullmatch(location.file_pattern, file_name) is not None
    )


def _check_dates_in_name(delivery: Delivery) -> None:
    """Refuse a file whose name says other months, or another release, than its rows can be of."""
    first, last = delivery.done.first, delivery.done.last
    if delivery.part or first is None or last is None:
        return
    stem = delivery.file_name.rpartition(".")[0]
    months = r"(20\d{2})[-_]?(0[1-9]|1[0-2])"
    if span := re.search(rf"(?<!\d){months}(?:-|_|_to_| to ){months}(?!\d)", stem):
        said = (dt.date(int(span[1]), int(span[2]), 1), dt.date(int(span[3]), int(span[4]), 1))
        if said != (first.replace(day=1), last.replace(day=1)):
            raise delivery.refuse(
                "NAME_DIFFERS_FROM_ROWS",
                f"has months from {said[0]:%Y-%m} to {said[1]:%Y-%m} by its name, and its rows are of {first:%Y-%m} to {last:%Y-%m}",
                NEXT_NAME,
            )
        return
    if dated := re.search(rf"(?<!\d){months}(?:[-_]?(\d{{2}}))?$", stem):
        year, month, day = int(dated[1]), int(dated[2]), int(dated[3] or 0)
        if day > calendar.monthrange(year, month)[1]:
            return
        later = (year - last.year) * 12 + month - last.month
        due = delivery.dataset.release.months_after_newest if delivery.dataset.release else 1
        if not 0 <= later <= due + LATER_THAN_DUE:
            raise delivery.refuse(
                "NAME_DIFFERS_FROM_ROWS",
                f"is of {year}-{month:02} by its name, and its newest month is {last:%Y-%m}",
                NEXT_NAME,
            )


def few(what: str, found: float, beside: Iterable[float]) -> str | None:
    """Why a month is not whole, as a sentence, by what the months beside it have; None where they do not say so."""
    enough = [count for count in beside if count >= ENOUGH_TO_JUDGE_BY]
    if not enough or found >= LEAST_SHARE * (middle := statistics.median(enough)):
        return None
    return (
        f"has {found:,.10g} {what}, less than a quarter of the {middle:,.0f} that the months beside it have "
        f"({len(enough)} of them, up to {MONTHS_BESIDE} before and after): it is not all of the month"
    )


def _many(what: str, found: float, beside: Iterable[float]) -> str | None:
    """Why a month of a file has too much, as a sentence. Months that came in files of their own may be the ones that are cut."""
    enough = [count for count in beside if count >= ENOUGH_TO_JUDGE_BY]
    if len(enough) < MONTHS_TO_TELL_TOO_MUCH or found <= MOST_TIMES * (middle := statistics.median(enough)):
        return None
    return (
        f"has {found:,.10g} {what}, more than {MOST_TIMES} times the {middle:,.0f} that the months beside it have "
        f"({len(enough)} of them, up to {MONTHS_BESIDE} before and after): rows are doubled, or of other months too"
    )


def _check_months_beside(delivery: Delivery) -> None:
    """Refuse a file of many months one of which has next to nothing, or several times, of what the months beside it in the file have."""
    if delivery.dataset.part_is_month or delivery.dataset.layout.has_sheet_column:
        return  # a file of one month, and of a few late entries of others; or one whose sheets begin and end at months of their own
    months = sorted(month for month in delivery.done.totals if month)
    if delivery.dataset.layout.first_month_may_be_partial:
        months = months[1:]
    totals = [delivery.done.totals[month] for month in months]
    what = "in all" if delivery.dataset.layout.month_columns else "rows"
    for place, month in enumerate(months):
        beside = totals[max(place - MONTHS_BESIDE, 0) : place] + totals[place + 1 : place + 1 + MONTHS_BESIDE]
        about = f"{what} in {month}"
        reason = few(about, totals[place], beside)
        if delivery.dataset.layout.month_columns:  # elsewhere a publisher may begin to give more rows a month
            reason = reason or _many(about, totals[place], beside)
        if reason:
            raise delivery.refuse("MONTH_NOT_WHOLE", reason)


@cache
def seed(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of a seed of dbt's."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def borough_names() -> dict[str, str]:
    """Name by code of the 32 boroughs."""
    return {row["borough_code"]: row["borough_name"] for row in seed("boroughs")}


def named(codes: Sequence[str]) -> str:
    """Areas in words, by their codes: boroughs by name."""
    names = borough_names()
    return some_of([f"{names[code]} ({code})" if code in names else code for code in sorted(codes)])
