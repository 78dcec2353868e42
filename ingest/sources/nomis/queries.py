"""What is asked of NOMIS: by dataset, a query in deliveries of so many periods, each in pages of so many records."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

BOROUGHS_LONDON_ENGLAND = "E09000001...E09000033,E12000007,E92000001"
WARDS_OF_LONDON = "2013265927TYPE153"  # NOMIS's own code of London, and of wards as they were at the Census of 2021


@dataclasses.dataclass(frozen=True)
class Query:
    """A query for one dataset.

    Attributes:
        dataset_id: its number at NOMIS.
        dimensions: the codes that are asked for, by dimension, ranges as `0...2`.
        geography: the codes of the areas, or all of a type within another.
        measures: which of its figures: the value, or a percentage and its interval.
        first_period: the oldest that is asked for.
        periods: how many a delivery takes.
        revised_periods: the newest so many are asked for again whenever one of them is released.
        may_lack: areas that are asked for and that the dataset does not have.
        page_records: how many records a page has.
    """

    dataset_id: str
    dimensions: dict[str, str]
    geography: str = BOROUGHS_LONDON_ENGLAND
    measures: str = "20100"
    first_period: str = "2011"
    periods: int = 20
    revised_periods: int = 0
    may_lack: tuple[str, ...] = ()
    page_records: int = 25_000

    @property
    def parameters(self) -> dict[str, str]:
        """The query by NOMIS's names, without its periods."""
        return {"geography": self.geography, **self.dimensions, "measures": self.measures}

    @property
    def asks_for_a_type(self) -> bool:
        """Whether all areas of a type are asked for, by no code of theirs."""
        return "TYPE" in self.geography


_EARNINGS = {"sex": "8", "item": "2", "pay": "7,1"}

QUERIES = {
    "population": Query("NM_2002_1", {"gender": "0...2", "c_age": "200,101...191"}, periods=3),
    "claimant_count": Query(
        "NM_162_1",
        {"gender": "0...2", "age": "0,10...20", "measure": "1...2"},
        first_period="2013-01",
        periods=12,
        revised_periods=13,
    ),
    "annual_population_survey": Query(
        "NM_17_5",
        {"variable": "45,83,84,111"},
        measures="20599,21001,21002,21003",
        first_period="2011-12",
        periods=8,
        may_lack=("E09000001",),  # too few people live in the City for a survey
    ),
    "jobs_density": Query("NM_57_1", {"item": "1,3"}),
    "earnings_residents": Query("NM_30_1", _EARNINGS, measures="20100,20701"),
    "earnings_workplace": Query("NM_99_1", _EARNINGS, measures="20100,20701"),
    "census_ethnic_group": Query("NM_2041_1", {"c2021_eth_20": "0,1001...1005,1...19"}, first_period="2021", periods=1),
    "census_household_deprivation": Query("NM_2031_1", {"c2021_dep_6": "0...5"}, first_period="2021", periods=1),
    "census_economic_activity": Query(
        "NM_2083_1", {"c2021_eastat_20": "0,1001...1003"}, first_period="2021", periods=1
    ),
    "census_qualifications": Query("NM_2084_1", {"c2021_hiqual_8": "0...7"}, first_period="2021", periods=1),
    "census_ward_residents": Query(
        "NM_2021_1", {"c2021_restype_3": "0"}, geography=WARDS_OF_LONDON, first_period="2021", periods=1
    ),
}


def codes_of(asked: str) -> Iterator[str]:
    """The codes that a query asks for, its ranges spelt out: `0,101...103`, `E09000001...E09000033`."""
    for part in asked.split(","):
        first, _, last = part.partition("...")
        digits = re.search(r"\d+$", first)
        if not last or digits is None:
            yield first
            continue
        prefix = first[: digits.start()]
        for number in range(int(digits[0]), int(last[len(prefix) :]) + 1):
            yield f"{prefix}{number:0{len(digits[0])}d}" if prefix else str(number)
