"""MPS Monthly Crime Dashboard (e5n6w): three long, sparse files a month, each in a form of its own, and an old copy under an old name.

Boroughs and wards stand in one file: the same offences twice. A ward here is the one invented ward of its borough.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache, partial

from sandbox.datastore import Dataset, Upload
from sandbox.draws import count_around, words
from sandbox.mps import weights
from sandbox.mps.figures import month_header
from sandbox.mps.recorded_crime import Release, latest_release
from sandbox.workbook import Cell, workbook

# The real files reach back 48 months; fewer are as true in shape. The old copy must still overlap.
MONTHS = 15
_FIRST_RELEASE = date(2014, 5, 6)
_OUTCOMES_SHARE = 0.11

BOROUGH, WARD = "Borough", "Safer Neighbourhood Teams"
OFFENCES, OUTCOMES = "Offences", "Positive Outcomes"


@dataclass(frozen=True)
class Subject:
    """What a file counts: type and subtype as printed, its number a month in London, the type its outcomes stand under, and the subtype
    before it that it is a part of: of what that counts it is never more.
    """

    type: str
    subtype: str
    monthly: float
    type_of_outcomes: str | None = None
    part_of: str | None = None


KNIFE = (
    Subject("Knife Crime", "Knife Crime", 1200),
    Subject("Knife Crime", "Knife Crime with Injury", 300, part_of="Knife Crime"),
    Subject("Knife Crime", "Knife Crime with Injury (Personal Robbery)", 40, part_of="Knife Crime with Injury"),
    Subject("Knife Crime", "Knife Injury Victims (1-24)", 115),
    Subject("Knife Crime", "Knife Injury Victims (non DA 1-24)", 100, part_of="Knife Injury Victims (1-24)"),
)
OTHER = (
    Subject("Gun Crime", "Gun Crime", 170),
    Subject("Gun Crime Personal Robbery", "Gun Crime Personal Robbery", 40, "Gun Crime", part_of="Gun Crime"),
    Subject("Lethal Barrel Discharge", "Lethal Barrel Discharge", 15, "Gun Crime"),
    Subject("Domestic Abuse", "Domestic Abuse", 8500),
    Subject("Domestic Abuse", "Domestic Abuse violence with injury", 1800, part_of="Domestic Abuse"),
    Subject("Hate crime", "Hate crime", 2000),
    Subject("Hate crime", "AntiSemitic", 90, part_of="Hate crime"),
    Subject("Hate crime", "Disability Crime", 40, part_of="Hate crime"),
    Subject("Hate crime", "Faith Crime", 220, part_of="Hate crime"),
    Subject("Hate crime", "Homophobic Crime", 280, part_of="Hate crime"),
    Subject("Hate crime", "Islamophobic Crime", 110, part_of="Hate crime"),
    Subject("Hate crime", "Racist Crime", 1500, part_of="Hate crime"),
    Subject("Hate crime", "Racist and Religious Crime", 1650, part_of="Hate crime"),
    Subject("Hate crime", "Transphobic Crime", 40, part_of="Hate crime"),
)
TNO = tuple(
    Subject(category.major, category.minor, category.monthly)
    for category in weights.CATEGORIES
    if category.minor
    in {"CRIMINAL DAMAGE", "POSSESSION OF DRUGS", "POSSESSION OF WEAPONS", "ROBBERY OF PERSONAL PROPERTY", "RAPE",
        "SHOPLIFTING", "THEFT FROM THE PERSON", "HOMICIDE", "VIOLENCE WITH INJURY", "VIOLENCE WITHOUT INJURY"}
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One row, whatever the form: the month counted from April 2010, level, labels, what is counted, and how many."""

    month: int
    level: str
    place: str
    area_name: str
    area_code: str
    type: str
    subtype: str
    measure: str
    count: int


def dataset(seed: int) -> Dataset:
    """The dataset with the figures that belong to `seed`."""
    return Dataset(
        id5="e5n6w",
        slug="mps-monthly-crime-dashboard-data",
        title="MPS Monthly Crime Dashboard Data",
        uploads=partial(_uploads, seed),
    )


def _uploads(seed: int, today: date) -> list[Upload]:
    if today < _FIRST_RELEASE:
        return []
    release = latest_release(today)

    def upload(resource_id: str, file_name: str, of: Release) -> Upload:
        return Upload(
            resource_id=resource_id,
            name=file_name,
            file_name=file_name,
            published_on=of.published_on,
            content=partial(file_bytes, seed, of, file_name),
        )

    offered = [
        upload("hkc", "M1045_MonthlyCrimeDashboard_TNOCrimeData.csv", release),
        upload("qbc", "M1045_MonthlyCrimeDashboard_KnifeCrimeData.csv", release),
        upload("628", "M1045_MonthlyCrimeDashboard_OtherCrimeData.xlsx", release),
    ]
    old = _last_july(release)
    if old != release:
        offered.append(upload("4f1", f"M1045_MonthlyCrimeDashboard_KnifeCrimeData_{old.published_on.year}06.xlsx", old))
    return offered


