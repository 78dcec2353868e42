"""police.uk: real files come out of the marts as they went in, and each trap of the archive has its end."""

from __future__ import annotations

import collections
import csv
import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

import sandbox
from ingest import landing
from ingest.connectors import file_drop
from ingest.connectors.fetch_context import FetchContext, Fetched, LastFetch
from ingest.declaration import SEEDS, find_source
from ingest.errors import BodyRefused, FileRefused, PublisherUnavailable
from ingest.http import Client
from ingest.load import Loaded
from ingest.sources.police_uk import connector as police_uk_connector
from ingest.sources.police_uk.checks import ALWAYS
from sandbox.exchange import Request, Response
from sandbox.police_uk.archive import archive, index_page, packed, served
from sandbox.server import Publisher, serve_sites
from tests.builds import found_by
from tests.conftest import Server, warehouse_to_build
from tests.mps_files import borough_file
from tests.refused import refused_with
from warehouse import steps
from warehouse.build import transform
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings

POLICE = find_source("police_uk")
NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
MET, CITY, BTP = "Metropolitan Police Service", "City of London Police", "British Transport Police"
Land = Callable[..., Loaded]


def crime(
    force: str = MET,
    *,
    month: str = "2024-01",
    crime_id: str = "a" * 64,
    lsoa: tuple[str, str] = ("E01000938", "Camden 024B"),
    kind: str = "Robbery",
    outcome: str = "Under investigation",
    location: str = "On or near High Road",
) -> str:
    place = ["-0.120961", "51.530607"] if lsoa[0] else ["", ""]
    row = [crime_id, month, force, force, *place, location, *lsoa, kind, outcome, ""]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(row)
    return text.getvalue()


def street(*rows: str) -> bytes:
    """A month of a force: these rows, and a crime of each kind that a whole month is never without."""
    first = next(csv.reader(rows))
    force = {MET: "metropolitan", CITY: "city-of-london", BTP: "btp"}[first[2]]
    whole = [
        crime(first[2], month=first[1], crime_id="b" * 64, kind=kind)
        for kind in ALWAYS[force]
        if kind not in {row[9] for row in csv.reader(rows)}
    ]
    return (HEADER + "".join([*rows, *whole])).encode()


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


def landing_in(settings: Settings, folder: Path) -> Land:
    """Lands and loads bytes, or a file, as a file of police.uk."""

    def now(dataset: str, body: bytes | Path, name: str = "2024-01-metropolitan-street.csv", **how: object) -> Loaded:
        file = body if isinstance(body, Path) else folder / name
        if isinstance(body, bytes):
            file.write_bytes(body)
        landed = file_drop.take(settings.landing, POLICE, dataset, file, settings.now(), **how)  # type: ignore[arg-type]
        return steps.load_one(settings, POLICE, dataset, landed)

    return now


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with connect(settings, ADMIN) as connection:
        return connection.execute(query.encode()).fetchall()


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


# Real files.


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
            with pytest.raises(FileRefused, match="has no crime in 30 of the 32 boroughs"):
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


# What a row may be.


def test_identical_rows_are_separate_incidents(warehouse: Settings, land: Land) -> None:
    one = crime(BTP, crime_id="", outcome="")
    assert land("street", street(one, one, one), "2024-01-btp-street.csv").rows == 4
    assert rows(warehouse, "select count(*), count(distinct _row_number) from raw.police_uk__street") == [(4, 4)]


