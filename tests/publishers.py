"""The publishers whose misbehaviour tests/integration/test_faults.py goes through: what each serves, and how it takes a fault.

To add one: a `Publisher` in PUBLISHERS. It is served on two days; the second day brings one new file, and it is that file
which is spoilt. `ends` says where a fault ends otherwise than in CASES (tests/fault_cases.py); `without` which faults it cannot have, and why.
A source is narrowed to a few hundred rows, and is otherwise as declared.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import pytest

import sandbox
from ingest.declaration import Source, find_source
from sandbox.fingertips import site as fingertips
from sandbox.mps import recorded_crime, vawg
from sandbox.server import Publisher as Served
from sandbox.spoilt_archives import workbook
from tests.fault_cases import (
    ARCHIVE,
    ARCHIVES,
    BAD_ROWS,
    BODY,
    EVERY,
    HANDLED,
    NUMBERS,
    PAGES,
    QUARANTINED,
    REFUSED,
    TABLE,
    TEXT,
    TRANSPORT,
    WORKBOOKS,
)
from tests.publishers_served import (
    DEPRIVATION,
    FIRST_DAY,
    INDICATOR,
    KNIFE,
    OLDER_DAY,
    PARKS,
    POLICE,
    REPORTS,
    SECOND_DAY,
    SELECTED,
    SPRING,
    WORKBOOK,
    Archive,
    ambulance_workbook,
    claimants,
    dashboard,
    deprivation,
    driver_incidents,
    few_indicators,
    knife_crime,
    narrowed,
    one_kind_in_pages,
    one_kind_of_claimants,
    parks,
    parks_table,
    parks_workbook,
    with_key,
)


@dataclasses.dataclass(frozen=True)
class Publisher:
    """One publisher and dataset.

    Attributes:
        name: what the table calls it: the publisher, and what of theirs.
        source, dataset: as declared.
        serve: serves it, on the first day.
        file: what the address of its newest file contains, and of no other dataset's.
        older_file: the bytes of that file before the first day.
        kinds: which kinds of fault are tried at it (tests/fault_cases.py).
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
    kinds: frozenset[str]
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


def columns(column: int, *cases: str) -> dict[str, dict[str, int]]:
    """The options of cases that are to be given in a column."""
    return {case: {"column": column} for case in cases}


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
        kinds=frozenset({BODY, TABLE}),
        serve=dashboard,
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
        kinds=frozenset({BODY, TEXT, TABLE}),
        serve=parks,
        file="Incidents in parks.csv",
        older_file=lambda: parks_table(OLDER_DAY),
        # Nobody says of which day the file is, so an older one would speak as the newest.
        ends={"a copy older than yesterday's": REFUSED},
    ),
    Publisher(
        name="parks workbook",
        source=PARKS,
        dataset="workbook",
        serve=parks,
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
        kinds=frozenset({TRANSPORT, BODY, TEXT, TABLE, ARCHIVE}),
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
        kinds=frozenset({TRANSPORT, BODY, TEXT, TABLE}),
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
        kinds=frozenset({TRANSPORT, BODY, TEXT, TABLE}),
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
        kinds=frozenset({TRANSPORT, BODY, TABLE}),
        serve=REPORTS.serve,
        file=REPORTS.path,
        older_file=lambda: driver_incidents(OLDER_DAY),
        newest=REPORTS.newest,
        narrow=with_key,
        # Nobody says of which day the file is, so an older one would speak as the newest.
        ends={"a copy older than yesterday's": REFUSED, **dict.fromkeys(BAD_ROWS, QUARANTINED)},
        options={**columns(3, "a line end within quotation marks")},
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
        kinds=frozenset({TRANSPORT, BODY, TABLE}),
        serve=DEPRIVATION.serve,
        file=DEPRIVATION.path,
        older_file=lambda: deprivation(OLDER_DAY),
        newest=DEPRIVATION.newest,
        options={**columns(1, "a line end within quotation marks")},
        without={
            **dict.fromkeys(("Excel's serial dates", "dates in American order"), "it has no dates"),
            "a copy older than yesterday's": "one edition, corrected in its place: nothing says which is older",
        },
    ),
]
