"""The publishers whose misbehaviour tests/integration/test_faults.py goes through: what each serves, and how it takes a fault.

To add one: a `Publisher` in PUBLISHERS. It is served on two days; the second day's file is a new release, and it is that file
which is spoilt. `ends` says where a fault ends otherwise than CASES has it; `without` which faults it cannot have, and why.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import sandbox
from ingest.declaration import Source, find_source
from sandbox.datastore import Dataset, Datastore, Upload
from sandbox.mps import recorded_crime
from sandbox.server import Publisher as Served
from sandbox.server import serve_sites
from sandbox.spoilt_archives import workbook
from tests.mps_files import boroughs

TRANSPORT, TEXT, TABLE, ARCHIVE = "transport", "text", "table", "archive"
HANDLED, REFUSED = "handled", "refused"
FIRST_DAY, SECOND_DAY = dt.date(2026, 10, 22), dt.date(2026, 11, 22)


@dataclasses.dataclass(frozen=True)
class Publisher:
    """One publisher and dataset.

    Attributes:
        name: what the table calls it.
        source, dataset: as declared.
        serve: serves it, on FIRST_DAY.
        file: what the address of its newest file contains, and of no other dataset's.
        older_file: the bytes of that file before FIRST_DAY.
        kinds: which kinds of fault it can have.
        ends: fault by name of its case, where it ends otherwise than there.
        without: faults it cannot have, by name of the case, and why.
        in_file: makes the file of a spoilt table (CSV), where the file is no CSV; then `table` is the honest one.
        table: the table in the file of a day.
        options: how a fault is to be given here (which column is the number, say), by name of the case.
    """

    name: str
    source: Source
    dataset: str
    serve: Callable[[], AbstractContextManager[Served]]
    file: str
    older_file: Callable[[], bytes]
    kinds: frozenset[str] = frozenset({TRANSPORT, TEXT, TABLE, ARCHIVE})
    ends: Mapping[str, str] = dataclasses.field(default_factory=dict)
    without: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Mapping[str, object]] = dataclasses.field(default_factory=dict)
    in_file: Callable[[bytes], bytes] | None = None
    table: Callable[[dt.date], bytes] | None = None


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


def _parks() -> AbstractContextManager[Served]:
    def uploads(day: dt.date) -> list[Upload]:
        files = {"Incidents in parks.csv": parks_table, "Incidents in parks.xlsx": lambda d: workbook(parks_table(d))}
        return [
            Upload(name[-4:].strip("."), name, name, day.replace(day=6), lambda of=of: of(day))  # type: ignore[misc]
            for name, of in files.items()
        ]

    dataset = Dataset(id5="parks", slug="incidents-in-parks", title="Incidents in parks", uploads=uploads)
    return serve_sites(lambda clock: [Datastore([dataset], clock)], today=FIRST_DAY)


PUBLISHERS = [
    Publisher(
        name="mps borough",
        source=find_source("mps"),
        dataset="borough_recent",
        serve=lambda: sandbox.serve(today=FIRST_DAY, seed=1),
        file="b4r/MPS Borough Level Crime (most recent 24 months).csv",
        older_file=lambda: recorded_crime.file_bytes(
            1, recorded_crime.latest_release(dt.date(2026, 8, 22)), "Borough", recorded_crime.RECENT
        ),
        # A column that nobody knows may be a month under another name.
        ends={"new column": REFUSED},
    ),
    Publisher(
        name="rows",
        source=PARKS,
        dataset="incidents",
        serve=_parks,
        file="Incidents in parks.csv",
        older_file=lambda: parks_table(dt.date(2026, 8, 22)),
        # Nobody says of which day the file is, so an older one would speak as the newest.
        ends={"a copy older than yesterday's": REFUSED},
    ),
    Publisher(
        name="rows in a workbook",
        source=PARKS,
        dataset="workbook",
        serve=_parks,
        file="Incidents in parks.xlsx",
        older_file=lambda: workbook(parks_table(dt.date(2026, 8, 22))),
        kinds=frozenset({TRANSPORT, TABLE, ARCHIVE}),
        ends={"a copy older than yesterday's": REFUSED},
        without={"a megabyte in a cell": "Python's csv, by which a table is put into a workbook here, takes none"},
        in_file=workbook,
        table=parks_table,
    ),
]