def test_an_id_is_blank_only_for_anti_social_behaviour_and_british_transport_police(
    warehouse: Settings, land: Land
) -> None:
    asb = crime(crime_id="", kind="Anti-social behaviour", outcome="")
    assert land("street", street(crime(), asb)).quarantined == 0
    with refused_with("VALUE_BLANK", match="row 3, column Crime ID"):
        land("street", street(crime(), asb, crime(crime_id="")))
    # Few enough, and the rest of the month stands; each such row is named.
    march = {"month": "2024-03"}
    body = street(*[crime(**march)] * 300, crime(crime_id="", **march))
    done = land("street", body, "2024-03-metropolitan-street.csv")
    assert (done.rows, done.quarantined) == (304, 1)
    assert rows(
        warehouse, f"select row_number, column_name from quarantine.refused_row where load_id = {done.load_id}"
    ) == [(301, "Crime ID")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (crime(crime_id="a" * 63), r"does not match \[0-9a-f\]\{64\}"),
        (crime(kind="Witchcraft"), "'Witchcraft' is not in the list dbt_project/seeds/police_uk_label.csv"),
        (crime(outcome="Sent to Australia"), "'Sent to Australia' is not in the list"),
        (crime("Kent Police"), "'Kent Police' is not in the list"),
        (crime(month="January 2024"), "'January 2024' is not a month such as 2026-09"),
    ],
    ids=["an id of 63 digits", "a new type", "a new outcome", "a force that is not ours", "a month in words"],
)
def test_what_nobody_declared_is_refused_by_row_and_value(land: Land, row: str, says: str) -> None:
    with pytest.raises(FileRefused, match=f"row 2, .*{says}"):
        land("street", street(crime(), row))


def test_a_comma_in_a_location_and_windows_line_ends_change_nothing(warehouse: Settings, land: Land) -> None:
    body = street(crime(location="On or near High Road, Ickenham"), crime()).replace(b"\n", b"\r\n")
    assert land("street", body).rows == 6
    assert rows(warehouse, "select location, context from raw.police_uk__street where _row_number = 1") == [
        ("On or near High Road, Ickenham", "")
    ]


def test_a_file_of_before_2012_is_refused_with_what_it_lacks(land: Land) -> None:
    body = b"Month,Reported by,Falls within,Easting,Northing,Location,Crime type,Context\n2011-01,x,x,1,1,x,Burglary,\n"
    with refused_with("HEADER_UNKNOWN", match="crime_id"):
        land("street", body)


def test_a_file_whose_name_tells_no_month_and_force_is_refused(land: Land) -> None:
    with refused_with("NAME_UNKNOWN"):
        land("street", street(crime()), "street.csv")
    with refused_with("NAME_UNKNOWN"):
        land("street", street(crime(), crime()), "2024-01-metropolitan-street-sample.csv")


def test_a_file_of_another_month_than_its_name_says_is_refused(land: Land) -> None:
    with refused_with(
        "NAME_DIFFERS_FROM_ROWS",
        match=r"2024-02-metropolitan .* 0 of its 5 .* 2024-01 \(5\)",
    ):
        land("street", street(crime()), "2024-02-metropolitan-street.csv")


def searches(month: str, place: tuple[str, str], count: int = 120, last_day: int = 28) -> bytes:
    header = (
        "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,Self-defined ethnicity,"
        "Officer-defined ethnicity,Legislation,Object of search,Outcome,Outcome linked to object of search,"
        "Removal of more than just outer clothing\n"
    )
    return (
        header
        + "".join(
            f"Person search,{month}-{n % last_day + 1:02d}T10:00:00+00:00,False,,{place[0]},{place[1]},Male,18-24,,White,,,,False,False\n"
            for n in range(count)
        )
    ).encode()


IN_LAMBETH, IN_THE_CITY, IN_LEEDS = ("51.461300", "-0.115600"), ("51.513000", "-0.090000"), ("53.800000", "-1.550000")


