"""What each source declares in its `source.yml`: who publishes, where, and what its files look like."""

from ingest.declaration.columns import CodeList, Column, Number
from ingest.declaration.layout import Layout, MonthColumns, Period, raw_columns
from ingest.declaration.locations import DatastoreFile, FileAtUrl, Inbox
from ingest.declaration.reading import SEEDS, SOURCES, find_source, read_source, read_sources
from ingest.declaration.source import CountedIn, Dataset, Source, raw_table

__all__ = [
    "SEEDS", "SOURCES", "CodeList", "Column", "CountedIn", "Dataset", "DatastoreFile", "FileAtUrl", "Inbox", "Layout",
    "MonthColumns", "Number", "Period", "Source", "find_source", "raw_columns", "raw_table", "read_source", "read_sources",
]  # fmt: skip
