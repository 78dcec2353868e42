"""The publishers whose misbehaviour tests/integration/test_faults.py goes through: what each serves, and how it takes a fault.

To add one: a `Publisher` in PUBLISHERS. It is served on two days; the second day brings one new file, and it is that file
which is spoilt. `ends` says where a fault ends otherwise than CASES has it; `without` which faults it cannot have, and why.
A source is narrowed to a few hundred rows, and is otherwise as declared.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import ClassVar

import pytest
import requests

import sandbox
from ingest.declaration import Source, find_source
from ingest.sources.fingertips import connector as fingertips_connector
from ingest.sources.nomis.queries import QUERIES
from sandbox.datastore import Dataset, Datastore, Upload
from sandbox.exchange import Request, Response, etag_of
from sandbox.fingertips import site as fingertips
from sandbox.fingertips.indicators import INDICATORS
from sandbox.mhclg import indices
from sandbox.mps import dashboards, recorded_crime, vawg
from sandbox.nomis.datasets import DATASETS
from sandbox.nomis.site import Nomis
from sandbox.police_uk import figures
from sandbox.police_uk.archive import index_page, packed, served
from sandbox.safestats import feeds
from sandbox.server import Publisher as Served
from sandbox.server import serve_sites
from sandbox.spoilt_archives import workbook
from tests.mps_files import boroughs
from warehouse.steps import publishers

# Of transport: what the client alone decides, which every dataset of a connector shares. Of body: what came instead of the file.
TRANSPORT, BODY, TEXT, TABLE, ARCHIVE, PAGES = "transport", "body", "text", "table", "archive", "pages"
EVERY = frozenset({TRANSPORT, BODY, TEXT, TABLE, ARCHIVE})
HANDLED, QUARANTINED, REFUSED = "handled", "row quarantined", "refused"
OLDER_DAY, FIRST_DAY, SECOND_DAY = dt.date(2026, 8, 22), dt.date(2026, 10, 22), dt.date(2026, 11, 22)
WORKBOOKS = "a formula in a workbook", "a hidden sheet", "merged cells in a header", "a cell at the end of a sheet"
ARCHIVES = "a zip bomb", "an archive in an archive", "a member ../ of an archive", "an encrypted archive"
BAD_ROWS = (
    "code page 1252", "a NUL byte", "a line \\.", "a row with a field less", "a row with a field more", "a footer",
    "a row of totals", "an asterisk for a number", "two dots for a number", "a dash for a number",
    "an x for a number", "<5 for a number", "NaN", "infinity",
)  # fmt: skip
NUMBERS = (
    "thousands separators", "an asterisk for a number", "two dots for a number", "a dash for a number",
    "an x for a number", "<5 for a number", "NaN", "infinity",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Publisher:
    """One publisher and dataset.

    Attributes:
        name: what the table calls it: the publisher, and what of theirs.
        source, dataset: as declared.
        serve: serves it, on the first day.
        file: what the address of its newest file contains, and of no other dataset's.
        older_file: the bytes of that file before the first day.
        kinds: which kinds of fault it can have; faults of transport are tried at one dataset of each connector.
        ends: fault by name of its case, where it ends otherwise than there.
        codes: the code of a refusal or a quarantined row, where it is another than there.
        without: faults it cannot have, by name of the case, and why.
        in_file: makes the file of a spoilt table (CSV), where the file is no CSV; then `table` is the honest one.
        table: the table in the file of a day.
        options: how a fault is to be given here (which column is the number, say), by name of the case.
        second_day: the day of the new file.
        publish: puts other bytes in the place of the new file as if they had been published so; None: the honest ones again.
        newest: the bytes of the new file, as served at an address.
        keeps: by name of a case, how many files come whole, where it is not as the case says.
        narrow: narrows what the night asks for.
    """

    name: str
    source: Source
    dataset: str
    serve: Callable[[], AbstractContextManager[Served]]
    file: str
    older_file: Callable[[], bytes]
    kinds: frozenset[str] = frozenset({BODY, TEXT, TABLE, ARCHIVE})
    ends: Mapping[str, str] = dataclasses.field(default_factory=dict)
    codes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    without: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = dataclasses.field(default_factory=dict)
    in_file: Callable[[bytes], bytes] | None = None
    table: Callable[[dt.date], bytes] | None = None
    second_day: dt.date = SECOND_DAY
    publish: Callable[[bytes | None], None] | None = None
    newest: Callable[[str], bytes] | None = None
    keeps: Mapping[str, int] = dataclasses.field(default_factory=dict)
    narrow: Callable[[pytest.MonkeyPatch], None] = lambda _: None


def narrowed(source: str, dataset: str, **location: object) -> Source:
    """A declared source with one of its datasets alone, and other words in its location."""
    declared = find_source(source)
    one = declared.dataset(dataset)
    one = one.model_copy(update={"location": one.location.model_copy(update=location)})
    return declared.model_copy(update={"datasets": {dataset: one}})


# Invented, and declared here alone: files with a row per row of raw, as text and as a workbook.
PARKS = Source.model_validate(
    {
        "source": "parks",
        "publisher": "London Parks Service",
        "licence": "Open Government Licence v3.0",
        "licence_url": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        "attribution": "Invented.",
        "classification": "OFFICIAL",
        "owner": "London Parks Service",
        "legal_gateway": "open_data",
        "publish_rule": "open",
        "base_url": "https://data.london.gov.uk",
        "allowed_hosts": ["data.london.gov.uk"],
        "datasets": {
            name: {
                "title": f"Incidents in parks ({name})",
                "page_url": "https://data.london.gov.uk/dataset/parks",
                "cadence": "monthly",
                "stale_after_days": 50,
                "location": {"kind": "london_datastore", "package": "parks", "file_name": file},
                "layout": {
                    "columns": [
                        {"name": "borough_name", "headers": ["Borough"]},
                        {"name": "month", "headers": ["Month"], "pattern": r"(19|20)\d\d-(0[1-9]|1[0-2])-01"},
                        {"name": "park_type", "headers": ["Park type"], "pattern": r"[A-Z][a-z]+( [a-z]+)?"},
                        {"name": "incident_count", "headers": ["Incidents"], "pattern": r"\d{1,7}"},
                    ],
                    "period": {"column": "month", "forms": ["%Y-%m-%d"]},
                    "value_column": "incident_count",
                    "unique": ["borough_name", "month", "park_type"],
                    "code_lists": [{"columns": ["borough_name"], "seed": "boroughs", "keys": ["borough_name"]}],
                    **({"sheets": {"name_pattern": "Sheet1"}} if file.endswith("xlsx") else {}),
                },
            }
            for name, file in (("incidents", "Incidents in parks.csv"), ("workbook", "Incidents in parks.xlsx"))
        },
    }
)


@cache
def parks_table(day: dt.date) -> bytes:
    """The incidents in parks up to the month before a day, by borough, month and type of park; each month revises the last."""
    newest = day.year * 12 + day.month - 2
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Borough", "Month", "Park type", "Incidents"])
    for number, borough in enumerate(boroughs()):
        for month in range(newest - 5, newest + 1):
            for kind, park in enumerate(("Royal park", "Common", "Pocket park")):
                count = (number * 7 + month * 3 + kind) % 40 + 10 - (month == newest)
                writer.writerow([borough, f"{month // 12}-{month % 12 + 1:02d}-01", park, count])
    return text.getvalue().encode()


@cache
def parks_workbook(day: dt.date) -> bytes:
    """The same, as a workbook."""
    return workbook(parks_table(day))


def _parks() -> AbstractContextManager[Served]:
    def uploads(day: dt.date) -> list[Upload]:
        files = {"Incidents in parks.csv": parks_table, "Incidents in parks.xlsx": parks_workbook}
        return [
            Upload(name[-4:].strip("."), name, name, day.replace(day=6), lambda of=of: of(day))  # type: ignore[misc]
            for name, of in files.items()
        ]

    dataset = Dataset(id5="parks", slug="incidents-in-parks", title="Incidents in parks", uploads=uploads)
    return serve_sites(lambda clock: [Datastore([dataset], clock)], today=FIRST_DAY)


KNIFE = "M1045_MonthlyCrimeDashboard_KnifeCrimeData.csv"


@cache
def knife_crime(day: dt.date) -> bytes:
    """The newest three months of the dashboard's file of a day."""
    header, *lines = dashboards.file_bytes(1, recorded_crime.latest_release(day), KNIFE).splitlines(keepends=True)
    months = sorted({line[:10] for line in lines}, key=lambda month: (month[6:], month[3:5]))[-3:]
    return b"".join([header, *(line for line in lines if line[:10] in months)])


