"""The SQL runs on the oldest PostgreSQL that is offered, which is Debian 12's; `make compose-test` runs it there."""

from __future__ import annotations

import re

import pytest

from tests.conftest import PROJECT

# Functions and aggregates of SQL, also of what Python asks, that a later release added, from the release notes of PostgreSQL 16, 17 and 18.
LATER = {
    16: "any_value array_sample array_shuffle date_add date_subtract erf erfc pg_input_error_info pg_input_is_valid random_normal system_user",
    17: "json_exists json_query json_scalar json_serialize json_table json_value to_bin to_oct unicode_assigned uuid_extract_timestamp xmltext",
    18: "array_reverse array_sort casefold crc32 crc32c gamma lgamma uuidv4 uuidv7",
}
CALL = re.compile(
    r"(?<![.\w])(" + "|".join(name for names in LATER.values() for name in names.split()) + r")\s*\(", re.IGNORECASE
)
SQL = sorted(
    file
    for folder in ("dbt_project", "warehouse", "ingest", "expectations")
    for file in (PROJECT / folder).rglob("*")
    if file.suffix in {".sql", ".py"} and "target" not in file.relative_to(PROJECT).parts
)


def test_no_sql_calls_what_only_a_later_postgresql_has() -> None:
    found = [
        f"{file.relative_to(PROJECT)}:{number}: {call[1]}"
        for file in SQL
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (call := CALL.search(line.partition("--")[0]))
    ]
    assert found == []


@pytest.mark.parametrize("line", ["select any_value(a) from b", "select  Array_Sort (a)"])
def test_a_call_of_a_later_function_is_seen(line: str) -> None:
    assert CALL.search(line)
