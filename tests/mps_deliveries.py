"""Files of the MPS, landed and loaded as tests deliver them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.load import Loaded
from tests import mps_more_files as files
from tests.mps_files import boroughs, categories
from tests.queries import rows
from warehouse import steps
from warehouse.platform.settings import Settings

MPS = find_source("mps")
Land = Callable[..., Loaded]
Delivery = list[tuple[str, str, bytes]]  # dataset, file name, body


def landing_in(settings: Settings, folder: Path) -> Land:
    """Lands and loads bytes as a file of the MPS."""

    def now(dataset: str, body: bytes, name: str = "file.csv", **how: object) -> Loaded:
        file = folder / name
        file.write_bytes(body)
        landed = file_drop.take(settings.landing, MPS, dataset, file, settings.now(), **how)  # type: ignore[arg-type]
        return steps.load_one(settings, MPS, dataset, landed)

    return now


def state(settings: Settings) -> list[tuple[object, ...]]:
    """Everything raw and the ledger say, apart from what a refusal adds."""
    return [
        *rows(settings, "select * from raw.mps__borough_recent order by _load_id, _row_number, month_header"),
        *rows(settings, "select * from raw.mps__borough_historical order by _load_id, _row_number, month_header"),
        *rows(settings, "select * from ops.load where state <> 'refused' order by load_id"),
    ]


def csv_rows(file: Path) -> list[dict[str, str]]:
    """The rows of a file, each by column name."""
    with file.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def published(settings: Settings, measure: str) -> dict[tuple[str, str], int]:
    """Values of a measure by area and month, zeros left out."""
    found = rows(
        settings,
        f"""select area_code, to_char(period_start_date, 'YYYYMM'), value::int from candidate.fct_measure
            where measure_code = '{measure}' and sex = 'all' and age_band = 'all' and value > 0""",
    )
    return {(str(area), str(month)): int(str(value)) for area, month, value in found}


KNIFE = "Knife Crime|Knife Crime"
ISO_2026 = ("Month_Year", "Area Type", "Borough_SNT", "Area Name", "Area Code", "offence group", "offence subgroup",
            "Measure", "Count", "Refresh Date")  # fmt: skip
KNIFE_2026 = tuple(name for name in files.DASHBOARD if name != "FY_FYIndex")


WARD_SAMPLE = "mps/ward/ward_24m_202311-202510.csv"


def cut_at(name: str, samples: Path, lines: int) -> bytes:
    """The first lines of a sample: it ends where a line does."""
    return b"".join((samples / name).read_bytes().splitlines(keepends=True)[:lines])


def ward_file(
    months: list[str], counts: list[int], header: tuple[str, ...] = files.SMALL, areas: list[str] | None = None
) -> bytes:
    """A ward file with one ward a borough, the same counts in each row."""
    found = []
    for number, area in enumerate(areas or boroughs()):
        for major, minor in categories("connect_2025"):
            row = dict(zip(files.SMALL, [major, minor, f"Ward {number}", f"E0599{number:04d}", area], strict=True))
            row |= {"Group": major, "SubGroup": minor}
            found.append([*(row[name] for name in header), *counts])
    return files.csv_bytes([*header, *months], found)


KINDS_OF_LSOAS = [(a, b) for a, b in categories("connect_2025") if a != "SEXUAL OFFENCES"]


VICTIMS_2025 = ("Homicide ID", "Count of Victims", "Age Group", "Sex", "Method of Killing", "Domestic Abuse",
                "Recorded Date", "Homicide Offence Type", "Solved Status", "Borough", "Officer Observed Ethnicity")  # fmt: skip


def victims() -> Delivery:
    """Homicides of boroughs, of Heathrow, and without a borough."""

    def victim(area: str, age: str, sex: str, month: str = "Jan-26") -> list[object]:
        return ["1", 1, age, sex, "Shooting", "1", month, "Manslaughter", "Unsolved", area, "Black"]

    body = files.csv_bytes(
        VICTIMS_2025,
        [
            victim("Hammersmith & Fulham", "13 to 19", "Male"),
            victim("Kingston Upon Thames", "65 and over", "Female"),
            victim("Unmapped", "20 to 24", "Male"),
            victim("", "25 to 34", "Male"),
            victim("Not Recorded", "25 to 34", "Male"),
            victim("Heathrow", "20 to 24", "Male"),
            victim("Camden", "20 to 24", "Male", "Mar-26"),
        ],
    )
    return [("homicide_victims", "file.csv", body)]