def _dashboard() -> AbstractContextManager[Served]:
    def uploads(day: dt.date) -> list[Upload]:
        return [Upload("hkc", KNIFE, KNIFE, day.replace(day=6), lambda: knife_crime(day))]

    dataset = Dataset(id5="e5n6w", slug="mps-monthly-crime-dashboard-data", title="Dashboard", uploads=uploads)
    return serve_sites(lambda clock: [Datastore([dataset], clock)], today=FIRST_DAY)


class Archive:
    """data.police.uk with an archive of two files. The newer archive rewrites one of them."""

    source = narrowed("police_uk", "street")
    stays, rewritten = "2026-05/2026-05-city-of-london-street.csv", "2026-06/2026-06-metropolitan-street.csv"
    months: ClassVar = {OLDER_DAY: "2026-07", FIRST_DAY: "2026-08", SECOND_DAY: "2026-09"}
    instead: bytes | None = None

    def serve(self) -> AbstractContextManager[Served]:
        def sites(clock: Callable[[], dt.date]) -> list[Archive]:
            self.clock = clock
            return [self]

        return serve_sites(sites, today=FIRST_DAY)

    def answer(self, request: Request) -> Response | None:
        body = self.instead or self.of(self.clock())
        month = next((m for day, m in self.months.items() if body == self.of(day)), self.months[SECOND_DAY])
        if request.path == "/data/archive/":
            return Response(200, {"Content-Type": "text/html"}, index_page([(month, body)]).encode())
        return served(request, body) if request.path == f"/data/archive/{month}.zip" else None

    @classmethod
    def table(cls, day: dt.date) -> bytes:
        """The file that is rewritten, as it stands in the archive of a day."""
        return cls.text(cls.rewritten, [*cls.months].index(day))

    @staticmethod
    @cache
    def text(name: str, revision: int) -> bytes:
        """A file of the stand-in's, rewritten so many times."""
        return dict(figures.member_texts(1, name[:7], revision))[name].encode()

    @classmethod
    def holding(cls, table: bytes) -> bytes:
        """An archive that holds a table as the file that is rewritten."""
        return packed([(cls.stays, cls.text(cls.stays, 0)), (cls.rewritten, table)])

    @classmethod
    def of(cls, day: dt.date) -> bytes:
        """The archive of a day."""
        return cls.holding(cls.table(day))

    def publish(self, body: bytes | None) -> None:
        """Serve another archive, with the MD5 it has."""
        self.instead = body

    def newest(self, base_url: str) -> bytes:
        """The file that is rewritten, as served; what is served in the archive's place, where that is none."""
        came = requests.get(f"{base_url}/data/archive/2026-09.zip", timeout=10).content
        return zipfile.ZipFile(io.BytesIO(came)).read(self.rewritten) if came.startswith(b"PK") else came


