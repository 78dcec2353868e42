"""Files with a column per month are read whole or refused with everything that is wrong with them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from ingest.declaration import find_source
from ingest.errors import printable
from ingest.readers import month_columns
from ingest.readers.code_lists import listed, vintage_list
from ingest.readers.faults import Fault, sentence
from ingest.sources.mps.boroughs import faults_of
from sandbox.spoilt_archives import workbook
from tests.mps_files import HEADERS, borough_file, categories
from tests.mps_more_files import xlsx_bytes

LAYOUT = find_source("mps").dataset("borough_recent").layout
FIRST, LAST = "202401", "202403"


def read(tmp_path: Path, body: bytes) -> month_columns.MonthFile:
    file = tmp_path / "file.csv"
    file.write_bytes(body)
    return month_columns.read(file, LAYOUT)


def of_boroughs(tmp_path: Path, body: bytes) -> list[Fault]:
    """What is wrong with a file by borough, by itself and as a whole one."""
    file, categories = read(tmp_path, body), vintage_list(LAYOUT)
    assert categories is not None
    return file.faults or faults_of(file, listed(categories))


def told(tmp_path: Path, body: bytes) -> str:
    return sentence(of_boroughs(tmp_path, body))


WHOLE = borough_file(FIRST, LAST)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("bom", [True, False])
def test_every_vintage_of_the_header_is_read_whatever_its_line_ends_and_mark(
    tmp_path: Path, header: str, line_end: str, bom: bool
) -> None:
    vintage = "connect_2025" if header == "bocu" else header
    file = read(tmp_path, borough_file(FIRST, LAST, vintage=vintage, header=header, line_end=line_end, bom=bom))
    assert file.faults == []
    assert file.vintage == vintage
    assert (file.first_month, file.last_month) == (FIRST, LAST)
    assert len(file.rows) == len(categories(vintage)) * 33


def test_every_cell_becomes_a_row_with_its_header_and_row_number_as_text(tmp_path: Path) -> None:
    file = read(tmp_path, WHOLE)
    lines = [line.split("\t") for block in month_columns.copy_text(file, LAYOUT, 7) for line in block.splitlines()]
    assert len(lines) == len(file.rows) * 3
    assert lines[0] == ["ARSON AND CRIMINAL DAMAGE", "ARSON", "Barking and Dagenham", "202401", "2", "1", "7"]
    assert [line[3] for line in lines[:3]] == ["202401", "202402", "202403"]
    assert lines[-1][5] == str(len(file.rows))


def test_columns_in_another_order_are_matched_by_name(tmp_path: Path) -> None:
    lines = [line.split(",") for line in WHOLE.decode().split("\r\n") if '"' not in line and line]
    turned = "\n".join(",".join([line[2], line[5], line[1], line[3], line[0], line[4]]) for line in lines) + "\n"
    header = read(tmp_path, turned.encode()).header
    assert header is not None
    assert header.months == ((3, "202401", "202401"), (5, "202402", "202402"), (1, "202403", "202403"))
    assert header.positions == {"borough_name": 0, "minor_text": 2, "major_text": 4}


def with_column(name: str, cell: str, first_cell: str | None = None) -> bytes:
    """The whole file with a column more, whose first cell may be another than the rest."""
    first, *rest = WHOLE.removesuffix(b"\r\n").split(b"\r\n")
    cells = [cell if first_cell is None else first_cell, *[cell] * (len(rest) - 1)]
    lines = [(first, name), *zip(rest, cells, strict=True)]
    return b"".join(b'%s,"%s"\r\n' % (line, text.encode()) for line, text in lines)


@pytest.mark.parametrize("first_cell", ["new", "", "5 April"])
def test_a_new_column_that_can_be_no_month_is_left_out_and_noted(tmp_path: Path, first_cell: str) -> None:
    file = read(tmp_path, with_column("Marked by", "new", first_cell))
    assert (file.faults, file.tables[0].header.unknown) == ([], ("Marked by",))
    assert list(month_columns.copy_text(file, LAYOUT, 7)) == list(
        month_columns.copy_text(read(tmp_path, WHOLE), LAYOUT, 7)
    )


JUDGED_BY_ITS_CELLS = ", and its cells are not words alone: it may be a month"


@pytest.mark.parametrize(
    ("name", "first_cell", "cell", "says"),
    [
        *((name, "5", "5", JUDGED_BY_ITS_CELLS) for name in ("Latest", "MMXXVI-III")),
        *(("Latest", odd, "5", JUDGED_BY_ITS_CELLS) for odd in ("", "1,204", "5.0", "-", "n/a")),
        ("Latest", "text", "5", JUDGED_BY_ITS_CELLS),
        *(("Latest", odd, "text", JUDGED_BY_ITS_CELLS) for odd in ("5", "-", "05/04/2026", "\u200b")),
        ("Latest", "", "", JUDGED_BY_ITS_CELLS),
        *((name, "", "text", "") for name in ("April", "Mar", "Month_MAY", "sept.", "Ap\u200br", "\uff2d\uff41\uff52")),
        *((name, "text", "text", "") for name in ("Apr/24", "\u216b", "x\u00b2", "", " ", "\u200b", "\u2060\x1f", "-")),
    ],
)
def test_a_new_column_that_may_be_a_month_refuses_the_file(
    tmp_path: Path, name: str, first_cell: str, cell: str, says: str
) -> None:
    (fault,) = read(tmp_path, with_column(name, cell, first_cell)).faults
    # One that names a month is told how to be saved.
    assert fault.value == printable(name)
    assert fault.reason.partition(": write each month as")[0] == f"is not known (column 7){says}"


def renamed_months(*names: str) -> bytes:
    """The whole file with other names for its three months."""
    header, _, rest = WHOLE.partition(b"\r\n")
    return ",".join([*header.decode().split(",")[:3], *names]).encode() + b"\r\n" + rest


@pytest.mark.parametrize(
    "names",
    [
        ("2024-01", "2024-02", "2024-03"),
        ("2024-01-01", "2024-02-01", "2024-03-01"),
        ("Jan-24", "Feb-24", "Mar-24"),
        ("jan 2024", "February 2024", "Mar-2024"),
    ],
)
def test_months_as_a_spreadsheet_writes_them_are_read(tmp_path: Path, names: tuple[str, str, str]) -> None:
    file = read(tmp_path, renamed_months(*names))
    assert file.faults == []
    assert (file.first_month, file.last_month) == (FIRST, LAST)
    assert file.header is not None
    assert [column.header for column in file.header.months] == list(names)
    assert month_columns.totals(file) == month_columns.totals(read(tmp_path, WHOLE))


@pytest.mark.parametrize("names", [("01/01/2024", "01/02/2024", "01/03/2024"), ("Jan-24", "Febr-24", "Mar-24"), ("2024-01-01", "2024-02-02", "2024-03-01")])  # fmt: skip
def test_a_month_that_could_be_another_is_not_guessed(tmp_path: Path, names: tuple[str, str, str]) -> None:
    assert any(fault.column == "header" for fault in read(tmp_path, renamed_months(*names)).faults)


def separated_by(separator: str) -> str:
    """The whole file with another separator."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(csv.reader(io.StringIO(WHOLE.decode())))
    return text.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        WHOLE.decode().encode("utf-16"),
        b"\xfe\xff" + WHOLE.decode().encode("utf-16-be"),
        separated_by("\t").encode("utf-16"),
        separated_by("\t").encode(),
        separated_by(";").encode("utf-8-sig"),
        workbook(WHOLE),
    ],
    ids=["UTF-16", "UTF-16 big endian", "Unicode text of a spreadsheet", "tabs", "semicolons", "XLSX"],
)
def test_a_file_that_a_spreadsheet_saved_again_is_the_same_table(tmp_path: Path, body: bytes) -> None:
    published, again = read(tmp_path, WHOLE), read(tmp_path, body)
    assert again.faults == []
    assert "".join(month_columns.copy_text(again, LAYOUT, 1)) == "".join(month_columns.copy_text(published, LAYOUT, 1))


