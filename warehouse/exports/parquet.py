"""Parquet, by row groups: moments in UTC, numbers of fixed places as decimals, what is known of table and columns in the file's metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from psycopg.abc import Buffer

from warehouse.exports.descriptor import About
from warehouse.exports.tables import Column, Table

GROUP = 2 * 2**20  # bytes of CSV that become a row group: some 7,000 rows of the widest mart
PAGE = 2**17  # bytes; each column has a page and a dictionary in memory, of 1 MB if nothing else is said
_FIXED = re.compile(r"numeric\((\d+),(\d+)\)")
_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "number": pa.float64(),
}
_WHOLE = {"smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64()}


def write(file: Path, table: Table, about: About, lines: Iterable[Buffer]) -> None:
    """Write a file of lines of CSV as PostgreSQL gives them.

    By way of CSV, because Arrow makes arrays of Python's objects only with pandas beside it, which takes 50 MB.
    """
    schema = pa.schema(
        [
            pa.field(
                column.name,
                _type(column),
                metadata={"description": column.description, "unit": column.unit, "source": column.source},
            )
            for column in table.columns
        ],
        metadata={key: str(value) for key, value in about.items()},
    )
    # What is null is empty and not quoted.
    told = pc.ConvertOptions(
        column_types=schema,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parsed = pc.ParseOptions(newlines_in_values=True)
    options = {"compression": "zstd", "data_page_size": PAGE, "dictionary_pagesize_limit": PAGE}
    with pq.ParquetWriter(file, schema, **options) as parquet:
        for block in _blocks(lines):
            read = pc.ReadOptions(column_names=schema.names, use_threads=False, block_size=len(block) + 1)
            parquet.write_table(
                pc.read_csv(pa.BufferReader(block), read, parsed, told).replace_schema_metadata(schema.metadata)
            )


def _blocks(lines: Iterable[Buffer]) -> Iterator[bytes]:
    """Whole lines, as many as make a row group."""
    waiting = bytearray()
    for line in lines:
        waiting += line
        if len(waiting) >= GROUP:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _type(column: Column) -> pa.DataType:
    fixed = _FIXED.fullmatch(column.type)
    if fixed:
        return pa.decimal128(int(fixed[1]), int(fixed[2]))
    return _WHOLE.get(column.type) or _TYPES[column.kind]
