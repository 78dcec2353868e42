"""What a delivery shows by itself: whether its name, its dates and its months agree, and whether it is whole."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import statistics
from collections.abc import Iterable

from ingest.declaration import Dataset, DatastoreFile, FileAtUrl, Inbox
from ingest.delivery import NEXT_NAME, Delivery

CALENDAR = (dt.date(2000, 1, 1), dt.date(2039, 12, 31))  # what dim_month has: every period of a mart begins in it
LATER_THAN_DUE = 3  # months by which the date in a name may be after the day on which its newest month makes it due
MONTHS_BESIDE = 6  # on either side of a month, that say how much a whole one has
ENOUGH_TO_JUDGE_BY = 100  # of a month beside it, or of one label there
LEAST_SHARE, MOST_TIMES = 0.25, 4  # of the median of the months beside it
# Where all of London is counted (the least month of the Met since 2010 had seven tenths of those beside it), half of a month is half of a file.
LARGE_MONTH, LEAST_SHARE_OF_A_LARGE_MONTH = 10_000, 0.6
MONTHS_TO_TELL_TOO_MUCH = 3


def check_dates(delivery: Delivery, release_date: dt.date, now: dt.datetime) -> None:
    """Refuse a file of another dataset by its dates: it would speak for its months until its date has come; and days that the marts
    have no month for.

    Args:
        release_date: when this edition was published, as given or worked out.
    """
    done, dataset = delivery.done, delivery.dataset
    # Of what is not published by its months, the models leave out what came before.
    first = done.first if dataset.release else None
    outside = [day for day in (first, done.last) if day and not CALENDAR[0] <= day <= CALENDAR[1]]
    if outside:
        raise delivery.refuse(
            "OUTSIDE_CALENDAR",
            f"is about {outside[0]:%Y-%m}, and the calendar of the marts is {CALENDAR[0]:%Y-%m} to {CALENDAR[1]:%Y-%m}",
            "see how its dates are written; or take those rows out",
        )
    if release_date > (now + dt.timedelta(days=1)).date():
        raise delivery.refuse(
            "RELEASE_DATE_IMPOSSIBLE",
            f"would be the edition of {release_date}, which is still to come",
            "see that the file is of this dataset and not of another; or give its date with --release",
        )
    if done.last is not None and dataset.release is not None and release_date <= done.last:
        raise delivery.refuse(
            "RELEASE_DATE_IMPOSSIBLE",
            f"is given as the edition of {release_date} and has months to {done.last:%Y-%m}",
            "give the date it was published on with --release, or leave it out and it is worked out",
        )


def check_rows_of_its_month(delivery: Delivery) -> None:
    """Refuse a header without rows; and a file most of whose rows are about other months than its
    name says.

    It would speak for a month of which it knows nothing, with zeros, and its rows would count in none. So would one whose days and
    months changed places. A few rows of other months are what a publisher's late entries look like.
    """
    done, part = delivery.done, delivery.part
    if not (done.rows or done.quarantined):
        raise delivery.refuse("NO_ROWS", "has a header and no rows")
    inside = done.totals.get(part[: len("2026-10")], 0)
    if not delivery.dataset.part_is_month or inside * 2 >= done.rows:
        return
    # Most first: where there are many, the first few say it.
    months = sorted(done.totals.items(), key=lambda month: (-month[1], month[0]))
    found = ", ".join(f"{month} ({rows:,.0f})" for month, rows in months[:5])
    found += f" and {len(months) - 5} other months" if len(months) > 5 else ""
    raise delivery.refuse(
        "NAME_DIFFERS_FROM_ROWS",
        f"is of {part} by its name, and {inside:,.0f} of its {done.rows:,} rows are; it has rows of {found}",
        "if its name is wrong, give it one whose first month is that of its rows; if they lie in many months, day and month have "
        "changed places, or it is not a file of one month: ask for it again",
    )


def check_name(delivery: Delivery) -> None:
    """Refuse a file whose name is another dataset's, or says other months than its rows are of."""
    _check_name_of_its_dataset(delivery)
    _check_dates_in_name(delivery)


def _check_name_of_its_dataset(delivery: Delivery) -> None:
    """Refuse a file under the name of another dataset of its source."""
    if _is_name_of(delivery.name, delivery.dataset, delivery.file_name):
        return
    others = [name for name, other in delivery.source.datasets.items() if _is_name_of(name, other, delivery.file_name)]
    if others:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"has the name of a file of {' or '.join(others)}, and came as {delivery.name}",
            NEXT_NAME,
        )


def _is_name_of(name: str, dataset: Dataset, file_name: str) -> bool:
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
    """Refuse a file whose name says other months, or another day, than its rows can be of."""
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


def few(what: str, found: float, beside: Iterable[float], *, is_of_london: bool = False) -> str | None:
    """Why a month is not whole, as a sentence, by what the months beside it have; None where they do not say so."""
    enough = [count for count in beside if count >= ENOUGH_TO_JUDGE_BY]
    if not enough:
        return None
    middle = statistics.median(enough)
    is_large = is_of_london and len(enough) >= MONTHS_TO_TELL_TOO_MUCH and middle >= LARGE_MONTH
    if found >= (LEAST_SHARE_OF_A_LARGE_MONTH if is_large else LEAST_SHARE) * middle:
        return None
    return (
        f"has {found:,.10g} {what}, less than {'three fifths' if is_large else 'a quarter'} of the {middle:,.0f} that the months beside it have "
        f"({len(enough)} of them, up to {MONTHS_BESIDE} before and after): it is not all of the month"
    )


def many(what: str, found: float, beside: Iterable[float]) -> str | None:
    """Why a month of a file has too much, as a sentence. Months that came in files of their own may be the ones that are cut."""
    enough = [count for count in beside if count >= ENOUGH_TO_JUDGE_BY]
    if len(enough) < MONTHS_TO_TELL_TOO_MUCH or found <= MOST_TIMES * (middle := statistics.median(enough)):
        return None
    return (
        f"has {found:,.10g} {what}, more than {MOST_TIMES} times the {middle:,.0f} that the months beside it have "
        f"({len(enough)} of them, up to {MONTHS_BESIDE} before and after): rows are doubled, or of other months too"
    )


def check_months_beside(delivery: Delivery) -> None:
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
            reason = reason or many(about, totals[place], beside)
        if reason:
            raise delivery.refuse("MONTH_NOT_WHOLE", reason)
