"""Homicide files of the MPS: every header is read, and a piece of a file does not take the place of the whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests import mps_more_files as files
from tests.mps_deliveries import VICTIMS_2025, Land, landing_in, victims
from tests.mps_files import boroughs
from tests.queries import rows
from tests.refused import refused_with
from warehouse.platform.settings import Settings


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_victims_who_agree_in_everything_are_several_victims(land: Land) -> None:
    ((dataset, name, body),) = victims()
    header, first, *_ = body.splitlines(keepends=True)
    assert land(dataset, header + 3 * first, name).rows == 3


def test_a_first_file_of_homicides_of_one_borough_is_refused_and_those_without_a_borough_are_londons(
    land: Land, warehouse: Settings
) -> None:
    def body(areas: list[str]) -> bytes:
        rows_of = [
            ["1", 1, "13 to 19", "Male", "Shooting", "1", f"Jan-{year}", "Murder", "Solved", area, "Black"]
            for area in areas
            for year in range(10, 25)
        ]
        return files.csv_bytes(VICTIMS_2025, rows_of)

    with refused_with("AREAS_MISSING", match="1 of the 32 .*Barking and Dagenham"):
        land("homicide_victims", body(["Newham"]))
    unplaced = ["Not Known", "Not Recorded", "NULL", ""]
    assert land("homicide_victims", body([*boroughs(), *unplaced]), "whole.csv").rows == 36 * 15
    assert rows(
        warehouse,
        """select borough, count(*) from raw.mps__homicide_victims where borough = any(array['Not Known', 'Not Recorded', 'NULL', ''])
           group by 1 order by 1""",
    ) == [("", 15), ("NULL", 15), ("Not Known", 15), ("Not Recorded", 15)]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (VICTIMS_2025,
         ["7", 1, "13 to 19", "Male", "Knife or Sharp Implement", "0", "Jan-26", "Murder", "Solved", "Barking & Dagenham", "White"]),
        (("Count of Victims", "Age Group", "Sex", "Method of Killing", "Domestic Abuse", "MTH YEAR", "Homicide Offence Type",
          "Solved Status", "Borough", "Officer Observed Ethnicity"),
         [1, "13 to 19", "Male", "Knife or Sharp Implement", "Not Domestic Abuse", "Jan-26", "Murder", "Solved",
          "Barking & Dagenham", "White"]),
        (("Count of Victims", "Age Group", "Sex", "MethodofKilling", "Domestic Abuse", "Recorded Year", "Recorded Month",
          "Homicide Offence Type", "Solved Status", "Borough", "Officer Observed Ethnicity"),
         [1, "13 to 19", "Male", "Knife or Sharp Implement", "Not Domestic Abuse", "2026", "Jan", "Murder", "Solved",
          "Barking & Dagenham", "White"]),
    ],
    ids=["2025", "2022", "date split"],
)  # fmt: skip
def test_every_header_of_the_homicide_victims_is_read(
    warehouse: Settings, land: Land, header: tuple[str, ...], row: list[object]
) -> None:
    done = land("homicide_victims", files.csv_bytes(header, [row]))
    assert (done.rows, done.release_date) == (1, dt.date(2026, 2, 1))


def test_homicides_of_one_borough_do_not_take_the_place_of_all(land: Land, samples: Path) -> None:
    whole = (samples / "mps" / "homicide" / "homicide_victims_2003-2024.csv").read_bytes()
    header, *lines = whole.splitlines(keepends=True)
    assert land("homicide_victims", whole, "homicide victims.csv").rows == 2936
    for piece, figures in (
        ([line for line in lines if b"Newham" in line], "156 .* 1,438"),
        (lines[::2], "1,468 .* 2,929"),
    ):
        with refused_with("LESS_THAN_BEFORE", match=figures):
            land("homicide_victims", header + b"".join(piece), "homicide victims later.csv")
