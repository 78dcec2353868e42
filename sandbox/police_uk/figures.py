"""The invented rows of one month and force as they stand in one archive: street-level crimes, outcomes, stop and search.

An archive rewrites its newest months: crimes come to light late and outcomes come in. Older months stay as they are.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.draws import fraction, words
from sandbox.police_uk.places import BOROUGHS, CITY, ELSEWHERE, NEW_LSOAS_FROM, NOWHERE, Lsoa

REVISED_MONTHS = 3
ASB = "Anti-social behaviour"
# Shares of a month, in per cent, made up.
_TYPES = (
    (ASB, 20), ("Bicycle theft", 2), ("Burglary", 5), ("Criminal damage and arson", 5), ("Drugs", 5), ("Other crime", 2),
    ("Other theft", 10), ("Possession of weapons", 1), ("Public order", 5), ("Robbery", 4), ("Shoplifting", 7),
    ("Theft from the person", 7), ("Vehicle crime", 9), ("Violence and sexual offences", 18),
)  # fmt: skip
_RAILWAY_TYPES = (
    ("Other theft", 30),
    ("Theft from the person", 30),
    ("Violence and sexual offences", 25),
    ("Robbery", 15),
)
_OPEN = "Under investigation"
_CLOSED = (
    "Investigation complete; no suspect identified", "Unable to prosecute suspect", "Awaiting court outcome",
    "Status update unavailable", "Local resolution", "Offender given a caution",
)  # fmt: skip
_OUTCOMES = (
    "Investigation complete; no suspect identified",
    "Unable to prosecute suspect",
    "Suspect charged",
    "Local resolution",
)
_ETHNICITIES = (
    ("White - English/Welsh/Scottish/Northern Irish/British", "White"), ("White - Any other White background", "White"),
    ("Black/African/Caribbean/Black British - African", "Black"), ("Black/African/Caribbean/Black British - Caribbean", "Black"),
    ("Asian/Asian British - Bangladeshi", "Asian"), ("Mixed/Multiple ethnic groups - White and Black Caribbean", "Black"),
    ("Other ethnic group - Not stated", "Other"), ("Other ethnic group - Any other ethnic group", "Other"), ("", ""),
)  # fmt: skip
_AGES = ("10-17", "18-24", "18-24", "25-34", "25-34", "over 34", "")
_RESULTS = (
    "A no further action disposal", "A no further action disposal", "A no further action disposal", "Arrest",
    "Community resolution", "Khat or Cannabis warning", "Summons / charged by post",
)  # fmt: skip
_SEARCHES = (
    ("Misuse of Drugs Act 1971 (section 23)", "Controlled drugs"),
    ("Police and Criminal Evidence Act 1984 (section 1)", "Offensive weapons"),
    ("Police and Criminal Evidence Act 1984 (section 1)", "Stolen goods"),
)

_STREET = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context"
_OUTCOME = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Outcome type"
_SEARCH = (
    "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,Self-defined ethnicity,"
    "Officer-defined ethnicity,Legislation,Object of search,Outcome,Outcome linked to object of search,Removal of more than just outer clothing"
)
_LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Force:
    """A force: its name in the files' names and in their rows, and how many rows a month it has; 0 where it publishes none."""

    slug: str
    name: str
    crimes: int
    outcomes: int
    searches: int
    first_gap: str = "9999-99"
    last_gap: str = "9999-99"

    def publishes(self, month: str) -> bool:
        """Whether it delivered anything for a month (YYYY-MM)."""
        return not self.first_gap <= month <= self.last_gap


FORCES = (
    Force("metropolitan", "Metropolitan Police Service", 260, 120, 70),
    Force("city-of-london", "City of London Police", 40, 20, 10),
    Force("btp", "British Transport Police", 60, 0, 12, first_gap="2025-02", last_gap="2025-12"),
    Force("kent", "Kent Police", 4, 2, 2),
)


def member_texts(seed: int, month: str, age: int) -> Iterable[tuple[str, str]]:
    """Name and text of each file of a month in an archive whose newest month is `age` months later."""
    revision = min(age, REVISED_MONTHS)
    for force in FORCES:
        if not force.publishes(month):
            continue
        for kind, count, make in (
            ("outcomes", force.outcomes, _outcomes),
            ("stop-and-search", force.searches, _searches),
            ("street", force.crimes, _street),
        ):
            if count:
                yield f"{month}/{month}-{force.slug}-{kind}.csv", make(seed, force, month, revision)