class Export:
    """A file at one address, another each day: an export that SafeStats would serve behind a key, or a file of GOV.UK's store."""

    def __init__(self, path: str, of: Callable[[dt.date], bytes], *, has_key: bool = True) -> None:
        self.path, self.of, self.has_key = path, of, has_key

    def serve(self) -> AbstractContextManager[Served]:
        def sites(clock: Callable[[], dt.date]) -> list[Export]:
            self.clock = clock
            return [self]

        return serve_sites(sites, today=FIRST_DAY)

    def answer(self, request: Request) -> Response | None:
        if request.path != f"/{self.path}":
            return None
        if self.has_key and request.headers.get("authorization") != "Bearer invented":
            return Response(401)
        body = self.of(self.clock())
        return Response(200, {"Content-Type": "application/octet-stream", "ETag": etag_of(body)}, body)

    def newest(self, base_url: str) -> bytes:
        """The export as served."""
        return requests.get(f"{base_url}/{self.path}", headers={"Authorization": "Bearer invented"}, timeout=10).content


def with_key(patch: pytest.MonkeyPatch) -> None:
    """A home that holds the publisher's key."""
    patch.setattr(publishers, "key_of", lambda *_: "invented")


@cache
def driver_incidents(day: dt.date) -> bytes:
    """The month's reports as far as they were in on a day."""
    (file,) = (f for f in feeds.files(SECOND_DAY, 1) if f.name == "tfl_driver_incidents-2026-10.csv")
    header, *lines = file.body.splitlines(keepends=True)
    until = {OLDER_DAY: 15, FIRST_DAY: 29, SECOND_DAY: 31}[day]
    return b"".join([header, *(line for line in lines if int(line.split(b",")[1][:2]) <= until)])