def test_a_workbook_of_two_sheets_is_refused_with_what_to_save(tmp_path: Path) -> None:
    rows = [line.split(",") for line in WHOLE.decode().splitlines()]
    two = xlsx_bytes({"MPS": rows, "Notes": [["Read", "me"]]})
    assert told(tmp_path, two).startswith(
        "the file has 2 sheets, and nothing says which of them is the table: MPS, Notes; save"
    )


def replaced(old: str, new: str, count: int = 1) -> bytes:
    text = WHOLE.decode()
    assert old in text
    return text.replace(old, new, count).encode()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the file is empty"),
        (b"   \r\n", "the file is empty"),
        (b"<!DOCTYPE html><html><body>Busy</body></html>", "is an HTML or XML page"),
        (b'{"success": false}', "is JSON, not delimited text"),
        (b"PK\x03\x04rest", "is not a readable workbook"),
        (WHOLE.decode().encode("utf-16-le"), "holds NUL bytes (it may be UTF-16), and is not delimited text in UTF-8: save its sheet as CSV"),
        (WHOLE.decode().encode("utf-16")[:-1], "is not UTF-16"),
        (replaced("Barnet", "Barn\x00et"), "holds a NUL byte on line 3"),
        (WHOLE.replace(b"Barnet", b"Barn\xa3et", 1), "is not UTF-8: byte 0xa3 on line 3"),
        (WHOLE.split(b"\r\n")[0] + b"\r\n", "has a header and no rows"),
        (replaced("MajorText", "Ward"), "header 'Ward' is not known (column 1)"),
        (replaced("MajorText", "Ward"), "has no column for major_text (any of: MajorText, Major Category, Group)"),
        (replaced("MinorText", "Major Category"), "header 'Major Category' is a second column for major_text"),
        (replaced(",202402", ",202401"), "header '202401' is repeated"),
        (replaced(",202402", ",202405"), "header lacks the months 202402, 202404"),
        (replaced(",202402", ",202413"), "header '202413' is not known"),
        (replaced(",202402", ",Total"), "header 'Total' is not known"),
        (replaced("Barnet", "Barnett"), "row 2, column BoroughName: 'Barnett' is not in the list"),
        (replaced("ARSON,Barnet", "ARSONIST,Barnet"), "row 2, column MajorText and MinorText: 'ARSON AND CRIMINAL DAMAGE / ARSONIST' is not"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,-5"), "row 2, column 202401: '-5' is not a whole number of offences, 0 or more"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,5.0"), "row 2, column 202401: '5.0' is not a whole number"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,"), "row 2, column 202401: '' is not a whole number"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,five"), "row 2, column 202401: 'five' is not a whole number"),
        (replaced("ARSON,Barnet,5", 'ARSON,Barnet,"1,005"'), "row 2, column 202401: '1,005' is not a whole number"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,٥"), "row 2, column 202401: '٥' is not a whole number"),
        (replaced("ARSON,Barnet,5", "ARSON,Barnet,5,9"), "row 2, column the row: has 7 fields where the header has 6"),
        (replaced("ARSON,Barnet,5,", "ARSON,Barnet,"), "row 2, column the row: has 5 fields where the header has 6"),
        (replaced("ARSON,Barnet,", "ARSON,Barking and Dagenham,"), "stands already in row 1"),
        (replaced('ARSON,Barnet,', 'ARSON,"Barnet,'), "is not valid CSV"),
        (WHOLE[:-2], "ends in the middle of a line"),
        (WHOLE[: len(WHOLE) // 2], "ends in the middle of a line"),
        (b"\r\n".join(WHOLE.split(b"\r\n")[:-4]) + b"\r\n", "has no row for wandsworth, westminster: the file is cut short"),
        (b"\r\n".join(WHOLE.split(b"\r\n")[:200]) + b"\r\n", "which every file of that vintage has: it may be cut short"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_by_row_column_and_value(tmp_path: Path, body: bytes, says: str) -> None:
    assert says in told(tmp_path, body)


def test_every_fault_of_a_file_is_found_at_once(tmp_path: Path) -> None:
    body = (
        replaced("Barnet,", "Barnett,", 1).replace(b",Bexley,", b",Bexleyheath,", 1).replace(b"Brent,", b"Brent,-", 1)
    )
    assert [(f.row, f.value) for f in read(tmp_path, body).faults] == [(2, "Barnett"), (3, "Bexleyheath"), (4, "-11")]


def test_two_vintages_in_one_file_are_refused(tmp_path: Path) -> None:
    old = borough_file(FIRST, LAST, vintage="2019").decode().splitlines(keepends=True)
    mixed = WHOLE.decode() + "".join(line for line in old if ",Drug Trafficking," in line)
    assert told(tmp_path, mixed.encode()) == (
        "major_text and minor_text fit no vintage of the list mps_category: closest is connect_2025, "
        "but the file has drug offences / drug trafficking, which that vintage does not"
    )


def test_an_area_under_two_spellings_is_counted_once_or_not_at_all(tmp_path: Path) -> None:
    line = next(line for line in WHOLE.decode().split("\r\n") if line.startswith("ARSON") and "Barking" in line)
    twice = WHOLE + line.replace("Barking and Dagenham", "Barking & Dagenham").encode() + b"\r\n"
    (fault,) = of_boroughs(tmp_path, twice)
    assert fault.value == "ARSON AND CRIMINAL DAMAGE / ARSON / Barking & Dagenham"
    assert fault.reason == "counts the same as row 1 under another spelling, in 202401"
    *labels, _, _, _ = line.replace("Barking and Dagenham", "Barking & Dagenham").split(",")
    zeros = WHOLE + ",".join([*labels, "0", "0", "0"]).encode() + b"\r\n"
    assert of_boroughs(tmp_path, zeros) == []


def test_an_open_quote_is_named_with_its_row_and_line(tmp_path: Path) -> None:
    lines = WHOLE.decode().split("\r\n")
    lines[3] = '"' + lines[3]
    assert told(tmp_path, "\r\n".join(lines).encode()).startswith("row 3, column the row: is not valid CSV (")


def test_a_blank_line_counts_as_a_row_of_the_file(tmp_path: Path) -> None:
    lines = WHOLE.decode().split("\r\n")
    lines.insert(1, ",,,,,")
    lines[3] = lines[3].rsplit(",", 1)[0] + ",x"
    assert told(tmp_path, "\r\n".join(lines).encode()).startswith("row 3, column 202403: 'x' is not a whole number")


def test_a_cell_of_any_length_is_held_to_what_the_marts_can_hold(tmp_path: Path) -> None:
    months = LAYOUT.month_columns
    assert months is not None
    any_length = LAYOUT.model_copy(update={"month_columns": months.model_copy(update={"cell_pattern": r"\d+"})})
    file = tmp_path / "file.csv"
    first, _, rest = WHOLE.partition(b"\r\n")
    row, _, others = rest.partition(b"\r\n")
    *labels, _ = row.split(b",")
    for digits, faults in ((12, 0), (13, 1)):
        file.write_bytes(b"\r\n".join([first, b",".join([*labels, b"9" * digits]), others]))
        assert len(month_columns.read(file, any_length).faults) == faults
    assert "row 1, column 202403: '9999999999999' is a number that the marts cannot hold" in sentence(
        month_columns.read(file, any_length).faults
    )
