"""An edition with other rows than stand is refused; one that fills up, or puts a few rows right, is taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fingertips_files import body
from tests.fingertips_files import landed as land_indicator
from tests.mps_files import boroughs
from tests.police_uk_files import HEADER, crime, landing_in
from tests.refused import refused_with
from tests.safestats_files import land
from warehouse.platform.settings import Settings

CATEGORIES = ("Violence against the person", "Sexual offences", "Robbery")
Event = tuple[int, int, str, str]  # number, day, borough, category
EVENTS: list[Event] = [(n, 1 + n % 28, boroughs()[n % 7 if n % 2 else n % 32], CATEGORIES[n % 3]) for n in range(300)]


def feed(
    events: list[Event], header: str = "Crime Reference,Committed Date,Offence Classification,Borough", tail: str = ""
) -> str:
    return f"{header}\n" + "".join(
        f"{number},{day:02}/10/2026,{category},{borough}{tail}\n" for number, day, borough, category in events
    )


def exchanged(one: str, other: str) -> Callable[[Event], Event]:
    names = {one: other, other: one}
    return lambda event: (event[0], event[1], names.get(event[2], event[2]), event[3])


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("NOT_A_REVISION", lambda events: list(map(exchanged(boroughs()[1], boroughs()[30]), events))),
        ("NOT_A_REVISION", lambda events: [(n, d, boroughs()[0], c) for n, d, _, c in events]),
        ("NOT_A_REVISION", lambda events: [(n, d, b, CATEGORIES[0] if c == CATEGORIES[1] else c) for n, d, b, c in events]),
        ("LESS_THAN_BEFORE", lambda events: events[: len(events) * 9 // 10]),
        ("LESS_THAN_BEFORE", lambda events: [event for event in events if event[2] != boroughs()[1]]),
    ],
    ids=["boroughs exchanged", "one borough throughout", "a category merged", "a tenth missing", "a borough missing"],
)  # fmt: skip
def test_events_that_are_elsewhere_otherwise_or_gone_are_refused(
    warehouse: Settings, tmp_path: Path, code: str, spoil: Callable[[list[Event]], list[Event]]
) -> None:
    # The newest day stays there, or it would be an older copy.
    last = (9_999, 31, boroughs()[5], CATEGORIES[0])
    land(warehouse, tmp_path, "btp_crime", feed([*EVENTS, last]))
    with refused_with(code):
        land(warehouse, tmp_path, "btp_crime", feed([*spoil(EVENTS), last]))


def test_a_month_that_fills_up_and_has_a_few_events_put_right_is_taken(warehouse: Settings, tmp_path: Path) -> None:
    half = [event for event in EVENTS if event[1] <= 14]
    land(warehouse, tmp_path, "btp_crime", feed(half))
    moved = [(n, d, boroughs()[9] if n in {3, 5, 7} else b, c) for n, d, b, c in EVENTS]
    assert land(warehouse, tmp_path, "btp_crime", feed(moved)).rows == len(EVENTS)


def test_a_month_that_stands_twice_under_new_numbers_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "btp_crime", feed(EVENTS))
    again = [(n + 1_000, *event) for n, *event in EVENTS]
    with refused_with("NOT_A_REVISION", match="300 of the 300 rows stand twice"):
        land(warehouse, tmp_path, "btp_crime", feed([*EVENTS, *again]))  # type: ignore[list-item]


def test_an_lsoa_of_one_borough_beside_the_name_of_another_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    header = "Crime Reference,Committed Date,Offence Classification,Borough,LSOA"
    in_camden = [(n, d, "Camden", c) for n, d, _, c in EVENTS]
    with refused_with("LABEL_OF_ANOTHER_CODE", match="300 of 300 rows: E01000938 / Barnet"):
        named_otherwise = [(n, d, "Barnet", c) for n, d, _, c in EVENTS]
        land(warehouse, tmp_path, "btp_crime", feed(named_otherwise, header, ",E01000938"))
    assert land(warehouse, tmp_path, "btp_crime", feed(in_camden, header, ",E01000938")).rows == 300


def test_an_archive_in_which_lsoas_have_the_codes_of_others_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    land_police = landing_in(warehouse, tmp_path)
    kinds = ("Anti-social behaviour", "Burglary", "Robbery", "Vehicle crime", "Violence and sexual offences")

    def month(one: str, other: str) -> bytes:
        rows = [
            crime(crime_id=f"{n:064x}", kind=kinds[n % 5], lsoa=[(one, "Camden 024B"), (other, "Camden 024C")][n % 2])
            for n in range(60)
        ]
        return (HEADER + "".join(rows)).encode()

    land_police("street", month("E01000938", "E01000939"))
    with refused_with("LABEL_OF_ANOTHER_CODE", match="60 of 60 rows: E01000938 / Camden 024C"):
        land_police("street", month("E01000939", "E01000938"), release_date=None)


def test_an_indicator_that_lost_half_of_its_periods_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    periods = [
        {"Time period": f"{year}/{(year + 1) % 100:02}", "Time period Sortable": f"{year}0000"}
        for year in range(2014, 2024)
    ]
    land_indicator(warehouse, tmp_path, body(*periods))
    with refused_with("LESS_THAN_BEFORE", match="5 of the 10 periods"):
        land_indicator(warehouse, tmp_path, body(*periods[5:]))
    otherwise = [one | {"Time period": "2023/24"} if one is periods[0] else one for one in periods]
    with refused_with("LABEL_OF_ANOTHER_CODE", match="1 of 10 rows: 2023 / 20140000"):
        land_indicator(warehouse, tmp_path, body(*otherwise))
    assert land_indicator(warehouse, tmp_path, body(*periods[1:])) == 9


def test_an_indicator_of_two_periods_moves_on_and_writes_them_otherwise(warehouse: Settings, tmp_path: Path) -> None:
    def period(text: str, year: int) -> dict[str, str]:
        return {"Time period": text, "Time period Sortable": f"{year}0000"}

    land_indicator(warehouse, tmp_path, body(period("2021/22", 2021), period("2022/23", 2022)))
    assert land_indicator(warehouse, tmp_path, body(period("2022/2023", 2022), period("2023/2024", 2023))) == 2
