"""police.uk, a file by itself: which rows are taken, which refuse the file, and which file of a month stands."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from ingest import landing
from tests.builds import found_by
from tests.police_uk_files import BTP, CITY, HEADER, Land, crime, landing_in, street
from tests.queries import rows
from tests.refused import refused_with
from warehouse.platform.settings import Settings


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


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
    ("row", "code", "named"),
    [
        (crime(crime_id="a" * 63), "VALUE_MALFORMED", "Crime ID: 'aaaa"),
        (crime(kind="Witchcraft"), "LABEL_UNKNOWN", "Crime type: 'Witchcraft'"),
        (crime(outcome="Sent to Australia"), "LABEL_UNKNOWN", "Last outcome category: 'Sent to Australia'"),
        (crime("Kent Police"), "LABEL_UNKNOWN", "Reported by: 'Kent Police'"),
        (crime(month="January 2024"), "VALUE_MALFORMED", "Month: 'January 2024'"),
    ],
    ids=["an id of 63 digits", "a new type", "a new outcome", "a force that is not ours", "a month in words"],
)
def test_what_nobody_declared_is_refused_by_row_and_value(land: Land, row: str, code: str, named: str) -> None:
    with refused_with(code, match=f"row 2, column {named}"):
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
    for name, body, code, named in (
        (
            met,
            searches("2026-08", IN_LAMBETH),
            "NAME_DIFFERS_FROM_ROWS",
            "2026-04-metropolitan .* 0 of its 120 .* 2026-08",
        ),
        (
            met,
            searches("2026-04", IN_THE_CITY, 119),
            "NAME_DIFFERS_FROM_ROWS",
            "metropolitan .* 0 of its 119 .*119 in the City of London",
        ),
        (met, searches("2026-04", IN_LEEDS, 119), "NAME_DIFFERS_FROM_ROWS", "metropolitan .* 0 of its 119 "),
        (city, searches("2026-04", IN_LAMBETH, 119), "NAME_DIFFERS_FROM_ROWS", "city-of-london .* 0 of its 119 "),
        (
            met,
            searches("2026-04", IN_LAMBETH, last_day=4),
            "MONTH_NOT_WHOLE",
            "120 .* day 4 of 2026-04",
        ),
        (
            met.replace("search.csv", "search-sample.csv"),
            searches("2026-04", IN_LAMBETH, 118),
            "NAME_UNKNOWN",
            "",
        ),
    ):
        with refused_with(code, match=named):
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
    for body, name, code, named in (
        (street(crime(CITY)), "2024-01-metropolitan-street.csv", "NAME_DIFFERS_FROM_ROWS", r"metropolitan .*City of London Police \(2\)"),
        (cut.encode(), "2024-01-metropolitan-street.csv", "NAME_DIFFERS_FROM_ROWS", r"metropolitan .*City of London Police \(2\)"),
        (street(crime()), "2024-01-btp-street.csv", "NAME_DIFFERS_FROM_ROWS", r"btp .*Metropolitan Police Service \(5\)"),
        (burglaries.encode(), "2024-01-metropolitan-street.csv", "CATEGORIES_MISSING", "Anti-social behaviour .*Robbery .*Vehicle crime .*Violence"),
        (street(*[crime()] * 2000), "2024-01-metropolitan-street.csv", "AREAS_MISSING", "31 of the 32"),
    ):  # fmt: skip
        with refused_with(code, match=named):
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
