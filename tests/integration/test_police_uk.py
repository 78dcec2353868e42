"""police.uk: real files come out of the marts as they went in, and each trap of the archive has its end."""

from __future__ import annotations

import collections
import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.connectors import file_drop
from ingest.declaration import SEEDS, find_source
from tests.conftest import Server, warehouse_to_build
from tests.mps_files import borough_file
from tests.police_uk_files import BTP, CITY, Land, crime, landing_in, street
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.settings import Settings

SEARCHES = (
    "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,Self-defined ethnicity,"
    "Officer-defined ethnicity,Legislation,Object of search,Outcome,Outcome linked to object of search,"
    "Removal of more than just outer clothing\n"
)


def month_of_searches(month: str, count: int, placed: int, *, ages: int, at: str = "51.4613,-0.1156") -> bytes:
    """A month of searches, of which the first so many have coordinates (in Lambeth, if nothing is said), and so many an age."""
    return (
        SEARCHES
        + "".join(
            f"Person search,{month}-{n % 28 + 1:02}T{n % 24:02}:{n % 60:02}:00+00:00,False,,"
            f"{at if n < placed else ','},Male,{'18-24' if n < ages else ''},White - White British (W1),White,"
            "Police and Criminal Evidence Act 1984 (section 1),Stolen goods,Arrest,True,False\n"
            for n in range(count)
        )
    ).encode()


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def build(settings: Settings, tmp_path: Path) -> None:
    """Build the candidate, beside a small file of the MPS, which every candidate has."""
    file = tmp_path / "mps.csv"
    file.write_bytes(borough_file("202401", "202402"))
    mps = find_source("mps")
    landed = file_drop.take(settings.landing, mps, "borough_recent", file, settings.now())
    steps.load_one(settings, mps, "borough_recent", landed)
    transform.build(settings)


def counted(settings: Settings, query: str) -> dict[tuple[object, ...], int]:
    return {tuple(row[:-1]): int(str(row[-1])) for row in rows(settings, query)}


def lookup() -> dict[str, str]:
    with (SEEDS / "lsoa_borough.csv").open(encoding="utf-8", newline="") as file:
        return {row["lsoa_code"]: row["area_code"] for row in csv.DictReader(file)}


