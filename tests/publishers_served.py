"""What the publishers of tests/publishers.py serve: a few hundred rows each, another file each day."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import ClassVar

import pytest
import requests

from ingest.declaration import Source, find_source
from ingest.sources.fingertips import connector as fingertips_connector
from ingest.sources.nomis.queries import QUERIES
from sandbox.datastore import Dataset, Datastore, Upload
from sandbox.exchange import Request, Response, etag_of
from sandbox.fingertips.indicators import INDICATORS
from sandbox.mhclg import indices
from sandbox.mps import dashboards, recorded_crime
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

OLDER_DAY, FIRST_DAY, SECOND_DAY = dt.date(2026, 8, 22), dt.date(2026, 10, 22), dt.date(2026, 11, 22)


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
        "istv_level": 1,
        "personal_data": "none",
        "special_category": "none",
        "retention_days": "unlimited",
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


def parks() -> AbstractContextManager[Served]:
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


def dashboard() -> AbstractContextManager[Served]:
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
    """The Indices of Deprivation as corrected by a day: of one more LSOA with each."""
    header, *rows = list(csv.reader(io.StringIO(indices.file_bytes(1, 2025).decode("utf-8-sig"))))
    population = header.index("Total population: mid 2022")
    for row in rows[: 1 + [OLDER_DAY, FIRST_DAY, SECOND_DAY].index(day)]:
        row[population] = str(int(row[population]) + 1)
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue().encode()


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


POLICE, REPORTS = Archive(), Export("export/tfl_driver_incidents-2026-10.csv", driver_incidents)
WORKBOOK = Export("export/ambulance-borough-monthly.xlsx", ambulance_workbook)
DEPRIVATION = Export(indices.EDITIONS[2025].lstrip("/"), deprivation, has_key=False)
