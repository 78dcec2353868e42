"""MPS Homicide Dashboard (2l1w8): victims and accused, a row a person, quarterly in arrears, in the form of 2025."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from functools import lru_cache, partial

from sandbox.datastore import Dataset, Upload
from sandbox.draws import count_around, fraction, words
from sandbox.mps import weights

PUBLICATION_DAY = 17
YEARS = 3
_MONTHLY = 9.5

_AGES = (("0 to 12", 4), ("13 to 19", 15), ("20 to 24", 17), ("25 to 34", 23), ("35 to 44", 16), ("45 to 54", 12),
         ("55 to 64", 7), ("65 and over", 6))  # fmt: skip
_METHODS = (("Knife or Sharp Implement", 55), ("Shooting", 9), ("Blunt Implement", 7), ("Physical Assault, no weapon", 11),
            ("Other Methods of Killing", 13), ("Not known/Not Recorded", 5))  # fmt: skip
_ACCUSED_AGES = (("10 to 14", 2), ("15 to 19", 30), ("20 to 24", 24), ("25 to 29", 14), ("30 to 34", 10), ("35 to 39", 8),
                 ("40 to 44", 5), ("45 to 49", 3), ("50 to 54", 2), ("65 and over", 2))  # fmt: skip


def dataset(seed: int) -> Dataset:
    """The dataset with the people that belong to `seed`."""
    return Dataset(
        id5="2l1w8",
        slug="mps-homicide-dashboard-data",
        title="MPS Homicide Dashboard Data",
        uploads=partial(_uploads, seed),
    )


def published_on(today: date) -> date:
    """The newest publication on a day: the 17th of the month after a quarter."""
    year, month = today.year, (today.month - 1) // 3 * 3 + 1
    day = date(year, month, PUBLICATION_DAY)
    if day > today:
        day = date(year - (month == 1), 10 if month == 1 else month - 3, PUBLICATION_DAY)
    return day


def _uploads(seed: int, today: date) -> list[Upload]:
    day = published_on(today)
    names = (("v1c", f"homicide_victims_{day:%Y_%m_%d}.csv"), ("a1c", f"homicide_accused_{day:%Y_%m_%d}.csv"))
    return [
        Upload(
            resource_id=resource_id,
            name=name,
            file_name=name,
            published_on=day,
            content=partial(file_bytes, seed, day, name),
        )
        for resource_id, name in names
    ]


@lru_cache(maxsize=32)
def file_bytes(seed: int, day: date, file_name: str) -> bytes:
    """One file of a publication: from January three years before to the end of the quarter."""
    text = io.StringIO()
    writer = csv.writer(text)
    if "victims" in file_name:
        writer.writerow(
            ["Homicide ID", "Count of Victims", "Age Group", "Sex", "Method of Killing", "Domestic Abuse", "Recorded Date",
             "Homicide Offence Type", "Solved Status", "Borough", "Officer Observed Ethnicity"]
        )  # fmt: skip
    else:
        writer.writerow(
            ["Count of PPA", "Borough", "Gender", "Age Group", "Self-classified ethnicity", "Offence type",
             "Charged/Summonsed", "Proceedings date"]
        )  # fmt: skip
    number = 0
    year, month = day.year - YEARS, 1
    while (year, month) < (day.year, day.month):
        header = date(year, month, 1).strftime("%b-%y")
        drawn = words((str(seed), "homicide", file_name.split("_")[1], header), 400)
        people = max(1, count_around(_MONTHLY, drawn[0]))
        for person in range(people):
            a, b, c, d, e, f = (fraction(word) for word in drawn[1 + person * 6 : 7 + person * 6])
            number += 1
            borough = _label(_pick(tuple(weights.BOROUGHS.items()), a)) if e < 0.98 else "Unmapped"
            sex = "Male" if b < 0.78 else "Female"
            if "victims" in file_name:
                writer.writerow(
                    [number, 1, _pick(_AGES, c), sex, _pick(_METHODS, d), int(f < 0.16), header, "Murder",
                     "Solved" if f < 0.9 else "Unsolved", borough, _pick((("White", 5), ("Black", 4), ("Asian", 2)), f)]
                )  # fmt: skip
            else:
                place = "Heathrow" if e > 0.99 else borough if borough != "Unmapped" else "Westminster"
                # The publisher leaves a space behind these.
                ethnicity = _pick((("White", 5), ("Black ", 6), ("Asian ", 2)), d)
                writer.writerow(
                    [1, place, sex, _pick(_ACCUSED_AGES, c), ethnicity, "Murder", "Charge or Summons", header]
                )
        year, month = year + (month == 12), month % 12 + 1
    return text.getvalue().encode()


def _pick(shares: Sequence[tuple[str, int]], at: float) -> str:
    left = at * sum(share for _, share in shares)
    for label, share in shares:
        left -= share
        if left < 0:
            return label
    return shares[-1][0]


def _label(borough: str) -> str:
    """A borough as this dataset spells it."""
    return borough.replace(" and ", " & ").replace(" upon ", " Upon ")
