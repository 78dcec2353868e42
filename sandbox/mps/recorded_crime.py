"""MPS Recorded Crime: Geographic Breakdown (exy3m): what is on offer on a day, and the bytes of each file."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial

from sandbox.datastore import Dataset, Upload
from sandbox.mps import weights
from sandbox.mps.figures import Row, month_header, month_number, recorded

PUBLICATION_DAY = 6
RECENT_MONTHS = 24
RECENT, HISTORICAL = "most recent 24 months", "Historical"

# The first release with a month to spare for the historical file.
_FIRST_RELEASE = date(2012, 5, PUBLICATION_DAY)
# When the real Datastore moved to three-character resource ids, the files under the old ids stayed up as they were:
# their windows end in July 2023.
_FROZEN_RELEASE = date(2023, 8, PUBLICATION_DAY)

_RESOURCES = {
    ("Borough", RECENT): "b4r",
    ("Borough", HISTORICAL): "b4h",
    ("Ward", RECENT): "w7r",
    ("Ward", HISTORICAL): "w7h",
    ("LSOA", RECENT): "s9r",
    ("LSOA", HISTORICAL): "s9h",
}
_FROZEN_RESOURCES = {
    ("Borough", RECENT): "5e0dcf71-3a48-4c09-9d26-71b8f2a3c604",
    ("Borough", HISTORICAL): "c2a91b36-8f15-47de-b0a4-0d9e63f7582b",
}


@dataclass(frozen=True)
class Release:
    """One monthly publication: the day, and the months its two windows cover (counted from April 2010)."""

    published_on: date

    @property
    def newest(self) -> int:
        """The newest month printed: the one before the day of publication."""
        return month_number(self.published_on) - 1

    def window(self, kind: str) -> tuple[int, int]:
        """First and last month of the recent or the historical file; the two abut."""
        recent_first = self.newest - RECENT_MONTHS + 1
        return (recent_first, self.newest) if kind == RECENT else (0, recent_first - 1)


def latest_release(today: date) -> Release:
    """The newest release on that day: they come on the 6th, with data to the end of the month before.

    Raises:
        ValueError: before the first release the stand-in knows (6 May 2012).
    """
    month = today.replace(day=1)
    if today.day < PUBLICATION_DAY:
        month = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    published_on = month.replace(day=PUBLICATION_DAY)
    if published_on < _FIRST_RELEASE:
        raise ValueError(f"the stand-in Metropolitan Police publishes from {_FIRST_RELEASE} on; it is {today}")
    return Release(published_on)


def dataset(seed: int) -> Dataset:
    """The dataset with the figures that belong to `seed`."""
    return Dataset(
        id5="exy3m",
        slug="mps-recorded-crime-geographic-breakdown",
        title="MPS Recorded Crime: Geographic Breakdown",
        uploads=partial(_uploads, seed),
    )


def _uploads(seed: int, today: date) -> list[Upload]:
    if today < _FIRST_RELEASE:
        return []
    release = latest_release(today)
    offered = [(resource, release, resource_id) for resource, resource_id in _RESOURCES.items()]
    if release.published_on > _FROZEN_RELEASE:
        frozen = Release(_FROZEN_RELEASE)
        offered += [(resource, frozen, resource_id) for resource, resource_id in _FROZEN_RESOURCES.items()]
    return [
        Upload(
            resource_id=resource_id,
            name=f"MPS {level} Level Crime ({kind})",
            file_name=f"MPS {level} Level Crime ({kind}).csv",
            published_on=of.published_on,
            content=partial(file_bytes, seed, of, level, kind),
        )
        for (level, kind), of, resource_id in offered
    ]


@lru_cache(maxsize=64)
def file_bytes(seed: int, release: Release, level: str, kind: str) -> bytes:
    """One file of one release as published: a column per month, CRLF, no byte-order mark.

    `level` is Borough, Ward or LSOA. Ward and LSOA files share a borough's offences among two invented places each; what has no
    borough is in neither, and no sexual offence is in the LSOA file. Their recent file opens with a month that has all but
    left the window, as the real ones do.
    """
    first, last = release.window(kind)
    is_opening_partial = level != "Borough" and kind == RECENT
    first -= is_opening_partial
    months = [month_header(number) for number in range(first, last + 1)]
    rows = recorded(seed, release.newest, first, last)
    text = io.StringIO()
    # csv.writer ends lines with CRLF, as the publisher does.
    writer = csv.writer(text)
    if level == "Borough":
        writer.writerow(["MajorText", "MinorText", "BoroughName", *months])
        writer.writerows([row.major, row.minor, row.area, *row.counts] for row in rows)
        return text.getvalue().encode("ascii")
    codes = {name: f"{number:02d}" for number, name in enumerate(weights.BOROUGHS, start=2)}
    if level == "Ward":
        writer.writerow(["MajorText", "MinorText", "WardName", "WardCode", "LookUp_BoroughName", *months])
    else:
        writer.writerow(["LSOA Code", "LSOA Name", "Borough", "Major Category", "Minor Category", *months])
    for row in rows:
        if row.area == weights.UNKNOWN or (level == "LSOA" and row.major == "SEXUAL OFFENCES"):
            continue
        is_airport = row.area == weights.AIRPORTS
        for place, counts in enumerate(_halves(row), start=1):
            if is_opening_partial:
                counts = (counts[0] // 2000, *counts[1:])
            if not any(counts):
                continue
            if level == "Ward":
                area = "Aviation Security (SO18)" if is_airport else row.area
                code = f"E05999{codes.get(row.area, '99')}{place}"
                writer.writerow([row.major, row.minor, f"Invented Ward {place}", code, area, *counts])
            elif not is_airport:
                number = codes[row.area]
                labels = [f"E01999{number}{place}", f"{row.area} 00{place}A", f"E090000{number}"]
                writer.writerow([*labels, row.major, row.minor, *counts])
    return text.getvalue().encode("ascii")


def _halves(row: Row) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A row's counts shared between two places: the first has the odd one."""
    return tuple(count - count // 2 for count in row.counts), tuple(count // 2 for count in row.counts)
