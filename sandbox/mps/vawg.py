"""MPS VAWG Dashboard (2yod5): a workbook whose sheets count the same offences in several ways."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache, partial

from sandbox.datastore import Dataset, Upload
from sandbox.draws import count_around, words
from sandbox.mps import weights
from sandbox.mps.figures import month_header
from sandbox.mps.recorded_crime import Release, latest_release
from sandbox.workbook import Cell, workbook

MONTHS = 24
_FIRST_RELEASE = date(2014, 5, 6)
_MONTHLY = 11_000
_CLASSES = (
    ("Violence with Injury", "Assault with injury", "Assault occasioning actual bodily harm",
     "Actual Bodily harm and other Injury", 4),
    ("Violence with Injury", "Assault with injury", "Wounding or inflicting GBH without intent",
     "Inflicting Grievous Bodily Harm without Intent", 1),
    ("Rape", "Rape of a female aged 16 and over", "Rape of a female aged 16 and over", "Rape of a Female aged 16 and over", 2),
    ("Other Sexual Offences", "Assault on a female by penetration", "Assault of a female 13 and over by penetration",
     "Assault on a female by penetration.", 1),
    ("Other flagged offences outside of VAWG", "Non-Vawg Crime", "Common assault and battery", "Non-VaWG Classification", 3),
    ("Stalking and Harassment", "Harassment offences", "Harassment", "Harassment", 3),
)  # fmt: skip


def dataset(seed: int) -> Dataset:
    """The dataset with the figures that belong to `seed`."""
    return Dataset(
        id5="2yod5",
        slug="mps-violence-against-women-and-girls-dashboard",
        title="MPS Violence Against Women and Girls Dashboard",
        uploads=partial(_uploads, seed),
    )


def _uploads(seed: int, today: date) -> list[Upload]:
    if today < _FIRST_RELEASE:
        return []
    release = latest_release(today)
    name = f"MPS VAWG Dashboard {release.published_on:%Y%m}.xlsx"
    return [
        Upload(
            resource_id="vw1",
            name=name,
            file_name=name,
            published_on=release.published_on,
            content=partial(file_bytes, seed, release),
        )
    ]


@lru_cache(maxsize=16)
def file_bytes(seed: int, release: Release) -> bytes:
    """The workbook of one release; months of the offence are unknown (1900-01-01, or blank) now and then."""
    places: list[Sequence[Cell]] = []
    classes: list[Sequence[Cell]] = []
    total = sum(weights.BOROUGHS.values())
    for month in range(release.newest - MONTHS + 1, release.newest + 1):
        header = month_header(month)
        day = date(int(header[:4]), int(header[4:]), 1)
        counted = 0
        for number, (borough, weight) in enumerate([*weights.BOROUGHS.items(), ("Other", 8)]):
            drawn = words((str(seed), "vawg", header, borough), 1)[0]
            count = count_around(_MONTHLY * weight / total, drawn)
            committed = None if number == 3 else date(1900, 1, 1) if number == 5 else day
            places.append(["Invented BCU", borough, "Invented Ward", day, committed, count])
            counted += count
        left = counted
        for index, (group, kind, offence, name, share) in enumerate(_CLASSES):
            count = left if index == len(_CLASSES) - 1 else counted * share // 14
            left -= count
            classes.append([group, kind, offence, name, day, day, count])
    return workbook(
        {
            "Notes": [["Invented figures of a stand-in publisher."]],
            "Offence count location": [
                ["BCU Location", "Borough Name", "Ward Name Clean 2", "Recorded Date Months",
                 "Date Committed From Date Months", "Count"],
                *places,
            ],
            "Offence count classification": [
                ["CrimSec Group", "CrimSecCodeExpansion", "CrimSec Offences", "VAWG Offence", "Recorded Date Months",
                 "Date Committed From Date Months", "Count"],
                *classes,
            ],
        }
    )  # fmt: skip