def test_searches_are_of_the_month_and_the_force_their_name_says(land: Land) -> None:
    met, city, btp = (f"2026-04-{force}-stop-and-search.csv" for force in ("metropolitan", "city-of-london", "btp"))
    for name, body, says in (
        (met, searches("2026-08", IN_LAMBETH), "is of 2026-04-metropolitan by its name, and 0 of its 120 rows are"),
        (
            met,
            searches("2026-04", IN_THE_CITY, 119),
            "is of metropolitan by its name, and 0 of its 119 searches with a place lie",
        ),
        (met, searches("2026-04", IN_LEEDS, 119), "is of metropolitan by its name, and 0 of its 119 searches"),
        (city, searches("2026-04", IN_LAMBETH, 119), "is of city-of-london by its name, and 0 of its 119 searches"),
        (
            met,
            searches("2026-04", IN_LAMBETH, last_day=4),
            "has 120 searches and none after day 4 of 2026-04: it is cut short",
        ),
        (
            met.replace("search.csv", "search-sample.csv"),
            searches("2026-04", IN_LAMBETH, 118),
            "has a name that does not say",
        ),
    ):
        with pytest.raises(FileRefused, match=says):
            land("stop_and_search", body, name)
    assert land("stop_and_search", searches("2026-04", IN_LAMBETH), met).rows == 120
    assert land("stop_and_search", searches("2026-04", IN_THE_CITY), city).rows == 120
    assert land("stop_and_search", searches("2026-04", IN_LEEDS), btp).rows == 120
    # Few rows of the months beside it are what a file in UTC has of a month in London.
    edge = searches("2026-06", IN_LAMBETH) + searches("2026-05", IN_LAMBETH, 3).partition(b"\n")[2]
    assert land("stop_and_search", edge, "2026-06-metropolitan-stop-and-search.csv").rows == 123


def test_crimes_are_of_the_force_their_name_says_and_of_all_kinds_a_month_has(land: Land) -> None:
    burglaries = HEADER + crime(kind="Burglary") * 100
    cut = HEADER + crime() + street(crime(CITY)).decode().partition("\n")[2]
    for body, name, says in (
        (street(crime(CITY)), "2024-01-metropolitan-street.csv", r"is of metropolitan by its name, and has rows of City of London Police \(2\)"),
        (cut.encode(), "2024-01-metropolitan-street.csv", r"is of metropolitan by its name, and has rows of City of London Police \(2\)"),
        (street(crime()), "2024-01-btp-street.csv", "is of btp by its name, and has rows of Metropolitan Police Service"),
        (burglaries.encode(), "2024-01-metropolitan-street.csv", "has no Anti-social behaviour and no Robbery and no Vehicle crime and no Violence"),
        (street(*[crime()] * 2000), "2024-01-metropolitan-street.csv", "has no crime in 31 of the 32 boroughs"),
    ):  # fmt: skip
        with pytest.raises(FileRefused, match=says):
            land("street", body, name)


def test_of_each_month_and_force_only_the_newest_release_stands_in_raw(warehouse: Settings, land: Land) -> None:
    land("street", street(crime()), release_date=dt.date(2024, 3, 1))
    land("street", street(crime(), crime()), release_date=dt.date(2024, 4, 1))
    land("street", street(crime(CITY)), "2024-01-city-of-london-street.csv", release_date=dt.date(2024, 4, 1))
    late = land("street", street(crime(), crime(), crime()), release_date=dt.date(2024, 2, 1))
    assert late.is_history
    assert rows(
        warehouse,
        """select l.part, l.state, l.release_date::text, count(r.*) from ops.load as l
           left join raw.police_uk__street as r on r._load_id = l.load_id group by l.load_id order by l.load_id""",
    ) == [
        ("2024-01-metropolitan", "superseded", "2024-03-01", 0),
        ("2024-01-metropolitan", "loaded", "2024-04-01", 6),
        ("2024-01-city-of-london", "loaded", "2024-04-01", 2),
        ("2024-01-metropolitan", "superseded", "2024-02-01", 0),
    ]
    assert len(list(landing.every_file(warehouse.landing))) == 4


def test_a_month_that_came_twice_under_new_ids_is_named_and_one_that_only_grew_is_not(
    warehouse: Settings, land: Land
) -> None:
    def of(month: str, crimes: int, ids: int = 0, **what: str) -> bytes:
        return street(
            *(crime(month=month, location=f"Street {n}", crime_id=f"{ids + n:064x}", **what) for n in range(crimes))
        )

    land("street", of("2024-01", 20))
    land("street", of("2024-02", 20) + of("2024-02", 20, 100).partition(b"\n")[2], "2024-02-metropolitan-street.csv")
    land("street", of("2024-01", 20, force=CITY), "2024-01-city-of-london-street.csv")
    land("street", of("2024-02", 40, force=CITY), "2024-02-city-of-london-street.csv")
    candidate = """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values ('one', '', '', 'real');
                   insert into ops.candidate_load select 'one', load_id from ops.load"""
    found = found_by(warehouse, "landing/police_uk/street", "no_month_came_twice_under_new_ids", candidate)
    assert [row[1:] for row in found] == [(dt.date(2024, 2, 1), 48, 24, 1)]


