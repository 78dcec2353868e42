"""Events of SafeStats, built once: what analysts and anyone read of them in the marts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import psycopg
import pytest

from tests.builds import build_and_publish, found_by
from tests.conftest import Server, warehouse_to_build
from tests.queries import rows
from tests.safestats_files import ISTV, ambulance, land
from warehouse.platform.connection import ANALYST, OPEN, connect
from warehouse.platform.settings import Settings

PLACED = "Incident Number,Date,Time,Illness,Age,Sex,LA Name,LSOA21CD\n"


TIMES = {
    "12/10/2026,21:15": ("exact", dt.datetime(2026, 10, 12, 20, 15, tzinfo=dt.UTC)),
    "2026-10-13,1:05:30": ("exact", dt.datetime(2026, 10, 13, 0, 5, 30, tzinfo=dt.UTC)),
    "14/10/2026,7": ("hour", dt.datetime(2026, 10, 14, 6, 0, tzinfo=dt.UTC)),
    "15/10/2026,": ("date_only", None),
    "16/10/2026,00:00": ("default_midnight", dt.datetime(2026, 10, 15, 23, 0, tzinfo=dt.UTC)),
    "25/10/2026,01:30": ("repeated_hour", dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)),
    "25/10/2026,00:59": ("exact", dt.datetime(2026, 10, 24, 23, 59, tzinfo=dt.UTC)),
    "25/10/2026,02:00": ("exact", dt.datetime(2026, 10, 25, 2, 0, tzinfo=dt.UTC)),
    "29/03/2026,01:30": ("impossible_hour", None),
    "29/03/2026,02:00": ("exact", dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC)),
}


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("events")
    with warehouse_to_build(server, folder) as settings:
        lines = [f"t{n},{time},Animal Bite,20,M,Camden," for n, time in enumerate(TIMES)]
        lines += ["o,12/10/2026,12:00,Assault,20,M,Outside London,", "u,12/10/2026,12:00,Knife Injury,20,M,,"]
        land(settings, folder, "ambulance_incidents", ambulance(*lines, "l,12/09/2026,12:00,Assault,20,M,Camden,"))
        # Both vintages of LSOA, one that is not London's, and a borough that the LSOA knows better.
        places = [",E01000001", ",E01033784", "Camden,E01000002", "Camden,E01099999", ",W01000001"]
        # Of one of them neither age nor sex is known: too few for the month to have no figures by age.
        text = PLACED + "".join(
            f"{n},01/09/2026,12:00,Gun Injury,{',' if n == 3 else '20,M'},{place}\n" for n, place in enumerate(places)
        )
        land(settings, folder, "ambulance_incidents", text, "feed-2026-09.csv")
        treated = [
            "1,Knife/sharp object,Own home,Camden",
            "1,Unknown,Public place/street,Camden",
            "2,Gun,Unknown,Barnet",
        ]
        text = "".join(f"XYZ0{line}\n".replace(",", ",12/10/2026,21:15,", 1) for line in (treated[0], *treated))
        land(settings, folder, "ed_istv", ISTV + text)
        assert build_and_publish(settings)
        yield settings


def test_a_local_time_says_what_it_is_worth(built: Settings) -> None:
    found = rows(
        built,
        "select time_quality, event_at from intermediate.int_safestats_event where row_number between 41 and 50 order by row_number",
    )
    assert found == list(TIMES.values())


def test_counts_by_month_reach_the_marts_with_zeros_and_what_has_no_borough(built: Settings) -> None:
    assert rows(
        built,
        """select area_code, value::int from marts.fct_measure
           where measure_code = 'safestats_las_violence_dispatches' and period_start_date = '2026-10-01'
             and area_code in ('E09000007', 'E09000008', 'E09000001', 'LONDON_32', 'UNALLOCATED', 'OUTSIDE_LONDON')
           order by area_code""",
    ) == [
        ("E09000001", 0), ("E09000007", 40), ("E09000008", 0), ("LONDON_32", 40), ("OUTSIDE_LONDON", 1), ("UNALLOCATED", 1),
    ]  # fmt: skip


def test_the_lsoa_says_the_borough_where_there_is_one(built: Settings) -> None:
    assert rows(
        built,
        """select row_number, area_code from intermediate.int_safestats_event
           where month_start_date = '2026-09-01' and code_label = 'Gun Injury' order by row_number""",
    ) == [(1, "E09000001"), (2, "E09000016"), (3, "E09000001"), (4, "E09000007"), (5, "UNALLOCATED")]


def test_a_month_of_which_no_file_has_come_is_not_counted_and_a_stray_event_in_no_month(built: Settings) -> None:
    assert rows(
        built,
        """select period_start_date, sum(value)::int from marts.fct_measure
           where measure_code = 'safestats_las_violence_dispatches'
             and area_code in ('LONDON_33', 'LONDON_32', 'E09000001', 'UNALLOCATED', 'OUTSIDE_LONDON')
           group by 1 order by 1""",
    ) == [(dt.date(2026, 9, 1), 5), (dt.date(2026, 10, 1), 42)]


def test_when_it_happened_is_told_by_londons_clock_and_against_the_hours_there_were(built: Settings) -> None:
    """September and October 2026 have 1,465 hours, the 25th of October 25 of them."""
    assert rows(
        built,
        """select dimension, dimension_value, event_count, known_count, share_percent, expected_share_percent, index_to_expected, months_held
           from marts.rpt_temporal_profile
           where measure_code = 'safestats_las_violence_dispatches' and area_code = 'E09000007'
             and dimension in ('hour', 'weekday', 'day_kind', 'time_quality', 'night_time_economy') order by 1, 2""",
    ) == [
        ("day_kind", "school_day", 41, 41, 100.0, 63.891, 156.5, 2),
        ("hour", "12", 1, 41, 2.439, 4.164, None, 2),
        ("hour", "21", 40, 41, 97.561, 4.164, None, 2),
        ("night_time_economy", "all other hours", 41, 41, 100.0, 84.3, 118.6, 2),
        ("time_quality", "exact", 41, 41, 100.0, None, None, 2),
        ("weekday", "1 Monday", 40, 41, 97.561, 13.106, 744.4, 2),
        ("weekday", "2 Tuesday", 1, 41, 2.439, 14.744, 16.5, 2),
    ]
    assert rows(
        built,
        "select hours from intermediate.int_temporal_hour where local_date = '2026-10-25' and local_hour in (0, 1, 2) order by local_hour",
    ) == [(1,), (2,), (1,)]


def test_attendances_are_told_by_weapon_and_place_beside_what_the_department_states_of_them(built: Settings) -> None:
    assert rows(
        built,
        """select site_code, area_code, weapon_group, place_group, attendance_count, site_count, weapon_stated_percent, place_stated_percent
           from marts.rpt_ed_attendance order by 1, 3""",
    ) == [
        ("XYZ01", "E09000007", "knife_or_sharp_object", "home", 2, 3, 66.7, 100.0),
        ("XYZ01", "E09000007", "unknown", "public_place", 1, 3, 66.7, 100.0),
        ("XYZ02", "E09000003", "firearm", "unknown", 1, 1, 100.0, 0.0),
    ]


def test_a_dispatch_counts_towards_every_measure_that_it_is_one_of(built: Settings) -> None:
    assert rows(
        built,
        """select measure_code, value::int from marts.fct_measure
           where measure_code ~ '^safestats_las_.*dispatches' and period_start_date = '2026-10-01' and area_code = 'E09000007'
             and value > 0 order by 1""",
    ) == [
        ("safestats_las_assault_dispatches", 40), ("safestats_las_dispatches", 48), ("safestats_las_violence_dispatches", 40),
    ]  # fmt: skip


def test_patients_are_counted_in_bands_of_five_years_and_those_of_unknown_age_are_kept(built: Settings) -> None:
    assert rows(
        built,
        """select sex, age_band, person_count, whole_count, share_percent, months_held, rate_per_100000, withheld_reason like '%2 of 12 months%'
           from marts.rpt_victim_profile
           where measure_code = 'safestats_las_violence_dispatches' and area_code = 'E09000007' order by 1, 2""",
    ) == [
        ("all", "0-24", 40, 41, 97.561, 2, None, True), ("all", "20-24", 40, 41, 97.561, 2, None, True),
        ("all", "all", 41, None, None, 2, None, True), ("all", "unknown", 1, 41, 2.439, 2, None, True),
        ("male", "0-24", 40, 41, 97.561, 2, None, True), ("male", "20-24", 40, 41, 97.561, 2, None, True),
        ("male", "all", 40, 41, 97.561, 2, None, True), ("unknown", "all", 1, 41, 2.439, 2, None, True),
        ("unknown", "unknown", 1, 41, 2.439, 2, None, True),
    ]  # fmt: skip


def test_a_month_that_came_twice_under_new_numbers_is_named(built: Settings) -> None:
    twice = """with october as (
                 update ops.load set rows_in_file = 2 * rows_in_file, rows_loaded = 2 * rows_loaded, rows_quarantined = 2 * rows_quarantined
                 where part = '2026-10' returning load_id
               )
               insert into intermediate.int_safestats_event
               select (jsonb_populate_record(e, jsonb_build_object('row_number', row_number + 1000))).* from intermediate.int_safestats_event as e
               where load_id in (select load_id from october)"""
    ((_, _, month, loaded, before, share),) = found_by(
        built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers", twice
    )
    assert (month, loaded, before, share) == (dt.date(2026, 10, 1), 106, 5, 1)
    grown = "update intermediate.int_safestats_event set event_at = now() + random() * interval '1 day'"
    assert found_by(built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers", twice, grown) == []
    assert found_by(built, "landing/safestats/delivery", "no_month_came_twice_under_new_numbers") == []


def test_an_analyst_reads_counts_and_no_event(built: Settings) -> None:
    with connect(built, ANALYST) as connection:
        assert connection.execute("select 1 from marts.fct_measure limit 1").fetchone() == (1,)
    for table in ("raw.safestats__ambulance_incidents", "staging.stg_safestats__ambulance_incidents",
                  "intermediate.int_safestats_event", "intermediate.int_safestats_event_month"):  # fmt: skip
        with connect(built, ANALYST) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select 1 from {table} limit 1".encode())


def test_anyone_sees_a_count_as_its_owners_rule_lets_it_out_and_nothing_else(built: Settings) -> None:
    with connect(built, OPEN) as connection:
        found = connection.execute(
            """select area_code, value::int, is_suppressed, publish_rule from marts_open.measure
               where measure_code = 'safestats_las_violence_dispatches' and period_start_date = '2026-10-01'
                 and area_code in ('E09000007', 'E09000008', 'LONDON_32', 'UNALLOCATED') order by area_code"""
        ).fetchall()
        assert found == [
            ("E09000007", 40, False, "suppress_1_to_7_round_5"),
            ("E09000008", 0, False, "suppress_1_to_7_round_5"),
            ("LONDON_32", 40, False, "suppress_1_to_7_round_5"),
            ("UNALLOCATED", None, True, "suppress_1_to_7_round_5"),
        ]
        counts = [0, 1, 7, 8, 12, 13, -1]
        by_rule = [
            [connection.execute("select marts_open.publishable(%s, %s)::int", [n, rule]).fetchone()[0] for n in counts]  # type: ignore[index]
            for rule in ("open", "suppress_1_to_7_round_5", "on_the_moon")
        ]
        assert by_rule == [counts, [0, None, None, 10, 10, 15, None], [None] * 7]
    # Every value of the marts is there, none that has a rule as it was counted, and those without one unchanged.
    assert rows(
        built,
        """select count(*) filter (where o.area_code is null), count(*) filter (where r.publish_rule = 'open' and o.value <> f.value),
                  count(*) filter (where r.publish_rule <> 'open' and o.value % 5 <> 0),
                  count(*) filter (where r.publish_rule <> 'open' and f.value between 1 and 7 and not o.is_suppressed),
                  count(*) filter (where o.is_suppressed and o.value is not null)
           from marts.fct_measure as f
           inner join marts.dim_measure as m using (measure_code)
           inner join (select distinct source, publish_rule from marts.dim_source) as r using (source)
           left join marts_open.measure as o
             using (area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity)""",
    ) == [(0, 0, 0, 0, 0)]
    for table in ("marts.fct_measure", "marts.dim_measure", "marts_history.fct_measure"):
        with connect(built, OPEN) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"select 1 from {table} limit 1".encode())


def test_no_event_stands_in_a_mart(built: Settings) -> None:
    columns = rows(
        built,
        """select distinct column_name from information_schema.columns
           where table_schema in ('marts', 'marts_open', 'marts_history')""",
    )
    assert not {"event_at", "event_date", "lsoa_code", "event_id", "age", "time_quality"} & {
        name for (name,) in columns
    }


def test_what_it_may_be_used_for_stands_beside_it(built: Settings) -> None:
    assert rows(
        built,
        """select distinct classification, publish_rule, legal_gateway from marts.dim_source where source = 'safestats'""",
    ) == [("OFFICIAL-SENSITIVE", "suppress_1_to_7_round_5", "information_sharing_agreement")]
