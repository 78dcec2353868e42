"""One grammar of numbers, whoever publishes them, and the ranges that the marts hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.declaration import Layout, Number, read_sources
from ingest.readers import month_columns
from ingest.readers.numbers import number_of, plain, takes_any_number, wrong_with
from tests.read_rows import faults_of, validated

COORDINATE = Number(at_least=-180, at_most=180)
COUNT = Number(at_least=0, at_most=999_999, is_whole=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8.6e-05", "0.000086"),
        ("-1.2E-3", "-0.0012"),
        ("1e+05", "100000"),
        ("1E5", "100000"),
        ("5.", "5"),
        (".5", "0.5"),
        ("007", "7"),
    ],
)
def test_an_exponent_and_a_bare_point_are_numbers(text: str, value: str) -> None:
    found = number_of(text)
    assert found is not None
    assert f"{found.normalize():f}" == value


@pytest.mark.parametrize(
    "text", ["", "nan", "NaN", "inf", "-Infinity", "1,000", "1 000", "0x10", "1e", "e5", "+", "--1", "٧", "1_000"]
)
def test_what_python_or_excel_may_take_for_a_number_is_none_here(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        ("8.6e-05", COORDINATE, None),
        ("181", COORDINATE, "VALUE_OUT_OF_RANGE"),
        ("-1", COUNT, "VALUE_OUT_OF_RANGE"),
        ("1e+05", COUNT, None),
        ("1e6", COUNT, "VALUE_OUT_OF_RANGE"),
        ("1.5", COUNT, "VALUE_NOT_A_NUMBER"),
        ("5.0", COUNT, None),
        ("inf", COUNT, "VALUE_NOT_A_NUMBER"),
        ("1e999", Number(), "VALUE_OUT_OF_RANGE"),
    ],
)
def test_a_number_is_refused_for_what_the_marts_cannot_hold(text: str, declared: Number, code: str | None) -> None:
    found = wrong_with(text, declared)
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [("8.6e-05", True), ("-0.115600", True), ("", True), ("181", False), ("nan", False), ("inf", False), ("1e999", False), ("x", False)],
)  # fmt: skip
def test_the_fast_reader_and_the_slow_one_take_the_same_numbers(tmp_path: Path, value: str, is_taken: bool) -> None:
    columns = [
        {"name": "a", "headers": ["A"]},
        {"name": "lon", "headers": ["Lon"], "number": {"at_least": -180, "at_most": 180}, "may_be_blank": True},
    ]
    layout = Layout.model_validate({"columns": columns})
    file = tmp_path / "file.csv"
    file.write_text(f"A,Lon\nx,1.5\ny,{value}\n", encoding="utf-8")
    assert (validated(file, layout) is not None) is is_taken
    assert bool(faults_of(file, layout)[1]) is not is_taken


def test_whole_numbers_of_a_month_may_be_written_with_an_exponent(tmp_path: Path) -> None:
    layout = Layout.model_validate(
        {
            "columns": [{"name": "area", "headers": ["Area"]}],
            "month_columns": {"header_pattern": r"20\d{4}", "cell_pattern": r"\d{1,6}", "cell_is": "a count"},
        }
    )
    file = tmp_path / "file.csv"
    file.write_text("Area,202601,202602\nBarnet,1e+05,7\nBrent,1e-05,1e+06\n", encoding="utf-8")
    found = month_columns.read(file, layout)
    assert [str(fault) for fault in found.faults] == [
        "row 2, column 202601: '1e-05' is not a count",
        "row 2, column 202602: '1e+06' is not a count",
    ]
    assert month_columns.totals(found)["2026-01"] == pytest.approx(100_000.00001)


def test_only_an_exponent_is_written_out() -> None:
    assert [plain(text) for text in ("1e+05", "12", "1.50", "Peel", "1e400")] == [
        "100000",
        "12",
        "1.50",
        "Peel",
        "1e400",
    ]


@pytest.mark.parametrize(
    "name",
    [
        f"{source.source}.{dataset}.{column.name}"
        for source in read_sources().values()
        for dataset, one in source.datasets.items()
        for column in one.layout.columns
        if not column.is_dropped and column.pattern and takes_any_number(column.pattern)
    ]
    or ["none"],
)
def test_no_declared_column_takes_a_number_of_any_length(name: str) -> None:
    # A label may be a number however long: it is never read as one.
    assert name in {
        "none",
        *(f"fingertips.data.{label}" for label in ("age", "category_type", "category", "time_period")),
    }