def test_a_month_that_goes_back_to_what_it_was_speaks_again(warehouse: Settings, land: Land) -> None:
    first, second = street(crime()), street(crime(), crime())
    land("street", first, release_date=dt.date(2024, 2, 1))
    land("street", second, release_date=dt.date(2024, 3, 1))
    land("street", first)
    assert rows(warehouse, "select count(*) from raw.police_uk__street") == [(5,)]
    again = [
        (f.provenance.sha256, f.arrived_at > f.provenance.landed_at) for f in landing.every_file(warehouse.landing)
    ]
    one, two = (hashlib.sha256(body).hexdigest() for body in (first, second))
    assert again == [(one, False), (two, False), (one, True)]


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


# The archive.


class HandMade:
    """data.police.uk with an archive made for one test, its index telling what it is told to."""

    def __init__(self, body: bytes, *, ranges: bool = True, md5: str | None = None) -> None:
        self.body, self.ranges, self.md5 = body, ranges, md5
        self.sent = 0  # bytes of parts

    def answer(self, request: Request) -> Response | None:
        if request.path == "/data/archive/":
            page = index_page([("2026-09", self.body)])
            if self.md5:
                page = page.replace(hashlib.md5(self.body).hexdigest(), self.md5)  # noqa: S324 - the publisher's choice
            return Response(200, {"Content-Type": "text/html"}, page.encode())
        if request.path != "/data/archive/2026-09.zip":
            return None
        response = served(request, self.body) if self.ranges else Response(200, {}, self.body)
        self.sent += len(response.body) if response.status == 206 else 0
        return response


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(("127.0.0.1",), sleep=lambda _: None) as one:
        yield one


def context_for(
    client: Client, base_url: str, folder: Path, seen: Sequence[LastFetch] = (), name: str = "street"
) -> FetchContext:
    return FetchContext(
        client=client, source=POLICE, name=name, base_url=base_url, landing=folder, inbox=folder, now=NOW,
        last_fetches=tuple(seen), must_be_synthetic=True,
    )  # fmt: skip


def fetch_all(one: FetchContext) -> list[Fetched]:
    return [police_uk_connector.fetch(one, offer) for offer in police_uk_connector.list_editions(one)]


def remembered(fetched: list[Fetched]) -> list[LastFetch]:
    return [LastFetch(f.offer.url, f.etag, f.last_modified, f.sha256) for f in fetched]


def bodies(folder: Path) -> list[Path]:
    return sorted(f for f in folder.glob("police_uk/*/*") if f.suffix not in {".json", ".jsonl"})


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with sandbox.serve(today=NOW.date(), seed=1) as serving:
        yield serving


def test_only_our_members_are_taken_each_as_it_was_packed(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
    body = archive(1, "2026-09")
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        ours = {n: file.read(n) for n in file.namelist() if n.endswith("-street.csv") and "kent" not in n}
    assert {f.offer.url.partition("#")[2]: f.landed.path.read_bytes() for f in fetched if f.landed} == ours
    assert len(ours) == 36 * 3 - 11  # British Transport Police published nothing from February to December 2025
    first = fetched[0].landed
    assert first is not None
    assert (first.provenance.release_date, first.provenance.file_name) == (
        dt.date(2026, 10, 1),
        "2023-10-btp-street.csv",
    )
    assert first.provenance.url == f"{publisher.base_url}/data/archive/2026-09.zip#2023-10/2023-10-btp-street.csv"


def test_an_archive_that_has_not_changed_costs_one_request(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    first = fetch_all(context_for(client, publisher.base_url, tmp_path))
    publisher.forget_requests()
    assert fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(first))) == []
    assert [r.path for r in publisher.requests] == ["/data/archive/"]


