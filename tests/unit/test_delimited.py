"""Files with a row per row of raw: Arrow vouches for all of them, and where it does not, the file is read again to say why."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.declaration import Layout
from tests.read_rows import faults_of, validated

LAYOUT = Layout.model_validate(
    {
        "columns": [
            {"name": "crime_id", "headers": ["Crime ID"], "pattern": "[0-9a-f]{4}", "may_be_blank": True},
            {"name": "month", "headers": ["Month"], "pattern": r"20\d{2}-\d{2}"},
            {"name": "location", "headers": ["Location"]},
            {
                "name": "age",
                "headers": ["Age"],
                "number": {"at_least": 0, "is_whole": True},
                "is_personal": True,
                "may_be_blank": True,
            },
        ]
    }
)
HEADER = "Crime ID,Month,Location,Age\n"
WHOLE = HEADER + 'ab12,2026-01,"On or near High Road, Ickenham",17\n,2026-01,Ealing,\n'


def vouched(tmp_path: Path, body: bytes) -> int | None:
    file = tmp_path / "file.csv"
    file.write_bytes(body)
    found = validated(file, LAYOUT)
    return None if found is None else found.rows


def explained(tmp_path: Path, body: bytes) -> list[str]:
    file = tmp_path / "file.csv"
    file.write_bytes(body)
    return [str(fault) for fault in faults_of(file, LAYOUT)[1]]


@pytest.mark.parametrize(
    "body",
    [WHOLE.encode(), b"\xef\xbb\xbf" + WHOLE.encode(), WHOLE.replace("\n", "\r\n").encode()],
    ids=["plain", "BOM", "CRLF"],
)
def test_a_clean_file_is_vouched_for_with_its_number_of_rows(tmp_path: Path, body: bytes) -> None:
    assert vouched(tmp_path, body) == 2


def test_a_line_end_inside_quotes_belongs_to_its_row(tmp_path: Path) -> None:
    assert vouched(tmp_path, (HEADER + 'ab12,2026-01,"High\nRoad",\n').encode()) == 1


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("ab12,2026-01,Ealing\n", "row 1, column the row: has 3 fields where the header has 4"),
        ("ab12,2026-01,Ealing,,\n", "row 1, column the row: has 5 fields where the header has 4"),
        ("ab12,2026-01,Ealing,\nXY12,2026-01,Brent,\n", "row 2, column Crime ID: does not match [0-9a-f]{4}"),
        ("ab12,,Ealing,\n", "row 1, column Month: '' is blank"),
        ("ab12,2026-01,,\n", "row 1, column Location: '' is blank"),
        ("ab12,2026-01,Ealing,teen\n", r"row 1, column Age: is not a number"),
        (
            f"ab12,2026-01,Ealing,{'9' * 13}\n",
            "row 1, column Age: is a number that the marts cannot hold: it is not finite, or has more than 12 digits before the point",
        ),
        ("ab12,2026-01,Ealing,", "the file is cut short: its last row has no line end"),
        (
            'ab12,2026-01,"Ealing,\n',
            "row 1, column this row and all after it: is not valid CSV: unexpected end of data, on line 2",
        ),
    ],
    ids=[
        "short",
        "long",
        "pattern",
        "blank",
        "blank without a pattern",
        "personal",
        "too large",
        "cut",
        "open quote",
    ],
)
def test_a_file_that_is_not_clean_is_not_vouched_for_and_the_row_is_named(tmp_path: Path, rows: str, says: str) -> None:
    body = (HEADER + rows).encode()
    assert vouched(tmp_path, body) is None
    assert says in explained(tmp_path, body)
