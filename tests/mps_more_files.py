"""MPS files beyond the borough ones in their published forms: real samples put back into them, and small invented ones."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow.parquet as pq

from ingest.delivery import borough_names
from tests.mps_files import boroughs

DASHBOARD = (
    "Month_Year", "Area Type", "Borough_SNT", "Area name", "Area code", "Crime Type", "Crime Subtype", "Measure",
    "Financial Year", "FY_FYIndex", "Count", "Refresh Date",
)  # fmt: skip
SMALL = ("MajorText", "MinorText", "WardName", "WardCode", "LookUp_BoroughName")
LSOA = ("LSOA Code", "LSOA Name", "Borough", "Major Category", "Minor Category")
ACCUSED = (
    "Count of PPA", "Borough", "Gender", "Age Group", "Self-classified ethnicity", "Offence type", "Charged/Summonsed",
    "Proceedings date",
)  # fmt: skip
VAWG_PLACE = (
    "BCU Location", "Borough Name", "Ward Name Clean 2", "Recorded Date Months", "Date Committed From Date Months", "Count",
)  # fmt: skip
VAWG_CLASS = (
    "CrimSec Group", "CrimSecCodeExpansion", "CrimSec Offences", "VAWG Offence", "Recorded Date Months",
    "Date Committed From Date Months", "Count",
)  # fmt: skip


def csv_bytes(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, bom: bool = False, line_end: str = "\r\n"
) -> bytes:
    """Delimited text as published."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    return (b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode()


def xlsx_bytes(sheets: dict[str, Iterable[Sequence[object]]]) -> bytes:
    """A workbook: each sheet's rows, header included; days are Excel's numbers in a date format."""
    body = io.BytesIO()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/styles.xml" ContentType='
            f'"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{overrides}</Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, start=1)
        )
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>{names}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="r{n}" Type="{rel}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}'
            f'<Relationship Id="s" Type="{rel}/styles" Target="styles.xml"/></Relationships>',
        )
        book.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1">'
            '<border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
            '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        )
        for n, rows in enumerate(sheets.values(), start=1):
            with book.open(f"xl/worksheets/sheet{n}.xml", "w") as part:
                part.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
                for number, row in enumerate(rows, start=1):
                    cells = "".join(_cell(_letter(i), number, value) for i, value in enumerate(row))
                    part.write(f'<row r="{number}">{cells}</row>'.encode())
                part.write(b"</sheetData></worksheet>")
    return body.getvalue()


def _letter(index: int) -> str:
    return chr(ord("A") + index)


def _cell(column: str, row: int, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, (dt.date, dt.datetime)):
        day = value.date() if isinstance(value, dt.datetime) else value
        # Excel believes that 1900 had a 29 February.
        days = (day - dt.date(1899, 12, 30)).days - (day < dt.date(1900, 3, 1))
        return f'<c r="{column}{row}" s="1"><v>{days}</v></c>'
    if isinstance(value, int):
        return f'<c r="{column}{row}"><v>{value}</v></c>'
    return f'<c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def parquet_rows(file: Path) -> list[dict[str, Any]]:
    """Rows of a converted sample."""
    found: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return found


def lsoa_sample(samples: Path) -> bytes:
    """The LSOA sample as the CSV it was published as."""
    table = pq.read_table(samples / "mps" / "lsoa" / "recorded-crime-lsoa.parquet")
    months = [name for name in table.column_names if name.isdigit()]
    columns = [table.column(name).to_pylist() for name in table.column_names]
    return csv_bytes([*LSOA, *months], zip(*columns, strict=True))


def knife_sample(samples: Path) -> tuple[list[dict[str, Any]], bytes]:
    """The knife crime sample: its rows, and the workbook it was published as."""
    rows = parquet_rows(samples / "mps" / "dashboard" / "monthly-crime-dashboard.parquet")
    sheet = ([row[key] for key in list(row)[:12]] for row in rows)
    return rows, xlsx_bytes({"MPS_MonthlyCrimeDashboard_Other": (r for r in [DASHBOARD, *sheet])})


def accused_sample(samples: Path) -> tuple[list[dict[str, Any]], bytes]:
    """The sample of people accused of homicide: its rows, and the CSV it was published as."""
    rows = parquet_rows(samples / "mps" / "homicide" / "homicide_accused.parquet")
    return rows, csv_bytes(ACCUSED, [list(row.values()) for row in rows])


def vawg_sample(samples: Path, since: dt.datetime | None = None) -> tuple[list[dict[str, Any]], bytes]:
    """The VAWG sample: its rows (those recorded since a day), and the workbook they were published in."""
    rows = parquet_rows(samples / "mps" / "vawg" / "vawg-offences.parquet")
    rows = [row for row in rows if since is None or row["recorded_date_months"] >= since]
    place = ("bcu_location", "borough_name", "ward_name_clean_2", "recorded_date_months",
             "date_committed_from_date_months", "count")  # fmt: skip
    kind = ("crimsec_group", "crimseccodeexpansion", "crimsec_offences", "vawg_offence", *place[3:])
    return rows, xlsx_bytes(
        {
            "Offence count location": [
                VAWG_PLACE,
                *([_known(row[k]) for k in place] for row in rows if row["sheet"] == "Offence count location"),
            ],
            "Offence count classification": [
                VAWG_CLASS,
                *([_known(row[k]) for k in kind] for row in rows if row["sheet"] == "Offence count classification"),
            ],
        }
    )


def _known(value: object) -> object:
    return value


def dashboard_file(
    counts: Iterable[tuple[str, str, str, str, int]],
    *,
    date_form: str = "%d/%m/%Y",
    header: Sequence[str] = DASHBOARD,
    bom: bool = True,
    snt: bool = True,
) -> bytes:
    """An invented dashboard file: (month YYYYMM, borough label, type, subtype and measure joined by |, count) and, where wanted,
    the same again for a ward of each borough."""
    rows = []
    codes = {name: code for code, name in borough_names().items()}
    for month, label, subject, measure, count in counts:
        kind, _, sub = subject.partition("|")
        day = dt.date(int(month[:4]), int(month[4:]), 1)
        year = day.year - (day.month < 4)
        levels = [("Borough", label, label, codes.get(label, ""))]
        if snt:
            levels.append(("Safer Neighbourhood Teams", f"{label} Invented Ward", "Invented Ward", "E05999999"))
        for level, place, name, code in levels:
            row = dict(
                zip(
                    DASHBOARD,
                    [day.strftime(date_form), level, place, name, code, kind, sub, measure,
                     f"fy{year % 100:02d}-{(year + 1) % 100:02d}", f"{year % 100:02d}-{(year + 1) % 100:02d}_01", count,
                     dt.date(2026, 3, 18).strftime(date_form)],
                    strict=True,
                )
            )  # fmt: skip
            folded = {k.casefold(): v for k, v in row.items()}
            folded |= {"offence group": kind, "offence subgroup": sub}
            rows.append([folded[h.casefold()] for h in header])
    return csv_bytes(header, rows, bom=bom)


def every_borough(
    month: str, subject: str, count: int = 1, measure: str = "Offences"
) -> list[tuple[str, str, str, str, int]]:
    """One row a borough."""
    return [(month, name, subject, measure, count) for name in boroughs()]
