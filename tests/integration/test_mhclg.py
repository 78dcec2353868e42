"""The Indices of Deprivation: fetched from one address, read by the publisher's headers and by those of a copy."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sandbox
from ingest.connectors import check, file_drop
from ingest.connectors.fetch_context import FetchContext
from ingest.declaration import SEEDS, find_source
from ingest.http import Client
from ingest.load import Loaded
from sandbox.server import Publisher
from tests.asking import NOW, context_at, fetch, offers
from tests.mhclg_files import file_7_header_of_2025, file_7_of_2019
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings

MHCLG = find_source("mhclg")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


@pytest.fixture
def context(publisher: Publisher, tmp_path: Path) -> Iterator[FetchContext]:
    with Client(("127.0.0.1",), sleep=lambda _: None) as client:
        yield context_at(client, publisher, MHCLG, "imd_2025", tmp_path)


def load(warehouse: Settings, dataset: str, file: Path) -> Loaded:
    landed = file_drop.take(warehouse.landing, MHCLG, dataset, file, warehouse.now())
    return steps.load_one(warehouse, MHCLG, dataset, landed)


def ask(warehouse: Settings, query: str) -> list[tuple[Any, ...]]:
    with connect(warehouse, LOADER) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_file_at_one_address_is_fetched_once_and_again_only_when_it_changed(
    context: FetchContext, publisher: Publisher
) -> None:
    (offer,) = offers(context)
    assert offer.url == publisher.base_url + "/" + MHCLG.dataset("imd_2025").location.path  # type: ignore[union-attr]
    first = fetch(context, offer)
    assert first.landed is not None
    assert first.landed.path.read_bytes().startswith(b"LSOA code (2021),LSOA name (2021),")
    again = FetchContext(
        **{
            **vars(context),
            "last_fetches": context_at(
                context.client, publisher, MHCLG, "imd_2025", context.landing, [first]
            ).last_fetches,
        }
    )
    assert fetch(again, offer).landed is None
    publisher.misbehave("replace_body", path_contains="IoD2025", body=b"LSOA code (2021)\r\nE01000001\r\n")
    assert fetch(again, offer).landed is not None


def test_a_look_at_the_address_says_which_header_is_new(context: FetchContext, publisher: Publisher) -> None:
    assert check(context) == []
    publisher.misbehave("renamed_column", path_contains="IoD2025", column=5)
    unknown, missing = check(context)
    assert unknown.differs == "header 'Renamed' is not known (column 6)"
    assert missing.differs.startswith(
        "header has no column for imd_rank (any of: Index of Multiple Deprivation (IMD) Rank"
    )


def test_both_editions_load_by_the_publishers_headers_and_by_those_of_a_copy(
    warehouse: Settings, samples: Path, tmp_path: Path
) -> None:
    published = tmp_path / "File_7.csv"
    published.write_bytes(file_7_of_2019(samples))
    done = load(warehouse, "imd_2019", published)
    assert (done.rows, done.drift) == (4835, {})
    copy = samples / "deprivation" / "imd2019_england_lsoa11_london.csv"
    assert load(warehouse, "imd_2019", copy).rows == 4835
    # Rank and decile of every LSOA are the same in both, however they are written; residents are in one alone.
    assert ask(
        warehouse,
        """select count(*), count(nullif(a.residents, '')), count(nullif(b.residents, '')), sum(a.residents::int)
           from raw.mhclg__imd_2019 as a inner join raw.mhclg__imd_2019 as b using (lsoa_code)
           where a._load_id < b._load_id and a.imd_rank::numeric = b.imd_rank::numeric and a.imd_decile::numeric = b.imd_decile::numeric
             and a.income_rank::numeric = b.income_rank::numeric""",
    ) == [(4835, 4835, 0, 8662622)]
    workbook = samples / "deprivation" / "id_2019_london.xlsx"
    assert load(warehouse, "imd_2019", workbook).rows == 4835
    assert ask(
        warehouse,
        """select count(*), min(b.sheet), sum((a.imd_rank::int = b.imd_rank::int and a.imd_decile = b.imd_decile and a.imd_score = b.imd_score
             and a.income_rank = b.income_rank and a.lad_code = b.lad_code)::int)
           from raw.mhclg__imd_2019 as a inner join raw.mhclg__imd_2019 as b using (lsoa_code) where a._load_id = 1 and b._load_id = 3""",
    ) == [(4835, "IMD 2019", 4835)]
    newer = samples / "deprivation" / "imd2025_england_lsoa21_london.csv"
    assert load(warehouse, "imd_2025", newer).rows == 4994
    with refused_with("HEADER_UNKNOWN", match="'lsoa21_code'"):
        load(warehouse, "imd_2019", newer)


def test_the_header_of_2025_is_known_to_the_last_column_the_cut_one_too(warehouse: Settings, tmp_path: Path) -> None:
    header = file_7_header_of_2025()
    assert len(header) == len(set(header)) == 56
    with (SEEDS / "lsoa_borough.csv").open(encoding="utf-8", newline="") as seed:
        lsoas = [row["lsoa_code"] for row in csv.DictReader(seed) if row["is_lsoa_2021"] == "true"]
    lines = [[lsoa, "Somewhere 001A", "E09000001", "City of London", *["1"] * 51, "1248"] for lsoa in lsoas]
    file = tmp_path / "File_7_IoD2025.csv"
    file.write_text("\n".join(",".join(f'"{field}"' for field in line) for line in (header, *lines)) + "\n")
    done = load(warehouse, "imd_2025", file)
    assert (done.rows, done.drift) == (4994, {})
    cut = tmp_path / "cut.csv"
    cut.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))
    with refused_with("AREAS_MISSING", match=f"4,992 of .*4,994 .*{lsoas[-2]}, {lsoas[-1]}"):
        load(warehouse, "imd_2025", cut)