@cache
def ambulance_workbook(day: dt.date) -> bytes:
    """The ambulance workbook as delivered by a day."""
    return next(file.body for file in feeds.files(day, 1) if file.name == feeds.WORKBOOK)


@cache
def deprivation(day: dt.date) -> bytes:
    """The Indices of Deprivation as corrected by a day."""
    return indices.file_bytes([OLDER_DAY, FIRST_DAY, SECOND_DAY].index(day), 2025)


INDICATOR = next(indicator for indicator in INDICATORS if indicator.number == 93735)
SPRING = dt.date(2026, 3, 22), dt.date(2026, 4, 22)  # between them this one indicator is uploaded


def few_indicators(patch: pytest.MonkeyPatch) -> None:
    """A catalogue of two indicators."""
    some = tuple(one for one in fingertips_connector.wanted() if one.indicator_id in (93735, 93553))
    patch.setattr(fingertips_connector, "wanted", lambda: some)


CLAIMANTS = QUERIES["claimant_count"]
ONE_KIND = dataclasses.replace(CLAIMANTS, dimensions={**CLAIMANTS.dimensions, "gender": "0", "age": "0"})
SELECTED = [column.headers[0] for column in find_source("nomis").dataset("claimant_count").layout.columns]


def one_kind_of_claimants(patch: pytest.MonkeyPatch) -> None:
    """A query for all ages and both sexes together."""
    patch.setitem(QUERIES, "claimant_count", ONE_KIND)


def one_kind_in_pages(patch: pytest.MonkeyPatch) -> None:
    """The same, in pages of 200 records."""
    patch.setitem(QUERIES, "claimant_count", dataclasses.replace(ONE_KIND, page_records=200))


@cache
def claimants(day: dt.date) -> bytes:
    """The claimant count up to the newest month that is out on a day."""
    query = ONE_KIND.parameters
    query |= {
        "date": ",".join(period.code for period in DATASETS["NM_162_1"].periods(day)),
        "select": ",".join(SELECTED),
    }
    path = "/api/v01/dataset/NM_162_1.data.csv"
    response = Nomis(1, lambda: day).answer(Request("GET", path, path, query, {}, ""))
    assert response is not None
    return response.body


def columns(column: int, *cases: str) -> dict[str, dict[str, int]]:
    """The options of cases that are to be given in a column."""
    return {case: {"column": column} for case in cases}


POLICE, REPORTS = Archive(), Export("export/tfl_driver_incidents-2026-10.csv", driver_incidents)
WORKBOOK = Export("export/ambulance-borough-monthly.xlsx", ambulance_workbook)
DEPRIVATION = Export(indices.EDITIONS[2025].lstrip("/"), deprivation, has_key=False)
CELLS = (
    "code page 1252", "a NUL byte", "a line end within quotation marks", "a column renamed", "a column missing",
    "a megabyte in a cell",
)  # fmt: skip

