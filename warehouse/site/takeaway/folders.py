"""Folders of files that an edition gives out as a whole: the open layer as data, and what a BI tool opens."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
from warehouse import exports
from warehouse.platform.connection import ANALYST
from warehouse.platform.settings import Settings
from warehouse.reports import connecting
from warehouse.site.reading import UNTOUCHED, Release

OPEN_DATA = "open-data"
BI = "bi"
# What is given out, by form: whether packed, since a site is to stay small.
_FORMS = {"csv": True, "parquet": False}
_CONNECTIONS = {
    "pbids": "Power BI",
    "tds": "Tableau",
    "odc": "Excel, by the driver psqlODBC",
    "odbc": "an entry of odbc.ini (DSN) for any program that speaks ODBC",
}
_OPEN_SAYS = {
    "csv/measure.csv.zip": "Every count and figure that may be given out (CSV, in ZIP)",
    "parquet/measure.parquet": "The same as Parquet",
    "csv/dictionary.csv": "Data dictionary: each column with description, unit and source (CSV)",
    "csv/datapackage.json": "Data package of the CSV (Frictionless, JSON)",
    "parquet/datapackage.json": "Data package of the Parquet (JSON)",
    "csv/measure.csv-metadata.json": "Metadata as CSV on the Web (W3C, JSON)",
    "csv/SHA256SUMS": "Checksums of the CSV",
    "parquet/SHA256SUMS": "Checksums of the Parquet",
}


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder that an edition gives out.

    Attributes:
        name: where it is in the edition.
        hash: what its files depend on.
        write: writes them into a folder that is not there yet.
        said: what the edition's first page says of it: heading, text, and address and name of each file.
    """

    name: str
    hash: str
    write: Callable[[Path], None]
    said: dict[str, Any]


def open_data(settings: Settings, release: Release) -> Folder:
    """The whole open layer as CSV and Parquet, each with data package, data dictionary, checksums, the CSV with metadata as CSV on the Web."""

    def write(folder: Path) -> None:
        for form, is_packed in _FORMS.items():
            exports.export(settings, (), form, folder / form, is_open=True, is_packed=is_packed)
            package = json.loads((folder / form / "datapackage.json").read_text(encoding="utf-8"))
            if package["version"] != str(release.release_id):
                raise Refusal(
                    "RELEASE_CHANGED",
                    f"another release was published while the site of release {release.release_id} was built",
                    kept=UNTOUCHED,
                    next_step="run the same again",
                )

    said = {
        "id": OPEN_DATA,
        "heading": "The open layer as data",
        "text": "Every area, measure and period that may be given out, with its owner's rule applied. In the archive lies one CSV file, in UTF-8.",
        "files": [{"address": f"{OPEN_DATA}/{path}", "says": says} for path, says in _OPEN_SAYS.items()],
    }
    return Folder(OPEN_DATA, _hash([dataclasses.asdict(release), _exports_version()]), write, said)


def bi_files(settings: Settings) -> Folder | None:
    """How BI tools reach the warehouse, without a password; None where it lets nobody in by TCP."""
    try:
        one = connecting.address(settings, ANALYST)
    except Refusal:
        return None
    texts = {connecting.file_name(form, one): connecting.written(form, one) for form in _CONNECTIONS}

    def write(folder: Path) -> None:
        folder.mkdir(parents=True)
        for name, text in texts.items():
            (folder / name).write_text(f"{text}\n", encoding="utf-8")

    said = {
        "id": BI,
        "heading": "Open it in a BI tool",
        "text": "Each asks for the password of vru_analyst, which none of them holds. Tables, keys and measures that add up: vru bi-files --format tmdl (Power BI) or --format superset.",
        "files": [
            {"address": f"{BI}/{name}", "says": f"{name}: {says}"}
            for name, says in zip(texts, _CONNECTIONS.values(), strict=True)
        ],
    }
    return Folder(BI, _hash(texts), write, said)


def _hash(given: Any) -> str:
    return hashlib.sha256(json.dumps(given, default=str).encode()).hexdigest()


@cache
def _exports_version() -> str:
    """A hash of the code that writes exports."""
    total = hashlib.sha256()
    for file in sorted(Path(exports.__file__).parent.glob("*.py")):
        total.update(file.read_bytes())
    return total.hexdigest()