def test_a_new_archive_costs_its_new_month_and_what_was_rewritten(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    first = fetch_all(context_for(client, publisher.base_url, tmp_path))
    publisher.advance_to(dt.date(2026, 12, 1))
    publisher.forget_requests()
    again = fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(first)))
    months = sorted({f.offer.file_name[:7] for f in again if f.landed is not None})
    assert months == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert {f.etag for f in again if f.landed is None} == {f.offer.mark for f in again if f.landed is None}
    assert fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(again))) == []


def test_a_fetch_that_broke_off_goes_on_where_it_was(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    one = context_for(client, publisher.base_url, tmp_path)
    some = [police_uk_connector.fetch(one, offer) for offer in police_uk_connector.list_editions(one)[:5]]
    rest = fetch_all(context_for(client, publisher.base_url, tmp_path, remembered(some)))
    assert [f.landed is None for f in rest[:6]] == [True] * 5 + [False]


def test_what_is_not_ours_is_not_fetched(client: Client, tmp_path: Path) -> None:
    # Text that does not shrink: 200 months of other forces round one of ours.
    pad = [
        (f"2026-09/2026-09-force-{n}-street.csv", hashlib.shake_256(bytes([n])).hexdigest(100_000)) for n in range(200)
    ]
    site = HandMade(packed([*pad[:100], (NAME, TEXT), *pad[100:]]))
    with serve_sites(lambda _: [site]) as publisher:
        fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert [f.landed.path.read_text(encoding="utf-8") for f in fetched if f.landed] == [TEXT]
    assert len(site.body) > 20_000_000
    assert site.sent < 600_000


def test_british_transport_police_has_no_outcomes(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    offers = police_uk_connector.list_editions(context_for(client, publisher.base_url, tmp_path, name="outcomes"))
    assert {offer.file_name[8:] for offer in offers} == {"metropolitan-outcomes.csv", "city-of-london-outcomes.csv"}


NAME = "2026-09/2026-09-metropolitan-street.csv"
TEXT = HEADER + crime(month="2026-09")


def with_flag(body: bytes) -> bytes:
    """A zip archive whose members say that they are encrypted."""
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = body.find(mark)
        body = body[: start + offset] + b"\x01\x00" + body[start + offset + 2 :]
    return body


def damaged(body: bytes) -> bytes:
    """A zip archive with a wrong byte in its first member."""
    middle = body.find(NAME.encode()) + len(NAME) + 20
    return body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]


def test_where_the_server_knows_no_ranges_the_whole_is_taken_and_its_md5_checked(
    client: Client, tmp_path: Path
) -> None:
    body = packed([(NAME, TEXT)])
    with serve_sites(lambda _: [HandMade(body, ranges=False)]) as publisher:
        fetched = fetch_all(context_for(client, publisher.base_url, tmp_path))
        assert [f.landed.path.read_text(encoding="utf-8") for f in fetched if f.landed] == [TEXT]
    with (
        serve_sites(lambda _: [HandMade(body, ranges=False, md5="0" * 32)]) as publisher,
        refused_with("HASH_DIFFERS", match="0{32}", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path / "other"))
    assert bodies(tmp_path / "other") == []


@pytest.mark.parametrize("ranges", [True, False], ids=["in parts", "whole"])
@pytest.mark.parametrize(
    ("body", "says"),
    [
        (packed([(NAME, TEXT), ("../../etc/passwd", "x")]), "holds a member whose name leads out of its folder: '../../etc/passwd'"),
        (packed([(NAME, TEXT), ("/etc/passwd", "x")]), "holds a member whose name leads out of its folder"),
        (packed([(NAME, "0" * 50_000_000)]), r"would grow from [\d,]+ to 50,000,000 bytes, which no text does"),
        (packed([(NAME, "0" * 300_000_000)]), "has 300,000,000 bytes, and one of this dataset may have 268,435,456"),
        (with_flag(packed([(NAME, TEXT)])), "is encrypted"),
        (packed([("2026-09.zip", "PK")]), "holds no member .*; it holds 2026-09.zip"),
        (damaged(packed([(NAME, TEXT)])), "the member is damaged"),
        (packed([(NAME, TEXT)])[:-30], "is not a zip archive"),
    ],
    ids=[
        "a name that climbs", "an absolute name", "a bomb", "a member too large", "encrypted", "an archive in the archive",
        "damaged", "cut short",
    ],
)  # fmt: skip
def test_an_archive_that_is_none_of_theirs_is_refused_by_name(
    client: Client, tmp_path: Path, body: bytes, says: str, ranges: bool
) -> None:
    with serve_sites(lambda _: [HandMade(body, ranges=ranges)]) as publisher, pytest.raises(BodyRefused, match=says):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert bodies(tmp_path) == []


def test_a_page_in_place_of_the_archive_is_refused_and_kept(client: Client, tmp_path: Path) -> None:
    page = b"<html>not today</html>" * 100
    with (
        serve_sites(lambda _: [HandMade(page, ranges=False)]) as publisher,
        refused_with("NOT_THE_FILE", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert [body.read_bytes() for body in bodies(tmp_path)] == [page]
    # No later night takes it for a file that was left over.
    assert list(landing.every_file(tmp_path)) == []


def test_a_zip_archive_under_the_name_of_a_file_is_refused_and_kept(client: Client, tmp_path: Path) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr(NAME, packed([(NAME, TEXT)]))
    with (
        serve_sites(lambda _: [HandMade(body.getvalue())]) as publisher,
        refused_with("NOT_THE_FILE", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
    assert len(bodies(tmp_path)) == 1


def test_an_index_without_an_archive_is_refused(client: Client, publisher: Publisher, tmp_path: Path) -> None:
    publisher.misbehave("html_with_200", path_contains="/data/archive/")
    with refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        fetch_all(context_for(client, publisher.base_url, tmp_path))


def test_an_archive_replaced_while_it_is_read_is_asked_for_another_time(client: Client, tmp_path: Path) -> None:
    # Larger than what is read ahead at the end, so that its first member takes a request of its own.
    pad = hashlib.shake_256(b"pad").hexdigest(1_000_000)
    site = HandMade(
        packed([(NAME, TEXT), ("2026-09/2026-09-kent-street.csv", pad), ("2026-09/2026-09-kent-outcomes.csv", pad)])
    )
    with serve_sites(lambda _: [site]) as publisher:
        one = context_for(client, publisher.base_url, tmp_path)
        offers = police_uk_connector.list_editions(one)
        site.body = site.body + b"\0"
        with refused_with("CHANGED_WHILE_READ", kind=PublisherUnavailable):
            police_uk_connector.fetch(one, offers[0])


def test_another_part_than_was_asked_for_is_refused(client: Client, tmp_path: Path) -> None:
    class Shifted(HandMade):
        def answer(self, request: Request) -> Response | None:
            response = super().answer(request)
            if response is not None and response.status == 206:
                return Response(206, {**response.headers, "Content-Range": "bytes 5-9/1000"}, response.body)
            return response

    with (
        serve_sites(lambda _: [Shifted(packed([(NAME, TEXT)]))]) as publisher,
        refused_with("ANSWER_NOT_AS_AGREED", match="bytes 5-9/1000", kind=BodyRefused),
    ):
        fetch_all(context_for(client, publisher.base_url, tmp_path))


def test_a_part_that_a_busy_server_withholds_is_asked_for_again(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.misbehave("status", path_contains="/archive/2026-09.zip", times=2, code=503)
    assert len(fetch_all(context_for(client, publisher.base_url, tmp_path))) == 97


def test_a_redirect_of_the_archive_to_another_host_is_refused(
    client: Client, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.misbehave("redirect_elsewhere", path_contains="/data/archive/2026-09.zip")
    with refused_with("ADDRESS_REFUSED", kind=BodyRefused):
        fetch_all(context_for(client, publisher.base_url, tmp_path))