PUBLISHERS = [
    Publisher(
        name="mps borough",
        source=find_source("mps"),
        dataset="borough_recent",
        kinds=EVERY,
        serve=lambda: sandbox.serve(today=FIRST_DAY, seed=1),
        file="b4r/MPS Borough Level Crime (most recent 24 months).csv",
        older_file=lambda: recorded_crime.file_bytes(
            1, recorded_crime.latest_release(dt.date(2026, 8, 22)), "Borough", recorded_crime.RECENT
        ),
    ),
    Publisher(
        name="mps dashboard",
        source=find_source("mps"),
        dataset="dashboard_knife",
        serve=_dashboard,
        file=KNIFE,
        older_file=lambda: knife_crime(OLDER_DAY),
        # Its first column is a month, its last but one the count.
        options={
            "a line end within quotation marks": {"column": 2},
            **columns(-2, *NUMBERS),
        },
    ),
    Publisher(
        name="parks rows",
        source=PARKS,
        dataset="incidents",
        serve=_parks,
        file="Incidents in parks.csv",
        older_file=lambda: parks_table(OLDER_DAY),
        # Nobody says of which day the file is, so an older one would speak as the newest.
        ends={"a copy older than yesterday's": REFUSED},
    ),
    Publisher(
        name="parks workbook",
        source=PARKS,
        dataset="workbook",
        serve=_parks,
        file="Incidents in parks.xlsx",
        older_file=lambda: parks_workbook(OLDER_DAY),
        kinds=frozenset({BODY, TABLE, ARCHIVE}),
        ends={"a copy older than yesterday's": REFUSED},
        without={"a megabyte in a cell": "Python's csv, by which a table is put into a workbook here, takes none"},
        in_file=workbook,
        table=parks_table,
    ),
    Publisher(
        name="mps workbook",
        source=find_source("mps"),
        dataset="vawg",
        serve=lambda: sandbox.serve(today=FIRST_DAY, seed=1),
        file="MPS VAWG Dashboard",
        older_file=lambda: vawg.file_bytes(1, recorded_crime.latest_release(OLDER_DAY)),
        kinds=frozenset({BODY, ARCHIVE}),
        options={case: {"sheet": 2} for case in WORKBOOKS},
    ),
    Publisher(
        name="police_uk street",
        source=Archive.source,
        dataset="street",
        kinds=EVERY,
        serve=POLICE.serve,
        file="/data/archive/2026-09.zip",
        older_file=lambda: Archive.of(OLDER_DAY),
        options={
            **columns(6, "a line end within quotation marks"),
            **columns(4, *NUMBERS),
            "a body cut where a line ends": {"keep": 0.4},
            "a zip bomb": {"member": Archive.rewritten},
        },
        # Of a part of a file nobody can say whose MD5 it is; each file in the archive has a checksum of its own.
        ends={"another body's MD5": HANDLED, **dict.fromkeys(BAD_ROWS, QUARANTINED)},
        # An archive may have 1.6 GB, and is not kept whole.
        keeps={"a body cut short, no length announced": 0, **dict.fromkeys(ARCHIVES, 0)},
        codes={"a body cut short, no length announced": "ANSWER_NOT_AS_AGREED"},
        in_file=Archive.holding,
        table=Archive.table,
        publish=POLICE.publish,
        newest=POLICE.newest,
        without={
            "thousands separators": "it counts nothing",
            **dict.fromkeys([*WORKBOOKS, "a workbook elsewhere in its archive"], "an archive of text holds none"),
        },
    ),
    Publisher(
        name="fingertips data",
        source=narrowed("fingertips", "data"),
        dataset="data",
        kinds=EVERY,
        serve=lambda: sandbox.serve(today=SPRING[0], seed=1),
        second_day=SPRING[1],
        file="all_data/csv/by_indicator_id?indicator_ids=93735",
        older_file=lambda: fingertips.data(1, (INDICATOR,), 502, 6, dt.date(2025, 3, 22)),
        narrow=few_indicators,
        options={**columns(1, *CELLS), **columns(12, *NUMBERS), **columns(17, "thousands separators")},
        without=dict.fromkeys(("Excel's serial dates", "dates in American order"), "it has no dates"),
        ends={"a copy older than yesterday's": REFUSED},
        codes={
            **dict.fromkeys(("a line \\.", "a footer", "a row of totals"), "ANSWER_NOT_AS_AGREED"),
            "a body cut short, no length announced": "VALUE_BLANK",
            "a body cut where a line ends": "OLDER_COPY",
        },
    ),
    Publisher(
        name="nomis claimant_count",
        source=narrowed("nomis", "claimant_count"),
        narrow=one_kind_of_claimants,
        dataset="claimant_count",
        kinds=EVERY,
        serve=lambda: sandbox.serve(today=FIRST_DAY, seed=1),
        file="NM_162_1.data.csv",
        older_file=lambda: claimants(OLDER_DAY),
        options={**columns(2, *CELLS), **columns(SELECTED.index("OBS_VALUE"), *NUMBERS)},
        keeps={"yesterday's copy": 0},  # they are there
        # Every record says how many there are and which it is: what lacks is asked for.
        ends={
            "a body cut where a line ends": HANDLED,
            **dict.fromkeys(("a copy older than yesterday's", "yesterday's copy", "UTF-16"), REFUSED),
        },
        codes={
            "UTF-16": "ENCODING_UNKNOWN",
            **dict.fromkeys(
                (
                    "a copy older than yesterday's",
                    "yesterday's copy",
                    "Excel's serial dates",
                    "dates in American order",
                ),
                "ANSWER_NOT_AS_AGREED",
            ),
            "a body cut short, no length announced": "FILE_DAMAGED",
            **dict.fromkeys(
                (
                    "a line \\.",
                    "a row with a field less",
                    "a footer",
                    "a row of totals",
                ),
                "CHANGED_WHILE_READ",
            ),
        },
    ),
    Publisher(
        name="nomis in pages",
        source=narrowed("nomis", "claimant_count"),
        narrow=one_kind_in_pages,
        dataset="claimant_count",
        serve=lambda: sandbox.serve(today=FIRST_DAY, seed=1),
        file="NM_162_1.data.csv",
        older_file=lambda: claimants(OLDER_DAY),
        kinds=frozenset({PAGES}),
    ),
    Publisher(
        name="safestats events",
        source=narrowed("safestats", "tfl_driver_incidents", download=REPORTS.path),
        dataset="tfl_driver_incidents",
        kinds=EVERY,
        serve=REPORTS.serve,
        file=REPORTS.path,
        older_file=lambda: driver_incidents(OLDER_DAY),
        newest=REPORTS.newest,
        narrow=with_key,
        # Nobody says of which day the file is, so an older one would speak as the newest.
        ends={"a copy older than yesterday's": REFUSED, **dict.fromkeys(BAD_ROWS, QUARANTINED)},
        options={**columns(3, "a line end within quotation marks"), "a body cut where a line ends": {"keep": 0.4}},
        without=dict.fromkeys(NUMBERS, "it counts nothing"),
    ),
    Publisher(
        name="safestats workbook",
        source=narrowed("safestats", "ambulance_borough", download=WORKBOOK.path),
        dataset="ambulance_borough",
        serve=WORKBOOK.serve,
        file=WORKBOOK.path,
        older_file=lambda: ambulance_workbook(OLDER_DAY),
        newest=WORKBOOK.newest,
        narrow=with_key,
        kinds=frozenset({BODY, ARCHIVE}),
        options={case: {"sheet": 3} for case in WORKBOOKS},
    ),
    Publisher(
        name="mhclg imd_2025",
        source=narrowed("mhclg", "imd_2025"),
        dataset="imd_2025",
        kinds=EVERY,
        serve=DEPRIVATION.serve,
        file=DEPRIVATION.path,
        older_file=lambda: deprivation(OLDER_DAY),
        newest=DEPRIVATION.newest,
        options={**columns(1, "a line end within quotation marks"), "a body cut where a line ends": {"keep": 0.4}},
        without={
            **dict.fromkeys(("Excel's serial dates", "dates in American order"), "it has no dates"),
            "a copy older than yesterday's": "one edition, corrected in its place: nothing says which is older",
        },
    ),
]
