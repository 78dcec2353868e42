"""A file that carries identifiers of persons is known by headers and by cells, in every form, and no real published file is taken for one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import xlsxwriter

from ingest.connectors.lawful import carries
from ingest.readers import check_digits
from ingest.readers.identifiers import identifiers_in
from tests.inbox_files import context_in, put, take
from tests.refused import refused_with

HEADER = ["Incident ID", "Date", "Borough"]
ROWS = [[str(1_000_000 + row), f"{row % 28 + 1:02}/10/2026", "Camden"] for row in range(40)]
# Of the test range of the NHS, 999 000 0000 and on: never given to a person.
NHS = [
    number
    for number in (f"999{one:07}" for one in range(1_000))
    if check_digits.is_nhs_number(number)
][:40]  # fmt: skip
NAMES = ["Sarah Okafor", "Mohammed Ali", "JONES, David", "Emily Clarke", "Kwame Mensah", "Mr John Smith"]
POSTCODES = ["SW1A 1AA", "E1 6AN", "N17 9QU", "cr02ab"]
BIRTHS = [f"{row % 28 + 1:02}/0{row % 9 + 1}/{1950 + row * 3 % 62}" for row in range(40)]


def csv_file(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    file = folder / "file.csv"
    file.write_text("".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows), encoding="utf-8")
    return file


def xlsx_file(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    with xlsxwriter.Workbook(folder / "file.xlsx") as book:
        sheet = book.add_worksheet("A")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return folder / "file.xlsx"


def ods_file(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    cells = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>" for cell in row)
        + "</table:table-row>"
        for row in rows
    )
    with zipfile.ZipFile(folder / "file.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f'<d xmlns:table="t" xmlns:text="x"><table:table>{cells}</table:table></d>')
    return folder / "file.ods"


def zip_file(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    with zipfile.ZipFile(folder / "file.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(csv_file(folder, rows), "2026-10/page.csv")
    return folder / "file.zip"


def json_file(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    file = folder / "file.json"
    file.write_text(json.dumps({"rows": [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]}), encoding="utf-8")
    return file


FORMS: list[Callable[[Path, Sequence[Sequence[str]]], Path]] = [csv_file, xlsx_file, ods_file, zip_file, json_file]


def with_column(header: str, values: Sequence[str]) -> list[list[str]]:
    return [[*HEADER, header], *[[*row, values[number % len(values)]] for number, row in enumerate(ROWS)]]


def kinds(file: Path) -> list[tuple[str, int]]:
    return [(one.kind, one.column) for one in identifiers_in(file)]


@pytest.mark.parametrize("form", FORMS)
def test_each_kind_is_found_by_its_cells_in_every_form_of_file(form: Callable[..., Path], tmp_path: Path) -> None:
    grouped = [f"{one[:3]} {one[3:6]} {one[6:]}" for one in NHS]
    # Of a JSON the places are those of its names.
    place = 4
    assert kinds(form(tmp_path, with_column("A", NHS))) == [("NHS numbers", place)]
    assert kinds(form(tmp_path, with_column("A", [f"seen, {one}; home" for one in grouped]))) == [
        ("NHS numbers", place)
    ]
    assert kinds(form(tmp_path, with_column("A", NAMES))) == [("names of persons", place)]
    assert kinds(form(tmp_path, with_column("A", POSTCODES))) == [("full postcodes", place)]
    assert kinds(form(tmp_path, with_column("A", BIRTHS))) == [("dates of birth", place)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("NHS_Number", "NHS numbers"), ("NHSNumber", "NHS numbers"), ("Patient NHS No.", "NHS numbers"),
        ("DOB", "dates of birth"), ("Patient Date of Birth", "dates of birth"), ("DateOfBirth", "dates of birth"),
        ("Surname", "names of persons"), ("Victim's name", "names of persons"), ("PatientFirstName", "names of persons"),
    ],
)  # fmt: skip
def test_each_kind_is_found_by_its_header_whatever_the_cells_hold(
    form: Callable[..., Path], header: str, kind: str, tmp_path: Path
) -> None:
    assert kinds(form(tmp_path, with_column(header, ["x"]))) == [(kind, 4)]


def test_a_crime_reference_is_refused_beside_a_victim_and_not_alone(tmp_path: Path) -> None:
    alone = [["Crime Reference", "Offence"], ["6512345/26", "Robbery"]]
    assert kinds(csv_file(tmp_path, alone)) == []
    beside = [["Crime Reference", "Offence", "Victim Age"], ["6512345/26", "Robbery", "17"]]
    assert kinds(csv_file(tmp_path, beside)) == [("crime references beside a victim", 1)]


def test_a_postcode_column_may_hold_sectors_and_districts_and_no_unit(tmp_path: Path) -> None:
    assert kinds(csv_file(tmp_path, with_column("Postcode", ["SW1A 1", "E1", "N17 9", "not known"]))) == []
    assert kinds(csv_file(tmp_path, with_column("Postcode", ["SW1A 1", "E1", "E1 6AN"]))) == [("full postcodes", 4)]
    assert kinds(csv_file(tmp_path, with_column("Postcode District", ["SW1A", "E1"]))) == []


def test_numbers_that_are_nhs_numbers_by_chance_refuse_no_file(tmp_path: Path) -> None:
    """One number of ten digits in eleven has the check digit; a code of SNOMED CT has one of its own."""
    numbers = [str(7_000_000_000 + 7_919 * one) for one in range(200)]
    assert 10 <= sum(map(check_digits.is_nhs_number, numbers)) <= 26
    assert kinds(csv_file(tmp_path, with_column("Reference", numbers))) == []
    codes = [f"{one}{check}" for one in range(123_456_780, 123_457_700) for check in range(10)]
    snomed = [one for one in codes if check_digits.is_verhoeff(one) and check_digits.is_nhs_number(one)]
    assert kinds(csv_file(tmp_path, with_column("Injury Place", snomed[:5]))) == []
    assert kinds(csv_file(tmp_path, with_column("Note", ["", NHS[0]]))) == []  # one number, ungrouped: by chance


def test_what_is_found_far_down_a_file_is_found(tmp_path: Path) -> None:
    rows = [[*HEADER, "Note"], *[[*row, "none"] for row in ROWS * 200]]
    rows += [[*ROWS[0], f"{one[:3]}-{one[3:6]}-{one[6:]}"] for one in NHS[:3]]
    assert kinds(csv_file(tmp_path, rows)) == [("NHS numbers", 4)]


def test_the_check_digit_of_an_nhs_number() -> None:
    assert check_digits.is_nhs_number("9434765919")  # the example of the NHS Data Dictionary
    assert not check_digits.is_nhs_number("9434765918")
    assert not check_digits.is_nhs_number("0000000000")


def test_the_message_has_kind_and_column_and_nothing_of_the_file_is_kept(tmp_path: Path) -> None:
    context = context_in(tmp_path)
    body = csv_file(tmp_path, with_column("Report", NHS)).read_bytes()
    put(context, "tfl-2026-10.csv", body)
    with refused_with("PERSONAL_DATA") as caught:
        take(context)
    told = str(caught.value)
    assert "carries NHS numbers in column 4" in told
    assert [one for one in [*NHS, "tfl-2026-10"] if one in told] == []
    assert [file for file in context.landing.rglob("*") if file.is_file() and body in file.read_bytes()] == []
    assert (context.inbox / "safestats" / context.name / "tfl-2026-10.csv").read_bytes() == body


def test_no_real_published_file_is_taken_for_one_that_carries_identifiers(samples: Path) -> None:
    """Of the samples, the fire brigade's incidents alone have full postcodes (of buildings that are no home); no source loads that file."""
    looked_at = {
        str(file.relative_to(samples)): carries(file)
        for file in sorted(samples.rglob("*.csv"))
        if file.stat().st_size < 1_000_000
    }
    looked_at["workbook"] = carries(samples / "safestats" / "ambulance-borough-monthly.xlsx")
    assert len(looked_at) > 60
    assert {name: found for name, found in looked_at.items() if found} == {
        "lfb/lfb_incident_data_2009_header_head.csv": "carries full postcodes in column 12"
    }


def test_a_file_that_cannot_be_opened_is_left_to_its_reader(tmp_path: Path) -> None:
    for number, body in enumerate([b"", b"PK\x03\x04broken", b"\x89PNG\0\0", b'{"a": [1, ', b"[" * 100_000]):
        file = tmp_path / f"{number}"
        file.write_bytes(body)
        assert identifiers_in(file) == []
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("content.xml", b"<a>" + b" " * 50_000_000 + b"</a>")
    file.write_bytes(bomb.getvalue())
    assert identifiers_in(file) == []
