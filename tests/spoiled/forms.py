"""The forms in which publishers deliver: which columns of a file are areas, months, counts and categories."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import re
import zipfile
from typing import Any

from python_calamine import CalamineWorkbook

from sandbox.workbook import workbook

Table = list[list[str]]


@dataclasses.dataclass(frozen=True)
class Form:
    """How a dataset's file is laid out.

    Attributes:
        area, category: the columns (from 0) of what a row is about; None where there is none.
        month: the column of when; None where there is none, or where months are columns (`labels`).
        values: the columns of counts and figures; none where each row is an event.
        number: the column of a row's own number, which differs in rows that are otherwise the same.
        labels: how many columns stand before the first month, where months are columns.
        sheet: of a workbook, the sheet that is spoiled.
        is_zipped: whether the file is an archive of pages.
    """

    source: str
    dataset: str
    area: int | None = None
    month: int | None = None
    category: int | None = None
    values: tuple[int, ...] = ()
    number: int | None = None
    labels: int | None = None
    sheet: str | None = None
    is_zipped: bool = False

    @property
    def name(self) -> str:
        return f"{self.source} {self.dataset}"

    @property
    def traits(self) -> frozenset[str]:
        """What a way of spoiling may need."""
        return frozenset(
            name
            for name, is_there in {
                "area": self.area is not None,
                "month": self.month is not None or self.labels is not None,
                "category": self.category is not None,
                "value": bool(self.values) or self.labels is not None,
                "wide": self.labels is not None,
                "long": self.month is not None and self.labels is None,
                "size": True,
            }.items()
            if is_there
        )


FORMS = (
    Form("mps", "borough_recent", area=2, category=1, labels=3),
    Form("mps", "ward_recent", area=4, category=1, labels=5),
    Form("mps", "lsoa_recent", area=2, category=4, labels=5),
    Form("mps", "dashboard_tno", area=2, month=0, category=6, values=(8,)),
    Form("mps", "dashboard_knife", area=2, month=0, category=5, values=(9,)),
    Form("mps", "dashboard_other", area=2, month=0, category=5, values=(10,), sheet=""),
    Form("mps", "homicide_victims", area=9, month=6, category=4, values=(1,), number=0),
    Form("mps", "homicide_accused", area=1, month=7, category=5, values=(0,)),
    Form("mps", "vawg", area=1, month=3, values=(5,), sheet="Offence count location"),
    Form("police_uk", "street", area=7, month=1, category=9, number=0),
    Form("police_uk", "outcomes", area=7, month=1, category=9, number=0),
    Form("police_uk", "stop_and_search", month=1, category=0),
    Form("safestats", "ambulance_incidents", area=6, month=1, category=3, number=0),
    Form("safestats", "btp_crime", area=5, month=1, category=3, number=0),
    Form("safestats", "ed_ecds", area=5, month=2, category=4, number=0),
    Form("safestats", "ed_istv", area=8, month=2, category=4),
    Form("safestats", "fire_incidents", area=5, month=1, category=3, number=0),
    Form("safestats", "mps_crime", area=4, month=1, category=3, number=0),
    Form("safestats", "tfl_driver_incidents", area=5, month=1, category=3, number=0),
    Form("safestats", "ambulance_borough", area=1, labels=2, sheet="All Ambulance Attended"),
    Form("fingertips", "data", area=4, month=11, category=7, values=(12, 17)),
    Form("nomis", "claimant_count", area=3, month=0, category=6, values=(13,), is_zipped=True),
    Form("nomis", "annual_population_survey", area=3, month=0, category=5, values=(9,)),
    Form("nomis", "jobs_density", area=3, month=0, category=5, values=(9,)),
    Form("nomis", "earnings_residents", area=3, month=0, category=5, values=(13,)),
    Form("nomis", "census_ethnic_group", area=3, category=5, values=(9,)),
    Form("mhclg", "imd_2019", area=0, values=(5,)),
    Form("mhclg", "imd_2025", area=0, values=(5,)),
)


def read(form: Form, body: bytes) -> Table:
    """The table that is spoiled, its header first."""
    if form.sheet is not None:
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        rows = book.get_sheet_by_name(form.sheet or book.sheet_names[0]).to_python()
        return [[_text(cell) for cell in row] for row in rows]
    if form.is_zipped:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = archive.read(archive.namelist()[0])
    return [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) if row]


def written(form: Form, table: Table, body: bytes) -> bytes:
    """The file with another table in the place of its own."""
    if form.sheet is not None:
        book = CalamineWorkbook.from_filelike(io.BytesIO(body))
        sheets = {
            name: [[_text(cell) for cell in row] for row in book.get_sheet_by_name(name).to_python()]
            for name in book.sheet_names
        }
        sheets[form.sheet or book.sheet_names[0]] = table
        return workbook({name: [[_cell(cell) for cell in row] for row in rows] for name, rows in sheets.items()})
    text = io.StringIO()
    csv.writer(text).writerows(table)
    if form.is_zipped:
        made = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(body)) as archive, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as other:
            for number, name in enumerate(archive.namelist()):
                other.writestr(name, archive.read(name) if number else text.getvalue().encode())
        return made.getvalue()
    return text.getvalue().encode()


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _cell(text: str) -> str | int | dt.date:
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", text):
        return dt.date.fromisoformat(text)
    return int(text) if text.isdigit() and len(text) < 7 else text
