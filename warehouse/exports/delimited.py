"""CSV, as PostgreSQL writes it: UTF-8 behind a byte-order mark, by which Excel knows it; moments as ISO 8601 with London's offset."""

from __future__ import annotations

import contextlib
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from psycopg import sql
from psycopg.abc import Buffer

from warehouse.exports.tables import Column, Table
from warehouse.exports.values import BEGUN, LONDON, formula_pattern

ENCODING = "utf-8-sig"
# What begins with one of these is no formula, and most texts do: the long pattern is asked of the others alone.
_PLAIN = "^[0-9A-Za-z]"


def expressions(table: Table) -> list[sql.Composable]:
    """Each column as its text in the file."""
    return [_expression(column) for column in table.columns]


def _expression(column: Column) -> sql.Composable:
    if column.kind == "string":
        return sql.SQL("case when {0} !~ {1} and {0} ~ {2} then {3} || {0} else {0} end").format(
            column.expression, sql.Literal(_PLAIN), sql.Literal(formula_pattern()), sql.Literal("'")
        )
    if column.kind == "boolean":
        return sql.SQL("case when {0} then 'true' when not {0} then 'false' end").format(column.expression)
    if column.kind == "datetime":
        # The zone of the session, which _copy sets, is London's.
        return sql.SQL("""to_char({}, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')""").format(column.expression)
    return column.expression


TIME_ZONE = LONDON.key


def write(opened: BinaryIO, table: Table, lines: Iterable[Buffer]) -> None:
    """Write lines as PostgreSQL gives them, below a header."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow([column.name for column in table.columns])
    opened.write(header.getvalue().encode(ENCODING))
    opened.writelines(lines)


@contextlib.contextmanager
def packed(file: Path) -> Iterator[BinaryIO]:
    """A ZIP file of one member, its own name without the .zip, which is written as it comes; the same bytes for the same content."""
    member = zipfile.ZipInfo(file.stem, BEGUN)
    member.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w") as archive, archive.open(member, "w", force_zip64=True) as opened:
        yield cast("BinaryIO", opened)
