"""What goes with exported files: the data dictionary, Frictionless's datapackage.json, and what a file says of itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ingest.declaration import read_sources
from ingest.landing import SYNTHETIC, SYNTHETIC_BANNER
from warehouse.exports.tables import Release, Table
from warehouse.exports.values import in_london, without_formula

About = Mapping[str, str | int]  # what a file says of itself: title, release, kind of data
Write = Callable[[list[tuple[Any, ...]]], None]  # takes rows of a table, in the order of its columns

DICTIONARY = "dictionary.csv"
DICTIONARY_HEADER = ("table", "position", "column", "type", "is_key", "description", "unit", "source")
PACKAGE = "datapackage.json"
SUMS = "SHA256SUMS"
PACKED = ".zip"
METADATA = "csv-metadata.json"
_CSVW = {
    "string": "string",
    "date": "date",
    "datetime": "dateTime",
    "boolean": "boolean",
    "integer": "integer",
    "number": "number",
}
TITLE = "London's violence-reduction data warehouse"
MEDIA_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}


def about(table: Table, release: Release) -> dict[str, str | int]:
    """What a file of a table says of itself; nothing that differs from one export of a release to the next."""
    found: dict[str, str | int] = {
        "title": TITLE,
        "table": table.name,
        "description": table.description,
        "release_id": release.release_id,
        "published_at": in_london(release.published_at).isoformat(),
        "data_kind": release.data_kind,
    }
    return {"notice": SYNTHETIC_BANNER, **found} if release.data_kind == SYNTHETIC else found


def dictionary_of(table: Table) -> Iterator[tuple[str | int, ...]]:
    """A row of the data dictionary for each column, in the order of DICTIONARY_HEADER."""
    for position, column in enumerate(table.columns, start=1):
        is_key = "true" if column.name in table.key else "false"
        yield (
            table.name,
            position,
            column.name,
            column.type,
            is_key,
            column.description,
            column.unit,
            column.source,
        )


def write_dictionary(file: Path, tables: list[Table]) -> None:
    """Write the data dictionary of all tables, a CSV file of the form of the others."""
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        lines = csv.writer(opened)
        lines.writerow(DICTIONARY_HEADER)
        lines.writerows([without_formula(value) for value in row] for table in tables for row in dictionary_of(table))


def write_package(file: Path, tables: list[Table], release: Release, resources: list[dict[str, Any]]) -> None:
    """Write datapackage.json (Frictionless Data Package 1.0).

    Args:
        resources: of each table `path`, `format`, `bytes`, `hash` (sha256:…) and `row_count`.
    """
    licences, sources = [], []
    for source in read_sources().values():
        licence = {"title": source.licence, "path": source.licence_url}
        if licence not in licences:
            licences.append(licence)
        sources.append({"title": f"{source.publisher}. {source.attribution}"})
    package: dict[str, Any] = {
        "profile": "data-package",
        "name": f"vru-release-{release.release_id}",
        "title": TITLE,
        "version": str(release.release_id),
        "created": in_london(release.published_at).isoformat(),
        "data_kind": release.data_kind,
        "licenses": licences,
        "sources": sources,
        "resources": [_resource(table, given) for table, given in zip(tables, resources, strict=True)],
    }
    if release.data_kind == SYNTHETIC:
        package = {"notice": SYNTHETIC_BANNER, **package, "title": f"{TITLE} (synthetic data)"}
    file.write_text(json.dumps(package, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_metadata(folder: Path, table: Table, release: Release) -> str:
    """Write what is known of a CSV file as CSV on the Web has it (W3C, Metadata Vocabulary for Tabular Data), where its readers look for it.

    Returns:
        The file's name.
    """
    sources = read_sources().values()
    told: dict[str, Any] = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": f"{table.name}.csv",
        "dc:title": f"{TITLE}: {table.name}",
        "dc:description": table.description,
        "dc:identifier": f"release {release.release_id}",
        "dc:issued": in_london(release.published_at).isoformat(),
        "dc:license": sorted({source.licence_url for source in sources}),
        "dc:source": sorted({f"{source.publisher}. {source.attribution}" for source in sources}),
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "quoteChar": '"', "lineTerminators": ["\n"]},
        "tableSchema": {"columns": [_csvw_column(column) for column in table.columns]},
    }
    if table.key:
        told["tableSchema"]["primaryKey"] = list(table.key)
    if release.data_kind == SYNTHETIC:
        told["dc:accessRights"] = SYNTHETIC_BANNER
    name = f"{table.name}.{METADATA}"
    (folder / name).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return name


def _csvw_column(column: Any) -> dict[str, Any]:
    told = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.description or column.name,
        "datatype": _CSVW[column.kind],
    }
    if column.kind == "boolean":
        told["datatype"] = {"base": "boolean", "format": "true|false"}
    return told | {f"dc:{key}": value for key, value in (("extent", column.unit), ("source", column.source)) if value}


def _resource(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    form = given["format"]
    schema: dict[str, Any] = {"fields": [_field(column) for column in table.columns], "missingValues": [""]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    resource = {
        "name": table.name,
        "description": table.description,
        "mediatype": MEDIA_TYPES[form],
        **given,
        "schema": schema,
    }
    if given["path"].endswith(PACKED):
        resource |= {"compression": "zip", "innerpath": given["path"].removesuffix(PACKED)}
    if form == "csv":
        resource |= {"profile": "tabular-data-resource", "encoding": "utf-8"}
    return resource


def _field(column: Any) -> dict[str, str]:
    field = {"name": column.name, "type": column.kind, "description": column.description}
    if column.kind == "datetime":
        field["format"] = "any"
    return field | {key: value for key in ("unit", "source") if (value := getattr(column, key))}