def _street(seed: int, force: Force, month: str, revision: int) -> str:
    rows = []
    # A few crimes come to light late.
    for number, word in enumerate(_drawn(seed, force, month, "street", force.crimes + 2 * revision)):
        place = _place(force, word)
        kind = _weighted(_RAILWAY_TYPES if force.slug == "btp" else _TYPES, word)
        # Nothing but the place tells one railway crime from another: many rows are identical.
        has_id = kind != ASB and force.slug != "btp"
        crime_id = hashlib.sha256(f"{seed} {force.slug} {month} {number}".encode()).hexdigest() if has_id else ""
        outcome = ""
        if has_id:
            is_open = word >> 40 & 3 > revision
            outcome = _OPEN if is_open else _CLOSED[(word >> 44) % len(_CLOSED)]
        rows.append([crime_id, month, force.name, force.name, *_where(place, month), kind, outcome, ""])
    return _csv(_STREET, sorted(rows, key=lambda row: row[8]))


def _outcomes(seed: int, force: Force, month: str, revision: int) -> str:
    rows = []
    for number, word in enumerate(_drawn(seed, force, month, "outcomes", force.outcomes + revision)):
        crime_id = hashlib.sha256(f"{seed} {force.slug} {month} {number % max(1, force.crimes)}".encode()).hexdigest()
        place = _place(force, word)
        rows.append(
            [crime_id, month, force.name, force.name, *_where(place, month), _OUTCOMES[(word >> 44) % len(_OUTCOMES)]]
        )
    return _csv(_OUTCOME, rows)


def _searches(seed: int, force: Force, month: str, revision: int) -> str:
    year, number_of_month = int(month[:4]), int(month[5:])
    start = datetime(year, number_of_month, 1, tzinfo=_LONDON).astimezone(UTC)
    rows = []
    for number, word in enumerate(_drawn(seed, force, month, "stop-and-search", force.searches)):
        # The first is at midnight in London: in summer that is 23:00 UTC of the day before.
        at = start + timedelta(minutes=0 if number == 0 else word % (27 * 24 * 60))
        place = _place(force, word)
        ethnicity, seen = _ETHNICITIES[(word >> 24) % len(_ETHNICITIES)]
        law, wanted = _SEARCHES[(word >> 30) % len(_SEARCHES)]
        rows.append(
            [
                "Person search" if word >> 50 & 3 else "Person and Vehicle search", f"{at:%Y-%m-%dT%H:%M:%S}+00:00", "False", "",
                place.latitude, place.longitude, "Male" if word >> 52 & 7 else "Female", _AGES[(word >> 34) % len(_AGES)],
                ethnicity, seen, law, wanted, _RESULTS[(word >> 38) % len(_RESULTS)], "False", "False",
            ]
        )  # fmt: skip
    return _csv(_SEARCH, sorted(rows, key=lambda row: row[1]))


def _drawn(seed: int, force: Force, month: str, kind: str, count: int) -> tuple[int, ...]:
    return words((str(seed), "police_uk", force.slug, month, kind), count)


def _place(force: Force, word: int) -> Lsoa:
    share = fraction(word * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    choose: Callable[[tuple[Lsoa, ...]], Lsoa] = lambda places: places[(word >> 16) % len(places)]  # noqa: E731
    if force.slug == "kent":
        return ELSEWHERE[0]
    if force.slug == "btp":
        return choose(ELSEWHERE) if share < 0.44 else NOWHERE if share < 0.47 else choose(BOROUGHS)
    if force.slug == "city-of-london":
        return NOWHERE if share < 0.06 else choose(BOROUGHS) if share < 0.1 else choose(CITY)
    return choose(ELSEWHERE) if share < 0.005 else choose(BOROUGHS)


def _weighted(shares: tuple[tuple[str, int], ...], word: int) -> str:
    left = (word >> 8) % 100
    for value, share in shares:
        left -= share
        if left < 0:
            return value
    return shares[-1][0]


def _where(place: Lsoa, month: str) -> list[str]:
    code, name = (place.code_2021, place.name_2021) if month >= NEW_LSOAS_FROM else (place.code_2011, place.name_2011)
    return [place.longitude, place.latitude, place.location, code, name]


def _csv(header: str, rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    text.write(header + "\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
