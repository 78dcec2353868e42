"""`vru export`: files that other programs read, whole or not at all, in flat memory. What reads them here has not written them."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from frictionless import Package
from psycopg import sql
from python_calamine import CalamineWorkbook

from tests.homes import VRU, Home
from tests.refused import refused_with
from warehouse import exports
from warehouse.exports import sheets, workbook
from warehouse.exports.descriptor import About
from warehouse.exports.tables import Column, Table
from warehouse.exports.values import formula_pattern, without_formula
from warehouse.platform.connection import ANALYST, connect
from warehouse.platform.settings import Settings

MIB = 2**20
WARD_MONTH = """select f.*, a.area_name from marts.fct_ward_month as f
    inner join marts.dim_area as a on a.area_code = f.area_code order by f.ward_code, f.month_start_date"""


def ward_months(home: Home) -> list[dict[str, Any]]:
    with connect(home.settings, ANALYST) as connection:
        cursor = connection.execute(WARD_MONTH)  # type: ignore[arg-type] # a constant of this file
        names = [column.name for column in cursor.description or ()]
        return [{**dict(zip(names, row, strict=True)), "data_kind": "synthetic"} for row in cursor.fetchall()]


def peak(home: Home, *arguments: str) -> int:
    """Runs `vru export` in a process of its own.

    Returns:
        The most memory it had at once, in bytes.
    """
    # A process has at first what the one that starts it has; this one has little.
    start = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)"
    measure = "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}; {measure}", VRU, "export", *arguments],
        env={**os.environ, **home.environment}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout) * 1024


def csv_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def as_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_csv_holds_each_row_with_names_and_the_kind_of_its_data_behind_a_byte_order_mark(
    first_night: Home, tmp_path: Path
) -> None:
    exports.export(first_night.settings, ("fct_ward_month", "marts.data_status"), "csv", tmp_path / "out")
    file = tmp_path / "out" / "fct_ward_month.csv"
    assert file.read_bytes().startswith(b"\xef\xbb\xbfward_code,ward_name,area_code,area_name,month_start_date,")
    told = ward_months(first_night)
    assert csv_rows(file) == [{name: as_text(value) for name, value in row.items()} for row in told]
    with connect(first_night.settings, ANALYST) as connection:
        (fetched,) = connection.execute(
            "select fetched_at from marts.data_status where source = 'mhclg' limit 1"
        ).fetchone()  # type: ignore[misc] # there is a row
    there = {row["fetched_at"] for row in csv_rows(tmp_path / "out" / "data_status.csv") if row["source"] == "mhclg"}
    assert fetched.replace(microsecond=0) in {dt.datetime.fromisoformat(moment) for moment in there}
    assert {moment[-6:] for moment in there} == {"+00:00"}  # London's, in November


def test_a_summer_s_moment_has_the_offset_of_london_s_summer(warehouse: Settings, tmp_path: Path) -> None:
    published(warehouse, "timestamptz '2026-07-01 12:00:00.5+00' as some_at")
    exports.export(warehouse, ("some",), "csv", tmp_path / "csv")
    exports.export(warehouse, ("some",), "xlsx", tmp_path / "xlsx")
    assert csv_rows(tmp_path / "csv" / "some.csv")[0]["some_at"] == "2026-07-01T13:00:00+01:00"
    sheet = CalamineWorkbook.from_path(tmp_path / "xlsx" / "some.xlsx").get_sheet_by_name("some")
    assert sheet.to_python()[1][0] == dt.datetime(2026, 7, 1, 13)


def test_parquet_has_types_and_what_is_known_of_its_columns(first_night: Home, tmp_path: Path) -> None:
    exports.export(first_night.settings, ("fct_ward_month",), "parquet", tmp_path / "out")
    read = pq.read_table(tmp_path / "out" / "fct_ward_month.parquet")
    assert read.to_pylist() == ward_months(first_night)
    assert read.schema.metadata[b"data_kind"] == b"synthetic"
    assert read.schema.metadata[b"notice"].startswith(b"SYNTHETIC DATA")
    assert set(read.schema.field("residents").metadata) == {b"description", b"unit", b"source"}


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_workbook_has_the_table_its_columns_and_what_it_is(first_night: Home, tmp_path: Path, form: str) -> None:
    exports.export(first_night.settings, ("rpt_hotspots", "dim_month"), form, tmp_path / "out")
    book = CalamineWorkbook.from_path(tmp_path / "out" / f"rpt_hotspots.{form}")
    assert book.sheet_names == ["rpt_hotspots", "columns", "about"]
    header, *rows = book.get_sheet_by_name("rpt_hotspots").to_python()
    with connect(first_night.settings, ANALYST) as connection:
        told = connection.execute(
            """select area_level, small_area_code, measure_code, window_start_date, count_12_months, rate_per_1000, is_below_minimum_count, note
               from marts.rpt_hotspots order by 1, 2, 3"""
        ).fetchall()
    wanted = [
        "area_level", "small_area_code", "measure_code", "window_start_date", "count_12_months", "rate_per_1000", "is_below_minimum_count", "note",
    ]  # fmt: skip
    found = sorted(tuple(row[header.index(name)] for name in wanted) for row in rows)
    assert found == [
        tuple("" if value is None else pytest.approx(value) if isinstance(value, float) else value for value in row)
        for row in told
    ]
    assert {row[header.index("data_kind")] for row in rows} == {"synthetic"}
    assert [
        "notice",
        "SYNTHETIC DATA: invented by the stand-in publishers, for no decision whatever.",
    ] in book.get_sheet_by_name("about").to_python()
    described = book.get_sheet_by_name("columns").to_python()
    assert [row[2] for row in described[1:]] == header


def test_the_package_describes_what_is_there(first_night: Home, tmp_path: Path) -> None:
    written = exports.export(
        first_night.settings, ("dim_area", "rpt_hotspots", "publication", "data_status"), "csv", tmp_path / "out"
    )
    report = Package(str(tmp_path / "out" / "datapackage.json")).validate()
    assert report.valid, report.flatten(["fieldName", "message"])
    assert report.stats["tasks"] == 4
    package = json.loads((tmp_path / "out" / "datapackage.json").read_text(encoding="utf-8"))
    ((release,),) = first_night.rows("select release_id::text from marts.publication where is_current")
    assert (package["version"], package["data_kind"]) == (release, "synthetic")
    assert package["notice"].startswith("SYNTHETIC DATA")
    assert {one["title"] for one in package["licenses"]} >= {"Open Government Licence v3.0"}
    fields = {field["name"]: field for field in package["resources"][1]["schema"]["fields"]}
    assert (fields["rate_per_1000"]["type"], fields["is_comparable"]["type"], fields["residents"]["unit"]) == (
        "number",
        "boolean",
        "people",
    )
    sums = dict(
        line.split("  ")[::-1] for line in (tmp_path / "out" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    assert sums == {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (tmp_path / "out").iterdir()
        if file.name != "SHA256SUMS"
    }
    assert sums == {one.file: one.sha256 for one in written}
    described = csv_rows(tmp_path / "out" / "dictionary.csv")
    assert {row["table"] for row in described} == {"dim_area", "rpt_hotspots", "publication", "data_status"}
    assert next(row for row in described if row["column"] == "rate_per_1000")["unit"] == "offences per 1,000 residents"


def test_a_release_is_the_same_bytes_each_time_and_can_be_had_from_history(first_night: Home, tmp_path: Path) -> None:
    chosen = ("dim_measure", "rpt_hotspots", "rpt_sna_facts_archive")
    for form in exports.FORMATS:
        first, again = (exports.export(first_night.settings, chosen[:2], form, tmp_path / f"{form}{n}") for n in (1, 2))
        assert first == again
    now = exports.export(first_night.settings, chosen, "csv", tmp_path / "now")
    then = exports.export(first_night.settings, chosen, "csv", tmp_path / "then", release_id=1)
    assert [(one.file, one.rows) for one in then][:3] == [(one.file, one.rows) for one in now][:3]
    for name in chosen:
        old, new = (
            sorted((tmp_path / folder / f"{name}.csv").read_text(encoding="utf-8").splitlines())
            for folder in ("then", "now")
        )
        assert old == new
    with refused_with("RELEASE_UNKNOWN", match="99"):
        exports.export(first_night.settings, chosen, "csv", tmp_path / "none", release_id=99)
    with refused_with("TABLE_UNKNOWN", match="data_status"):
        exports.export(first_night.settings, ("data_status",), "csv", tmp_path / "none", release_id=1)
    assert not (tmp_path / "none").exists()


def test_the_open_layer_is_exported_by_its_role_alone(first_night: Home, tmp_path: Path) -> None:
    exports.export(first_night.settings, ("publication",), "csv", tmp_path / "out", is_open=True)
    (row,) = csv_rows(tmp_path / "out" / "publication.csv")
    ((release,),) = first_night.rows("select release_id from marts.publication where is_current")
    assert (row["release_id"], row["is_current"], row["data_kind"]) == (str(release), "true", "synthetic")
    for name in ("fct_measure", "withheld_total", "edition"):
        with refused_with("TABLE_UNKNOWN", match="choose of: .*data_status, .*measure, publication"):
            exports.export(first_night.settings, (name,), "csv", tmp_path / "none", is_open=True)
    with refused_with("OPTION_INVALID"):
        exports.export(first_night.settings, (), "csv", tmp_path / "none", is_open=True, release_id=1)


@pytest.mark.parametrize(
    ("form", "table", "more"),
    # Of Parquet a row group and its pages are in memory.
    [("csv", "rpt_temporal_profile", 15), ("parquet", "rpt_temporal_profile", 60), ("xlsx", "fct_ward_month", 15), ("ods", "fct_ward_month", 15)],
)  # fmt: skip
def test_a_large_table_takes_hardly_more_memory_than_a_small_one(
    first_night: Home, tmp_path: Path, form: str, table: str, more: int
) -> None:
    small, large = (
        peak(first_night, name, "--format", form, "--out", str(tmp_path / name)) for name in ("dim_area", table)
    )
    assert large - small < more * MIB
    assert large < 200 * MIB


def test_a_folder_that_holds_something_is_left_alone_and_an_empty_one_is_filled(
    first_night: Home, tmp_path: Path
) -> None:
    taken, empty = tmp_path / "taken", tmp_path / "empty"
    taken.mkdir()
    empty.mkdir()
    (taken / "mine.txt").write_text("mine", encoding="utf-8")
    with refused_with("EXPORT_FOLDER_TAKEN", where="taken"):
        exports.export(first_night.settings, ("dim_area",), "csv", taken)
    assert [file.name for file in taken.iterdir()] == ["mine.txt"]
    exports.export(first_night.settings, ("dim_area",), "csv", empty)
    wanted = {"dim_area.csv", "dim_area.csv-metadata.json", "dictionary.csv", "datapackage.json", "SHA256SUMS"}
    assert {file.name for file in empty.iterdir()} == wanted


def test_an_export_that_fails_half_way_leaves_nothing(
    first_night: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def writer(file: Path, table: Table, about: About, row_count: int) -> Any:
        if written:
            raise OSError(28, "No space left on device")
        written.append(file)
        return workbook.writer(file, table, about, row_count)

    monkeypatch.setattr("warehouse.exports.exporting._SHEETS", {"xlsx": writer})
    with pytest.raises(OSError, match="No space"):
        exports.export(first_night.settings, ("dim_area", "dim_month"), "xlsx", tmp_path / "out")
    assert written
    assert list(tmp_path.iterdir()) == []


def published(settings: Settings, row: str) -> None:
    """A home that has published one table, `some`, of one row."""
    with connect(settings, "postgres") as connection:
        connection.execute("set role vru_publisher")
        connection.execute(f"create table marts.some as select {row}".encode())
        connection.execute("grant select on marts.some to vru_analyst")
        connection.execute("reset role")
        connection.execute("update ops.warehouse set data_kind = 'real', decided_by = 'test', decided_at = now()")
        connection.execute(
            "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values ('c', 'f', 'v', 'real')"
        )
        connection.execute(
            """insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
               values ('c', 'passed', 'published', now(), now(), 'v', 'real')"""
        )


def test_text_like_a_formula_is_marked_in_csv_and_is_text_in_a_workbook(warehouse: Settings, tmp_path: Path) -> None:
    published(
        warehouse,
        "'=1+1'::text as a, 'a=1'::text as b, ''::text as c, null::text as d, -1 as e, 1.10::numeric(6, 2) as f",
    )
    forms = {form: exports.export(warehouse, ("some",), form, tmp_path / form) for form in exports.FORMATS}
    assert all(written[0].rows == 1 for written in forms.values())
    assert csv_rows(tmp_path / "csv" / "some.csv") == [
        {"a": "'=1+1", "b": "a=1", "c": "", "d": "", "e": "-1", "f": "1.10", "data_kind": "real"}
    ]
    assert pq.read_table(tmp_path / "parquet" / "some.parquet").to_pylist() == [
        {"a": "=1+1", "b": "a=1", "c": "", "d": None, "e": -1, "f": Decimal("1.10"), "data_kind": "real"}
    ]
    for form in ("xlsx", "ods"):
        sheet = CalamineWorkbook.from_path(tmp_path / form / f"some.{form}").get_sheet_by_name("some")
        assert sheet.to_python()[1] == ["=1+1", "a=1", "", "", -1, 1.1, "real"]
    assert '"notice"' not in (tmp_path / "csv" / "datapackage.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "\t1",
        " =1",
        "\ufeff=1",
        "\u3164=1",
        "＝1",
        "⁼1",
        "a=1",
        "é",
        "",
        " ",
        "'=1",
        "\U000e0001=1",
        "€=",
        "٣-",
    ],
)
def test_the_database_marks_the_same_texts_as_we_do(warehouse: Settings, text: str) -> None:
    with connect(warehouse, ANALYST) as connection:
        row = connection.execute("select %s::text ~ %s::text", [text, formula_pattern()]).fetchone()
    assert row == (without_formula(text) != text,)


def test_what_a_sheet_cannot_hold_is_refused_and_not_cut(warehouse: Settings, tmp_path: Path) -> None:
    column = Column("a", "text", "", "", "", sql.SQL("a"))
    table = Table("some", "", (column,), (), sql.Composed([]), sql.Composed([]))
    sheets.check_rows(table, 1_048_575)
    with refused_with("SHEET_TOO_SMALL", match="1,048,575"):
        sheets.check_rows(table, 1_048_576)
    published(warehouse, "repeat('x', 32768) as a")
    for form in ("xlsx", "ods"):
        with refused_with("SHEET_TOO_SMALL", match="32,768"):
            exports.export(warehouse, ("some",), form, tmp_path / form)
    assert list(tmp_path.glob("*s*")) == []


def test_a_table_of_more_rows_than_a_sheet_is_refused_before_any_is_read(warehouse: Settings, tmp_path: Path) -> None:
    published(warehouse, "n from generate_series(1, 1048576) as n")
    with refused_with("SHEET_TOO_SMALL", match="some"):
        exports.export(warehouse, ("some",), "xlsx", tmp_path / "out")


def test_an_export_during_which_a_release_is_published_is_refused(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(warehouse, "1 as a")
    real_find = exports.exporting.tables.find  # type: ignore[attr-defined] # not the package's own

    def find(connection: psycopg.Connection, *arguments: Any, **more: Any) -> list[Table]:
        found: list[Table] = real_find(connection, *arguments, **more)
        with connect(warehouse, "postgres") as other:
            other.execute(
                """insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
                   values ('c', 'passed', 'published', now(), now(), 'v', 'real')"""
            )
        return found

    monkeypatch.setattr("warehouse.exports.tables.find", find)
    with refused_with("RELEASE_CHANGED", match="release 1"):
        exports.export(warehouse, ("some",), "csv", tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []
