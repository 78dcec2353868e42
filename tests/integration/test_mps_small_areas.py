"""Ward and LSOA files of the MPS: a file that lacks boroughs, areas or a month is refused, and a partial month is no revision."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mps_more_files as files
from tests.mps_deliveries import KINDS_OF_LSOAS, KNIFE, WARD_SAMPLE, Land, csv_rows, cut_at, landing_in, ward_file
from tests.mps_files import boroughs, categories
from tests.queries import rows
from tests.refused import refused_with
from warehouse.platform.settings import Settings
from warehouse.reports import status


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def test_a_ward_or_lsoa_file_that_lost_boroughs_is_refused_and_the_whole_one_stands(
    warehouse: Settings, land: Land, samples: Path
) -> None:
    whole = (samples / WARD_SAMPLE).read_bytes()
    stands = land("ward_recent", whole, "ward.csv").load_id
    with refused_with(
        "LESS_THAN_BEFORE",
        match=f"load {stands} .*2023-11 has 53,244 and had 78,343; .*; and 28 more",
    ):
        land("ward_recent", cut_at(WARD_SAMPLE, samples, 14_000), "ward.csv")
    # A small borough is no tenth of any month.
    without = b"".join(line for line in whole.splitlines(keepends=True) if b",Kingston upon Thames," not in line)
    with refused_with(
        "LESS_THAN_BEFORE", match=f"load {stands} .*: Kingston upon Thames is missing, which had 501 rows\\."
    ):
        land("ward_recent", without, "ward.csv")
    assert rows(warehouse, "select count(*) from raw.mps__ward_recent") == [(18_693,)]
    assert land("ward_recent", whole, "ward.csv").load_id == stands

    whole = files.lsoa_sample(samples)
    stands = land("lsoa_recent", whole, "lsoa.csv").load_id
    without = b"".join(line for line in whole.splitlines(keepends=True) if b",E09000021," not in line)
    with refused_with(
        "LESS_THAN_BEFORE", match=f"load {stands} .*: Kingston upon Thames is missing, which had 1,933 rows\\."
    ):
        land("lsoa_recent", without, "lsoa.csv")


def test_a_month_that_may_be_a_day_is_refused_with_how_to_save_it(land: Land) -> None:
    body = files.dashboard_file(files.every_borough("202405", KNIFE, 2), date_form="%y-%b")
    with refused_with("VALUE_MALFORMED", match="row 1, column Month_Year: '24-May' .*yyyy-mm-dd"):
        land("dashboard_knife", body)
    months = b",".join([b"24-May", b"24-Jun"])
    with refused_with("HEADER_UNKNOWN", match=r"'24-May' .*\(column 6\).* 2024-05 "):
        land("ward_recent", ward_file(["202405", "202406"], [1, 2]).replace(b"202405,202406", months))


def test_a_month_that_has_next_to_nothing_beside_the_others_of_its_file_is_refused(land: Land) -> None:
    months = [f"2025{month:02}" for month in range(1, 8)]
    body = ward_file(months, [9, 10, 10, 2, 10, 10, 10])
    each = 32 * len(categories("connect_2025"))
    with refused_with("MONTH_NOT_WHOLE", match=f"{2 * each:,} .*2025-04.* {10 * each:,} "):
        land("ward_recent", body)


def test_a_first_file_of_wards_or_lsoas_that_lacks_rows_within_a_borough_is_refused(land: Land) -> None:
    def body(header: tuple[str, ...], codes: str, kinds: list[tuple[str, str]]) -> bytes:
        found = []
        for number, borough in enumerate([*boroughs(), *["Camden"] * 11]):
            for place, (major, minor) in enumerate(kinds):
                if number >= len(boroughs()) and (number + place) % 2:
                    continue
                row = {"MajorText": major, "MinorText": minor, "WardName": "A ward", "WardCode": f"{codes}{number:04d}"}
                row |= {
                    "LookUp_BoroughName": borough,
                    "LSOA Code": f"{codes}{number:04d}",
                    "LSOA Name": "",
                    "Borough": borough,
                }
                row |= {"Major Category": major, "Minor Category": minor}
                found.append([*(row[name] for name in header), 4, 5])
        return files.csv_bytes([*header, "202602", "202603"], found)

    wanted = {"ward": (files.SMALL, "E0599", categories("connect_2025")), "lsoa": (files.LSOA, "E0199", KINDS_OF_LSOAS)}
    for kind, how in wanted.items():
        with refused_with("AREAS_MISSING", match="12 areas in Camden, .* [67] of them"):
            land(f"{kind}_recent", body(*how), f"{kind}.csv")


def test_a_partial_first_month_is_no_revision(warehouse: Settings, land: Land, samples: Path) -> None:
    land("ward_recent", (samples / WARD_SAMPLE).read_bytes(), "ward.csv")
    was = csv_rows(samples / WARD_SAMPLE)
    # A month on: December 2023 has all but left the window, and of January one offence was taken back.
    kept = [name for name in was[0] if name != "202311"]
    counts = [[*(row[name] if name != "202312" else 0 for name in kept), row["202510"]] for row in was]
    first = next(row for row in counts if row[kept.index("202401")] != "0")
    first[kept.index("202401")] = int(first[kept.index("202401")]) - 1
    land("ward_recent", files.csv_bytes([*kept, "202511"], counts), "ward.csv")
    changes = status.loads(warehouse)[-1]
    assert {key: changes["changes"][key] for key in ("months_partial", "months_in_both", "months_revised", "revised_by")} == {
        "months_partial": ["2023-12"], "months_in_both": 22, "months_revised": 1, "revised_by": -1,
    }  # fmt: skip
    assert changes["changed"].endswith(
        "1 month new (2025-11); 1 month gone (2023-11); 2023-12 is partial, which is no revision; "
        "1 of 22 months revised by -1, most 2024-01 (-1)"
    )


def test_a_ward_file_with_an_unknown_borough_or_code_is_refused(land: Land) -> None:
    with refused_with("LABEL_UNKNOWN", match="'Atlantis'"):
        land("ward_recent", ward_file(["202602", "202603"], [1, 2], areas=["Atlantis", *boroughs()[1:]]))
