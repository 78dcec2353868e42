"""A new month of events that is unlike the months before is set aside by name; what no month can be is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests import mps_more_files as files
from tests.integration.test_new_periods import aside
from tests.mps_deliveries import VICTIMS_2025
from tests.mps_deliveries import landing_in as landing_mps
from tests.mps_files import borough_file, boroughs
from tests.police_uk_files import MET, crime, landing_in, street
from tests.refused import refused_with
from tests.safestats_files import land as land_events
from warehouse.platform.settings import Settings

PLACES = {"Hackney 001A": ("E01001721", 60), "Westminster 001A": ("E01004646", 150), "Camden 001A": ("E01000842", 90)}
KINDS = ("Burglary", "Robbery", "Vehicle crime", "Violence and sexual offences")


def london(month: str, exchange: bool = False) -> bytes:
    """A month of the Met in three boroughs, with the places of two exchanged where told."""
    names = {"Hackney 001A": "Westminster 001A", "Westminster 001A": "Hackney 001A"} if exchange else {}
    return street(
        *(
            crime(MET, month=month, lsoa=(PLACES[names.get(name, name)][0], names.get(name, name)), kind=KINDS[n % 4])
            for name, (_, rows) in PLACES.items()
            for n in range(rows)
        )
    )


def test_a_month_with_two_boroughs_exchanged_is_set_aside_and_the_next_stands(
    warehouse: Settings, tmp_path: Path
) -> None:
    land = landing_in(warehouse, tmp_path)
    for month in ("2024-01", "2024-02", "2024-03"):
        land("street", london(month), f"{month}-metropolitan-street.csv")
    land("street", london("2024-04", exchange=True), "2024-04-metropolitan-street.csv")
    land("street", london("2024-05"), "2024-05-metropolitan-street.csv")
    ((_, code, reason),) = aside(warehouse)
    assert code == "PERIOD_UNLIKE_THE_LAST"
    assert "has in 2024-04 other shares than the months before: borough Hackney has the share of Westminster" in reason


def test_outcomes_that_all_stand_twice_are_refused(warehouse: Settings, tmp_path: Path) -> None:
    header = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Outcome type\n"
    rows = [
        f"{n:064x},2024-01,{MET},{MET},-0.12,51.53,On or near High Road,E01000938,Camden 024B,Investigation complete; no suspect identified\n"
        for n in range(30)
    ]
    moved = [row.replace("High Road", "Low Road") for row in rows]
    with refused_with("ROW_REPEATED"):
        landing_in(warehouse, tmp_path)(
            "outcomes", (header + "".join(rows + moved)).encode(), "2024-01-metropolitan-outcomes.csv"
        )


def test_crimes_that_lie_outside_london_are_refused(warehouse: Settings, tmp_path: Path) -> None:
    body = street(*(crime(kind=KINDS[n % 4]) for n in range(40))).replace(b"51.530607", b"53.480759")
    with refused_with("NAME_DIFFERS_FROM_ROWS", match="0 of its 4. crimes with a place lie in London"):
        landing_in(warehouse, tmp_path)("street", body)


def test_yesterdays_bytes_under_todays_name_are_refused(warehouse: Settings, tmp_path: Path) -> None:
    land = landing_in(warehouse, tmp_path)
    land("street", street(crime()), "2024-01-metropolitan-street.csv")
    with refused_with(
        "NAME_DIFFERS_FROM_ROWS", match="is of 2024-02-metropolitan by its name, and the same bytes stand as 2024-01"
    ):
        land("street", street(crime()), "2024-02-metropolitan-street.csv")
    assert not land("street", street(crime()), "2024-01-metropolitan-street.csv").is_new


def test_a_new_month_of_events_that_ends_early_is_set_aside(warehouse: Settings, tmp_path: Path) -> None:
    def feed(month: int, days: int) -> str:
        head = "Crime Reference,Committed Date,Offence Classification,Borough\n"
        return head + "".join(
            f"{month}{n},{1 + n % days:02}/{month:02}/2026,Robbery,{boroughs()[n % 32]}\n" for n in range(300)
        )

    land_events(warehouse, tmp_path, "btp_crime", feed(8, 30), "btp-2026-08.csv")
    land_events(warehouse, tmp_path, "btp_crime", feed(9, 12), "btp-2026-09.csv")
    ((_, code, reason),) = aside(warehouse)
    assert (code, reason) == ("MONTH_NOT_WHOLE", "has 300 events and none after day 12 of 2026-09: it is cut short")


@pytest.mark.parametrize("column", ["Sex", "Age Group"])
def test_homicides_of_other_people_are_refused(warehouse: Settings, tmp_path: Path, column: str) -> None:
    flipped = {"Male": "Female", "Female": "Male", "13 to 19": "65 and over", "65 and over": "13 to 19"}

    def body(change: bool) -> bytes:
        rows = [
            ["1", 1, "13 to 19" if n % 3 else "65 and over", "Male" if n % 4 else "Female", "Shooting", "1", f"Jan-{year}", "Murder", "Solved",
             borough, "Black"]
            for n, borough in enumerate(boroughs()) for year in range(10, 14)
        ]  # fmt: skip
        place = VICTIMS_2025.index(column)
        return files.csv_bytes(
            VICTIMS_2025, [[flipped[str(v)] if change and n == place else v for n, v in enumerate(row)] for row in rows]
        )

    land = landing_mps(warehouse, tmp_path)
    land("homicide_victims", body(change=False), "homicide victims.csv")
    with refused_with("NOT_A_REVISION"):
        land("homicide_victims", body(change=True), "homicide victims.csv")


def test_a_borough_whose_months_are_out_of_step_is_refused_by_name(warehouse: Settings, tmp_path: Path) -> None:
    def waving(body: bytes, shift: int = 0) -> bytes:
        header, *rows = csv.reader(io.StringIO(body.decode()))
        months = len(header) - 3
        for n, row in enumerate(rows):
            step = shift if row[2] == "Hackney" else 0
            row[3:] = [str(100 + 30 * ((m + step + n) % 2)) for m in range(months)]
        return files.csv_bytes(header, rows)

    land = landing_mps(warehouse, tmp_path)
    land("borough_recent", waving(borough_file("202410", "202609")))
    with refused_with("NOT_A_REVISION", match="Hackney has other counts than it had"):
        land("borough_recent", waving(borough_file("202410", "202609"), shift=1), "two.csv")