def _last_july(release: Release) -> Release:
    """The release of the July before, or this one: its file was left on offer under the name it had."""
    day = release.published_on
    return Release(date(day.year - (day.month < 7), 7, day.day))


@lru_cache(maxsize=32)
def file_bytes(seed: int, release: Release, file_name: str) -> bytes:
    """One file of one release in its published form.

    TNO is of the form of September 2026 (ISO days, lower-case headers), knife crime of that of 2026 (a byte-order mark,
    dd/mm/yyyy, no index of the year), the workbooks of that of 2024 and 2025.
    """
    if "TNO" in file_name:
        iso_header = ("Month_Year", "Area Type", "Borough_SNT", "Area Name", "Area Code", "offence group",
                  "offence subgroup", "Measure", "Count", "Refresh Date")  # fmt: skip
        return _csv(iso_header, [
            [_day(line.month).isoformat(), *_labels(line), line.count, release.published_on.isoformat()]
            for line in lines(seed, release, TNO)
        ])  # fmt: skip
    subjects, sheet = (KNIFE, "Knife") if "Knife" in file_name else (OTHER, "Other")
    header = ("Month_Year", "Area Type", "Borough_SNT", "Area name", "Area code", "Crime Type", "Crime Subtype",
              "Measure", "Financial Year", "FY_FYIndex", "Count", "Refresh Date")  # fmt: skip
    found = lines(seed, release, subjects)
    if file_name.endswith(".csv"):
        short = [name for name in header if name != "FY_FYIndex"]
        form = "%d/%m/%Y"
        return b"\xef\xbb\xbf" + _csv(short, [
            [_day(line.month).strftime(form), *_labels(line), f"fy{_year(line.month)}", line.count,
             release.published_on.strftime(form)]
            for line in found
        ])  # fmt: skip
    rows: list[Sequence[Cell]] = [
        [_day(line.month), *_labels(line), f"fy{_year(line.month)}", f"{_year(line.month)}_01", line.count,
         release.published_on]
        for line in found
    ]  # fmt: skip
    return workbook({f"MPS_MonthlyCrimeDashboard_{sheet}": [header, *rows]})


def lines(seed: int, release: Release, subjects: Sequence[Subject]) -> list[Line]:
    """The rows of a release, without those that would count 0: by level, place, subject and month."""
    found = []
    total = sum(weights.BOROUGHS.values())
    places = [(name, name, f"E090000{n:02d}", weight) for n, (name, weight) in enumerate(weights.BOROUGHS.items(), 2)]
    places.append(("Other / NK", "N/K (Legacy Only)", "", weights.UNKNOWN_SHARE_LATER))
    first = release.newest - MONTHS + 1
    for place, area_name, code, weight in places:
        counts: dict[tuple[str, str, int], int] = {}
        for subject in subjects:
            for measure, share in ((OFFENCES, 1.0), (OUTCOMES, _OUTCOMES_SHARE)):
                kind = subject.type_of_outcomes if measure == OUTCOMES and subject.type_of_outcomes else subject.type
                mean = subject.monthly * share * weight / total
                # Settled figures: what a month counts does not depend on the release that prints it.
                drawn = words((str(seed), "dashboard", subject.subtype, measure, place), release.newest + 1)
                for month in range(first, release.newest + 1):
                    count = count_around(mean, drawn[month])
                    if subject.part_of:
                        count = min(count, counts[subject.part_of, measure, month])
                    counts[subject.subtype, measure, month] = count
                    if not count:
                        continue
                    row = Line(month, BOROUGH, place, area_name, code, kind, subject.subtype, measure, count)
                    found.append(row)
                    if code:
                        ward = (f"{place} Invented Ward", "Invented Ward", f"E05999{code[-3:]}")
                    else:
                        ward = (place, "", "-1")
                    found.append(replace(row, level=WARD, place=ward[0], area_name=ward[1], area_code=ward[2]))
    return found


def _labels(line: Line) -> tuple[str, ...]:
    return (line.level, line.place, line.area_name, line.area_code, line.type, line.subtype, line.measure)


def _day(month: int) -> date:
    header = month_header(month)
    return date(int(header[:4]), int(header[4:]), 1)


def _year(month: int) -> str:
    day = _day(month)
    first = day.year - (day.month < 4)
    return f"{first % 100:02d}-{(first + 1) % 100:02d}"


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
