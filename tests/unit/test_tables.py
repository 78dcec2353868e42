"""Files read row by row: text that cannot go to COPY as it is, and workbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.declaration import Layout
from ingest.ledger import describe_drift
from ingest.readers.faults import Fault, sentence
from ingest.readers.rows import row_faults
from tests.incident_tables import COLUMNS, HEADER_OF_TABLE, TABLE, layout, read
from tests.read_rows import begins_at, faults_of, opened


def test_columns_are_found_by_name_and_a_dropped_one_is_left_out(tmp_path: Path) -> None:
    turned = "Told,Age,Note,Incidents,Borough\nsecret,17,,5,Barnet\n"
    assert read(tmp_path, turned.encode(), layout()) == ([(1, ["Barnet", "5", "", "17"])], [])
    assert read(tmp_path, TABLE.encode(), layout())[0] == [
        (1, ["Barnet", "5", "", "17"]),
        (2, ["Brent", "7", "late", ""]),
    ]


def test_a_column_that_may_be_missing_is_blank_and_noted(tmp_path: Path) -> None:
    body = b"Borough,Incidents,Age,Told\nBarnet,5,17,secret\n"
    assert read(tmp_path, body, layout()) == ([(1, ["Barnet", "5", "", "17"])], [])
    file = tmp_path / "file"
    assert opened(file, layout())[0][0].header.absent == ("note",)


def test_a_column_nobody_declared_is_noted_and_left_out(tmp_path: Path) -> None:
    body = TABLE.replace("Told\n", "Told,Source\n").replace("secret\n", "secret,x\n").encode()
    assert len(read(tmp_path, body, layout())[0]) == 2
    # Its rows are of persons, and so may be what stands in the header.
    assert opened(tmp_path / "file", layout())[0][0].header.unknown == ("column 6",)
    (table,), _ = opened(tmp_path / "file", layout(columns=[*COLUMNS[:3], COLUMNS[4]]))
    assert table.header.unknown == ("Age", "Source")


@pytest.mark.parametrize(
    "field",
    ["7", "-1,5", "5.27E+07", "07:38", "29/08/2026", "2026-08-29T07:38:00Z", "29 Aug 2026", "Aug-26"],
)  # fmt: skip
def test_a_number_or_a_date_is_no_name_of_a_column(tmp_path: Path, field: str) -> None:
    one = Layout.model_validate({"columns": COLUMNS[:2]})
    behind = f'Borough,Incidents,"{field}"\nBarnet,5,x\n'
    assert read(tmp_path, behind.encode(), one)[1] == [
        "the file is damaged: the header goes on into a row: a line end is missing (its first line has 3 fields)"
    ]
    before = f'Borough,"{field}",Incidents\nBarnet,x,5\n'
    assert read(tmp_path, before.encode(), one)[1] == [
        "header has a number or a date where the name of a column should be: column 2"
    ]


def test_a_separator_too_many_behind_every_row_is_no_reason_to_refuse(tmp_path: Path) -> None:
    one = Layout.model_validate({"columns": COLUMNS[:2]})
    rows, faults = read(tmp_path, b"Borough,Incidents,\nBarnet,5,\n", one)
    assert (len(rows), faults) == (1, [])


def test_a_row_behind_the_header_refuses_a_file_that_is_of_nobody_too(tmp_path: Path) -> None:
    one = Layout.model_validate({"columns": [COLUMNS[0], COLUMNS[2]]})
    assert read(tmp_path, b"Borough,Note,Barnet,late\nBrent,,Camden,\n", one)[1] == [
        "the file is damaged: the header goes on into a row: a line end is missing (its first line has 4 fields)"
    ]
    assert read(tmp_path, b"Borough,Note,Source\nBrent,,x\n", one)[1] == []
    # One that was renamed is still called so.
    assert read(tmp_path, b"Note,Area\n,Brent\n", one)[1][0] == "header 'Area' is not known (column 2)"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (TABLE.replace("Incidents", "Count"), "header has a column that is not known: column 2"),
        (TABLE.replace("Told", "Borough"), "header 'Borough' is a second column for borough_name"),
        (TABLE.replace("17", "17,x"), "row 1, column the row: has 6 fields where the header has 5"),
        (TABLE.replace("Barnet", ""), "row 1, column Borough: '' is blank"),
        (TABLE.replace("7", "7.5", 1).replace("17", "1"), None),
        (TABLE.replace(",7,", ",<5,"), "row 2, column Incidents: does not match"),
        (TABLE.replace(",7,", ",٧,"), "row 2, column Incidents: does not match"),
        (TABLE.replace("17", "old"), "row 1, column Age: is not a number"),
        (TABLE.replace("Brent", '"Brent'), "row 2, column this row and all after it: is not valid CSV"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_row_and_column_and_no_text_of_rows_of_persons(
    tmp_path: Path, body: str, says: str | None
) -> None:
    faults = read(tmp_path, body.encode(), layout())[1]
    if says:
        assert any(fault.startswith(says) for fault in faults), faults


def test_where_no_column_is_personal_the_value_is_said(tmp_path: Path) -> None:
    one = Layout.model_validate({"columns": COLUMNS[:3]})
    assert read(tmp_path, b"Borough,Incidents\nBarnet,<5\n", one)[1] == [
        r"row 1, column Incidents: '<5' does not match \d{1,4}"
    ]


@pytest.mark.parametrize("bad", [b"Bar\xe9net", b"Bar\0net"])
def test_a_byte_that_is_no_text_is_a_fault_that_any_database_can_keep(tmp_path: Path, bad: bytes) -> None:
    faults = read(tmp_path, TABLE.encode().replace(b"Barnet", bad), layout())[1]
    assert faults == ["row 1, column Borough: is not UTF-8 text, or holds a NUL byte"]
    fault = Fault("HEADER_UNKNOWN", 0, "header", bad.decode("utf-8", "surrogateescape"), "is not known")
    assert fault.value in ("Bar\\xe9net", "Bar\\x00net")


def test_short_rows_are_made_whole_only_where_that_is_declared(tmp_path: Path) -> None:
    short = b"Borough,Incidents,Note,Age\nBarnet,5\n"
    one = Layout.model_validate({"columns": COLUMNS[:4], "rows_may_be_short": True})
    assert read(tmp_path, short, one) == ([(1, ["Barnet", "5", "", ""])], [])
    assert (
        "has 2 fields where the header has 4"
        in read(tmp_path, short, Layout.model_validate({"columns": COLUMNS[:4]}))[1][0]
    )


def test_rows_that_must_be_unique_are_named_with_the_first_of_them(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(TABLE + "barnet,9,,,secret\n", encoding="utf-8")
    number, faults = faults_of(file, layout(unique=["borough_name"]))
    assert (number, [str(fault) for fault in faults]) == (
        3,
        ["row 3, column the row: stands already in row 1, and says something else there"],
    )


def test_text_in_utf_16_without_its_mark_is_named(tmp_path: Path) -> None:
    assert "holds NUL bytes (it may be UTF-16)" in read(tmp_path, TABLE.encode("utf-16-le"), layout())[1][0]


def test_drift_is_told_in_words_and_so_is_a_confirmed_correction() -> None:
    assert describe_drift({}) == ""
    assert describe_drift({"new columns": ["A", "B"], "missing columns": ["c"], "corrections": ["D to E"]}) == (
        "columns that are not declared, left out of raw: A, B; columns it lacks: c; corrected as confirmed: D to E"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"PAR1\x15\x04\x15\x10\x00" + bytes(range(256)) * 40 + b"PAR1", "is a Parquet file, not delimited text"),
        (b"SQLite format 3\x00" + bytes(range(256)) * 40, "is a SQLite database, not delimited text"),
        (
            b"\x93NUMPY\xff\xfe" + bytes(range(1, 256)) * 40,
            "is not text: its header holds NUL bytes or other control characters",
        ),
    ],
)
def test_what_is_not_text_is_known_by_its_first_bytes_and_none_of_them_is_told(
    tmp_path: Path, body: bytes, says: str
) -> None:
    (fault,) = read(tmp_path, body, layout())[1]
    assert says in fault
    assert fault.isprintable()


def test_a_fault_tells_little_of_a_file_and_nothing_that_is_no_character(tmp_path: Path) -> None:
    """Headers, and a cell of control characters, each longer than anyone reads."""
    one = Layout.model_validate({"columns": COLUMNS[:3]})
    long = "\x01\x1b[2J" + "x" * 100_000
    file = tmp_path / "file"
    file.write_bytes(b",".join([b"Borough", *[b"\xe9" + b"x" * 4_000] * 30]) + b"\n")
    _, faults = opened(file, one)
    assert len(faults) == 30 + 2  # the names, the column that is missing, and that so many are no header
    cells = f"Borough,Incidents\nBarnet,{long}\n"
    file.write_text(cells, encoding="utf-8")
    (table,), _ = opened(file, one)
    ((number, row),) = table.rows
    assert isinstance(row, list)
    faults += row_faults(number, row, table.header, one)
    for fault in faults:
        assert str(fault).isprintable()
        assert str(fault).count("x") < 250
        assert len(fault.value or "") <= 200
    assert str(faults[-1]).startswith(r"row 1, column Incidents: '\\x01\\x1b[2Jxxx")


@pytest.mark.parametrize(
    "body",
    [TABLE.encode("utf-16"), TABLE.replace(",", "\t").encode("utf-16"), TABLE.replace(",", ";").encode("utf-8-sig"), TABLE.replace(",", "\t").encode()],
    ids=["UTF-16", "UTF-16 with tabs", "semicolons", "tabs"],
)  # fmt: skip
def test_text_that_a_spreadsheet_saved_again_is_the_same_table(tmp_path: Path, body: bytes) -> None:
    published = read(tmp_path, TABLE.encode(), layout())
    assert read(tmp_path, body, layout()) == published
    file = tmp_path / "file"
    assert begins_at(file, layout()) is None  # neither COPY nor Arrow reads it so
    assert faults_of(file, layout()) == (2, [])


def test_text_in_utf_16_that_is_cut_short_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(TABLE.encode("utf-16")[:-8])
    assert str(faults_of(file, layout())[1][-1]).endswith("is cut short: its last row has no line end")
    file.write_bytes(TABLE.encode("utf-16")[:-1])
    assert any("is not UTF-16" in str(fault) for fault in faults_of(file, layout())[1])


def test_faults_beyond_those_that_are_kept_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(HEADER_OF_TABLE + "Barnet,none,,17,x\n" * 1500, encoding="utf-8")
    number, faults = faults_of(file, layout())
    assert (number, len(faults), faults.more) == (1500, 1000, 500)
    assert sentence(faults).endswith("; and 1,495 more")


def test_a_column_without_a_name_is_called_by_its_place(tmp_path: Path) -> None:
    body = "".join(f"{number},{line}\n" for number, line in zip(["", "0", "1"], TABLE.splitlines(), strict=True))
    one = Layout.model_validate({"columns": [{**column, "is_personal": False} for column in COLUMNS]})
    file = tmp_path / "file"
    file.write_text(body, encoding="utf-8")
    (table,), faults = opened(file, one)
    assert faults == []
    assert table.header.unknown == ("column 1 (without a name)",)
    assert describe_drift({"new columns": list(table.header.unknown)}).endswith(
        "left out of raw: column 1 (without a name)"
    )
    file.write_text(body.replace("Borough", ""), encoding="utf-8")
    _, (*_, missing) = opened(file, one)
    assert "it has column 1 (without a name), column 2 (without a name), Incidents" in str(missing)


def test_rows_given_twice_are_left_out_where_a_layout_says_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(TABLE + "Barnet,5,,17,secret\nBarnet,6,,17,secret\n", encoding="utf-8")
    one = layout(unique=["borough_name"], repeats="leave_out")
    assert [str(fault) for fault in faults_of(file, one)[1]] == [
        "row 4, column the row: stands already in row 1, and says something else there"
    ]
    assert len(faults_of(file, layout(unique=["borough_name"]))[1]) == 2


@pytest.mark.parametrize("body", [b"\xff\xfeA\0,\0B", b"\xff\xfe\x00\xd8A\0\n\0"])
def test_a_header_that_breaks_off_within_utf_16_is_refused_as_no_utf_16(tmp_path: Path, body: bytes) -> None:
    """Found by `make fuzz`."""
    file = tmp_path / "file.csv"
    file.write_bytes(body)
    _, faults = opened(file, layout())
    assert [fault.code for fault in faults] == ["ENCODING_UNKNOWN"]