def published(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_real_files_load_exactly_and_come_out_of_the_marts_by_borough_and_type(
    to_build: Settings, samples: Path, tmp_path: Path
) -> None:
    warehouse, land = to_build, landing_in(to_build, tmp_path)
    folder = samples / "police_uk"
    expected: collections.Counter[tuple[object, ...]] = collections.Counter()
    outcomes: collections.Counter[tuple[object, ...]] = collections.Counter()
    with (SEEDS / "police_uk_label.csv").open(encoding="utf-8", newline="") as handle:
        kind_of = {
            row["published_label"]: row["code"] for row in csv.DictReader(handle) if row["label_list"] == "outcome"
        }
    area_of = lookup()
    for file in sorted(folder.glob("street/*.csv")):
        found = published(file)
        if "-sample" in file.name:  # the first 4,000 rows of a month, under the month's name
            with refused_with("AREAS_MISSING", match="30 of the 32"):
                land("street", file.read_bytes(), file.name.replace("-sample", ""))
            continue
        assert land("street", file).rows == len(found)
        force = file.name[8:].replace("-street", "").removesuffix(".csv").replace("-", "_")
        for row in found:
            kind = row["Crime type"].lower().replace(" ", "_").replace("-", "_")
            area = area_of.get(row["LSOA code"], "OUTSIDE_LONDON" if row["LSOA code"] else "UNALLOCATED")
            codes = [f"police_uk_{force}_{kind}"]
            if kind != "anti_social_behaviour":
                codes.append(f"police_uk_{force}_all_crime")
                if force != "btp":
                    outcomes[codes[-1], row["Month"], area, kind_of.get(row["Last outcome category"], "not_given")] += 1
            for code in codes:
                expected[code, row["Month"], area] += 1
    for file in sorted(folder.glob("stop_and_search/*.csv")):
        assert land("stop_and_search", file).rows == len(published(file))
    build(warehouse, tmp_path)
    assert counted(
        warehouse,
        """select f.measure_code, to_char(period_start_date, 'YYYY-MM'), area_code, value::bigint from candidate.fct_measure as f
           inner join candidate.dim_measure as m on f.measure_code = m.measure_code and m.datasets = 'street'
           where area_code not in ('LONDON_32', 'INNER', 'OUTER') and value > 0""",
    ) == dict(expected)
    assert counted(
        warehouse,
        """select measure_code, to_char(month_start_date, 'YYYY-MM'), area_code, outcome_code, crime_count
           from candidate.rpt_crime_outcome
           where measure_code like '%all_crime' and area_code not in ('LONDON_32', 'INNER', 'OUTER') and crime_count > 0""",
    ) == dict(outcomes)
    # One month of the City is known to have no file of its own; no other month has every force.
    assert rows(warehouse, "select 1 from candidate.fct_measure where measure_code = 'police_uk_all_crime'") == []
    searched_2016 = published(folder / "stop_and_search" / "2016-06-metropolitan-stop-and-search.csv")
    ages = {
        "10-17": "10-17",
        "18-24": "18-24",
        "25-34": "25-34",
        "over 34": "over_34",
        "under 10": "under_10",
        "": "not_recorded",
    }
    assert counted(
        warehouse,
        """select age_band, sum(value)::bigint from candidate.fct_measure
           where measure_code = 'police_uk_metropolitan_stop_and_search' and age_band <> 'all'
             and area_code not in ('LONDON_32', 'INNER', 'OUTER') group by 1""",
    ) == {(ages[age],): count for age, count in collections.Counter(row["Age range"] for row in searched_2016).items()}
    assert rows(
        warehouse,
        """select to_char(period_start_date, 'YYYY-MM'), sum(value)::bigint, sum(value) filter (where area_code = 'UNALLOCATED')::bigint
           from candidate.fct_measure where measure_code = 'police_uk_metropolitan_stop_and_search' and age_band = 'all'
             and ethnicity = 'all' and area_code not in ('LONDON_32', 'INNER', 'OUTER') group by 1""",
    ) == [("2016-06", len(searched_2016), sum(not row["Latitude"] for row in searched_2016))]
    # Months as they should be: of the City's searches a quarter have no coordinates.
    assert rows(warehouse, "select * from intermediate.int_unplaced_share where is_withheld") == []
    assert rows(
        warehouse,
        """select measure_code, row_count, unplaced_count from intermediate.int_unplaced_share
           where dimension = 'area' and measure_code like '%stop_and_search' order by 1""",
    ) == [
        ("police_uk_city_of_london_stop_and_search", 153, 36),
        ("police_uk_metropolitan_stop_and_search", 10490, 871),
    ]


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A candidate of street crime with gaps, and of searches of which some months have no coordinates."""
    folder = tmp_path_factory.mktemp("built")
    with warehouse_to_build(server, folder) as warehouse:
        land = landing_in(warehouse, folder)
        for month in ("2025-01", "2025-02", "2026-01"):
            land("street", street(crime(month=month)), f"{month}-metropolitan-street.csv")
            land("street", street(crime(CITY, month=month)), f"{month}-city-of-london-street.csv")
        elsewhere = ("E01031365", "Adur 002D")
        railway = [
            crime(BTP, month="2025-01", crime_id="", outcome="", lsoa=place)
            for place in (elsewhere, ("", ""), ("E01000938", "Camden 024B"))
        ]
        land("street", street(*railway), "2025-01-btp-street.csv")
        for month, placed in (("2026-05", 600), ("2026-06", 0), ("2026-07", 30)):
            body = month_of_searches(month, 600, placed, ages=580 if month == "2026-05" else 200)
            land("stop_and_search", body, f"{month}-metropolitan-stop-and-search.csv")
            # The City's month of June is as whole as that of May: 38 % without coordinates are no more than usual.
            body = month_of_searches(month, 50, 31, ages=50, at="51.5155,-0.0922")
            land("stop_and_search", body, f"{month}-city-of-london-stop-and-search.csv")
            land("stop_and_search", month_of_searches(month, 30, 30, ages=30), f"{month}-btp-stop-and-search.csv")
        build(warehouse, folder)
        yield warehouse


def test_a_known_gap_is_said_beside_the_sum_and_an_unknown_one_leaves_it_out(built: Settings) -> None:
    assert rows(
        built,
        """select to_char(period_start_date, 'YYYY-MM'), area_code, value::int, value_note from candidate.fct_measure
           where measure_code = 'police_uk_robbery' and value > 0 and area_code not in ('LONDON_32', 'INNER') order by 1, 2""",
    ) == [
        ("2025-01", "E09000007", 3, None),
        ("2025-01", "OUTSIDE_LONDON", 1, None),
        ("2025-01", "UNALLOCATED", 1, None),
        ("2025-02", "E09000007", 2, "British Transport Police published no file of this month: its offences are not counted."),
    ]  # fmt: skip
    assert rows(
        built,
        """select to_char(month_start_date, 'YYYY-MM'), state from intermediate.int_police_uk_force_month
           where dataset = 'street' and force_code = 'btp' and state <> 'known_gap' order by 1""",
    ) == [("2025-01", "loaded"), ("2026-01", "missing")]


JUNE = "100 % of the Metropolitan Police's searches of June 2026 have no coordinates: no figure by area."
JULY = "95 % of the Metropolitan Police's searches of July 2026 have no coordinates: no figure by area."


def searched(scope: str, *areas: str) -> str:
    return f"""select to_char(period_start_date, 'FMMonth'), area_code, value::int, value_note from candidate.fct_measure
               where measure_code = 'police_uk_{scope}stop_and_search' and age_band = 'all' and ethnicity = 'all'
                 and area_code in {areas} order by period_start_date, 2"""


def test_a_month_of_searches_without_coordinates_has_no_figure_by_area(built: Settings) -> None:
    assert rows(built, searched("metropolitan_", "E09000022", "LONDON_32", "UNALLOCATED")) == [
        ("May", "E09000022", 600, None),
        ("May", "LONDON_32", 600, None),
        ("May", "UNALLOCATED", 0, None),
        ("June", "E09000022", None, JUNE),
        ("June", "LONDON_32", None, JUNE),
        ("June", "UNALLOCATED", 600, None),
        ("July", "E09000022", None, JULY),
        ("July", "LONDON_32", None, JULY),
        ("July", "UNALLOCATED", 570, None),
    ]
    assert rows(
        built,
        """select count(*), count(value), count(value_note) from candidate.fct_measure
           where measure_code = 'police_uk_metropolitan_stop_and_search' and period_start_date = '2026-06-01'
             and area_code <> 'UNALLOCATED'""",
    ) == [(518, 0, 518)]  # 37 areas, each in all, by 6 ages and by 7 ethnicities


def test_a_force_is_judged_by_itself_and_a_sum_lacks_none(built: Settings) -> None:
    assert rows(built, searched("city_of_london_", "E09000001", "UNALLOCATED")) == [
        (month, area, value, None)
        for month in ("May", "June", "July")
        for area, value in (("E09000001", 31), ("UNALLOCATED", 19))
    ]
    assert rows(built, searched("", "E09000022", "UNALLOCATED")) == [
        ("May", "E09000022", 630, None),
        ("May", "UNALLOCATED", 19, None),
        ("June", "E09000022", None, JUNE),
        ("June", "UNALLOCATED", 619, None),
        ("July", "E09000022", None, JULY),
        ("July", "UNALLOCATED", 589, None),
    ]


def test_a_window_that_holds_a_month_without_a_figure_has_none(built: Settings) -> None:
    assert rows(
        built,
        """select to_char(month_start_date, 'FMMonth'), window_kind, window_count, rank_in_london, share_of_london_percent, status, value_note
           from candidate.rpt_borough_measure
           where measure_code = 'police_uk_metropolitan_stop_and_search' and area_code = 'E09000022' and sex = 'all' and age_band = 'all'
             and window_kind in ('month', 'rolling_3') order by month_start_date, 2""",
    ) == [
        ("May", "month", 600, 1, Decimal("100.000"), "provisional", None),
        ("June", "month", None, None, None, "withheld", JUNE),
        ("June", "rolling_3", None, None, None, "withheld", JUNE),
        ("July", "month", None, None, None, "withheld", JULY),
        ("July", "rolling_3", None, None, None, "withheld", JULY),
    ]


def test_a_month_of_searches_without_ages_has_no_figure_by_age(built: Settings) -> None:
    """June and July have no area either; of what could not be placed the ages are not known all the same."""
    assert rows(
        built,
        """select to_char(period_start_date, 'FMMonth'), age_band, value::int, value_note from candidate.fct_measure
           where measure_code = 'police_uk_metropolitan_stop_and_search' and area_code = 'UNALLOCATED' and ethnicity = 'all'
             and age_band in ('all', '18-24', 'not_recorded') and period_start_date = '2026-06-01' order by 2""",
    ) == [
        (
            "June", "18-24", None,
            "67 % of the Metropolitan Police's searches of June 2026 have no age: no figure by age.",
        ),
        ("June", "all", 600, None),
        ("June", "not_recorded", 400, None),
    ]  # fmt: skip


def test_profiles_are_of_the_months_that_have_figures(built: Settings) -> None:
    assert rows(
        built,
        """select period_kind, months_held, person_count, withheld_reason from candidate.rpt_victim_profile
           where measure_code = 'police_uk_people_searched' and area_code = 'E09000022' and sex = 'all' and age_band = '18-24'
             and ethnicity = 'all'""",
    ) == [
        (
            "rolling_12_months",
            1,
            610,
            "no rate: 1 of 12 months are held; no rate: no residents of this group are loaded",
        )
    ]
    assert rows(
        built,
        """select distinct months_held, known_count from candidate.rpt_temporal_profile
           where measure_code = 'police_uk_stop_and_search' and area_code = 'E09000022' and dimension = 'weekday'""",
    ) == [(1, 630)]
