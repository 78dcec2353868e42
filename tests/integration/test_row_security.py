"""A borough analyst sees restricted rows of its own boroughs and of no other, by whatever way it asks."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from ingest.declaration import SEEDS
from tests.candidates import Rows, build, judge, judged, read
from tests.refused import refused_with
from warehouse.home import setup
from warehouse.platform import access, audit
from warehouse.platform.connection import ADMIN, ANALYST, BI, GATE, STEWARD, TRANSFORMER, connect
from warehouse.platform.declared import declaration
from warehouse.platform.settings import Settings
from warehouse.publish import publish, rights, roll_back

JANE = "jane_of_camden"
CAMDEN, HACKNEY, BARNET = "E09000007", "E09000012", "E09000003"
MEASURE = """create table candidate.dim_measure (measure_code text primary key, publish_rule text not null)"""
FACT = """create table candidate.fct_measure (area_code text, measure_code text, value integer, version integer, primary key (area_code, measure_code))"""
EVENTS = """create table candidate.rpt_ed_attendance (area_code text primary key, attendance_count integer)"""
BY_ROW = """create table candidate.rpt_sna_facts (area_code text, publish_rule text, window_count integer, primary key (area_code, publish_rule))"""
AREAS = (CAMDEN, HACKNEY, BARNET, "LONDON_32", "UNALLOCATED")
FACTS = "select area_code, measure_code from {} order by 1, 2"


def tables(version: int = 1, areas: tuple[str, ...] = AREAS) -> list[tuple[str, str, Rows]]:
    """Police counts that anybody may see, and counts of health that their owner lets out by a rule."""
    return [
        ("dim_measure", MEASURE, [("police", "open"), ("health", "suppress_1_to_7_round_5")]),
        (
            "fct_measure",
            FACT,
            [(area, measure, 10 + version, version) for area in areas for measure in ("police", "health")],
        ),
        ("rpt_ed_attendance", EVENTS, [(area, version) for area in areas]),
        (
            "rpt_sna_facts",
            BY_ROW,
            [(area, rule, version) for area in areas for rule in ("open", "suppress_1_to_7_round_5")],
        ),
    ]


def seen(settings: Settings, role: str, relation: str = "marts.fct_measure", measure: str = "health") -> list[str]:
    """The areas whose rows of a measure a role sees."""
    return [area for area, one in read(settings, FACTS.format(relation), role) if one == measure]


@pytest.fixture
def home(warehouse: Settings) -> Iterator[Settings]:
    """Two releases, and Jane, who is an analyst of Camden."""
    access.grant(warehouse, JANE, [CAMDEN], "needs assessment")
    try:
        publish(warehouse, judged(warehouse, tables(1)))
        publish(warehouse, judged(warehouse, tables(2)))
        yield warehouse
    finally:
        (warehouse.secrets / JANE).unlink(missing_ok=True)
        with connect(warehouse, ADMIN) as connection:
            connection.execute(f"drop role if exists {JANE}".encode())


def test_a_borough_analyst_sees_open_rows_its_own_boroughs_and_london_as_stored(home: Settings) -> None:
    for relation in ("marts.fct_measure", "marts_history.fct_measure_as_of(1)", "marts_history.fct_measure_as_of(2)"):
        assert seen(home, JANE, relation) == [CAMDEN, "LONDON_32"]
        assert seen(home, JANE, relation, "police") == sorted(AREAS)
        assert seen(home, ANALYST, relation) == sorted(AREAS)
    assert read(home, "select count(*) from marts_history.fct_measure where measure_code = 'health'", JANE) == [(4,)]
    assert read(home, "select count(*) from marts_history.fct_measure", ANALYST) == [(20,)]
    assert read(home, "select publish_rule, count(*) from marts.rpt_sna_facts group by 1 order by 1", JANE) == [
        ("open", 5),
        ("suppress_1_to_7_round_5", 2),
    ]


def test_a_row_that_may_be_one_person_is_shown_for_the_own_borough_alone(home: Settings) -> None:
    assert read(home, "select area_code from marts.rpt_ed_attendance", JANE) == [(CAMDEN,)]
    assert read(home, "select area_code from marts_history.rpt_ed_attendance_as_of(1)", JANE) == [(CAMDEN,)]


def test_roles_from_before_see_what_they_saw_and_a_bi_tool_sees_open_rows_alone(home: Settings) -> None:
    for role in (ANALYST, GATE):
        assert read(home, "select count(*) from marts.rpt_ed_attendance", role) == [(5,)]
        assert seen(home, role) == sorted(AREAS)
    with connect(home, ADMIN) as connection:
        connection.execute("grant select on marts.fct_measure, marts.rpt_ed_attendance to vru_bi, vru_steward")
    assert (seen(home, BI), seen(home, BI, measure="police")) == ([], sorted(AREAS))
    assert read(home, "select count(*) from marts.rpt_ed_attendance", BI) == [(0,)]
    assert seen(home, STEWARD) == sorted(AREAS)


def test_membership_is_given_for_a_time_changed_at_once_and_written_down(home: Settings) -> None:
    with connect(home, JANE, autocommit=True) as session:
        areas = "select area_code from marts.rpt_ed_attendance order by 1"
        access.grant(home, JANE, [HACKNEY, BARNET], "a joint assessment", until=home.london_date())
        assert session.execute(areas.encode()).fetchall() == [(BARNET,), (CAMDEN,), (HACKNEY,)]
        access.revoke(home, JANE, [HACKNEY], "it is done")
        assert session.execute(areas.encode()).fetchall() == [(BARNET,), (CAMDEN,)]
        with connect(home, ADMIN) as connection:
            connection.execute(
                "update ops.borough_membership set valid_from = valid_from - interval '2 days', valid_to = now() - interval '1 s' where borough_code = %s",
                [BARNET],
            )
        assert session.execute(areas.encode()).fetchall() == [(CAMDEN,)]
    assert [(row["borough_code"], row["why"]) for row in access.memberships(home, JANE)] == [
        (CAMDEN, "needs assessment")
    ]
    assert len(access.memberships(home, JANE, past=True)) == 3
    assert [(row["action"], row["subject"], row["detail"]["boroughs"]) for row in audit.rows(home, ADMIN)] == [
        ("revoke", JANE, [HACKNEY]),
        ("grant", JANE, [HACKNEY, BARNET]),
        ("grant", JANE, [CAMDEN]),
    ]


def test_with_its_last_borough_a_login_ends_and_comes_back_with_another_password(home: Settings) -> None:
    before = (home.secrets / JANE).read_text()
    with connect(home, JANE, autocommit=True) as session:
        assert access.revoke(home, JANE, [], "left") == []
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    with refused_with("PASSWORD_MISSING"), connect(home, JANE):
        pass
    access.grant(home, JANE, [HACKNEY], "is back")
    assert (home.secrets / JANE).read_text() != before
    assert seen(home, JANE) == [HACKNEY, "LONDON_32"]


WAYS_ROUND = [
    "select most_common_vals::text from pg_stats where schemaname in ('marts', 'marts_past') and tablename = 'fct_measure'",
    "select * from pg_statistic",
    "select * from marts_past.fct_measure",
    "select * from candidate.fct_measure",
    "select * from ops.borough_membership",
    "update ops.borough_membership set borough_code = 'E09000012'",
    "set role vru_analyst",
    "set role vru_publisher",
    "set session authorization vru_analyst",
    "alter role current_user bypassrls",
    "alter table marts.fct_measure disable row level security",
    "drop policy sees_all on marts.fct_measure",
]


def test_no_way_round_leads_to_another_boroughs_rows(home: Settings) -> None:
    with connect(home, ADMIN, autocommit=True) as connection:
        connection.execute("analyze")
    led = []
    for way in WAYS_ROUND:
        with connect(home, JANE, autocommit=True) as session:
            session.execute("set default_transaction_read_only = off")
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
                cursor = session.execute(way.encode())
                if not cursor.description or cursor.fetchall():
                    led.append(way)
    assert led == []


def test_what_is_off_limits_is_refused_where_policies_are_switched_off_and_copied_as_it_is_seen(home: Settings) -> None:
    with connect(home, JANE) as session:
        session.execute("set row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select * from marts.fct_measure")
    with (
        connect(home, JANE) as session,
        session.cursor().copy("copy marts.rpt_ed_attendance (area_code) to stdout") as rows,
    ):
        assert [line.decode() if isinstance(line, bytes) else line for line in map(bytes, rows)] == [f"{CAMDEN}\n"]
    with connect(home, JANE) as session:
        session.execute("set role vru_borough_analyst")
        assert session.execute("select area_code from marts.rpt_ed_attendance").fetchall() == [(CAMDEN,)]


def test_policies_hold_after_a_rollback_a_new_column_a_view_and_a_set_up(home: Settings) -> None:
    roll_back(home, 1)
    assert seen(home, JANE) == [CAMDEN, "LONDON_32"]
    wider = [
        (
            name,
            statement.replace("version integer", "note text, version integer"),
            [(*row[:3], None, 3) for row in rows] if name == "fct_measure" else rows,
        )
        for name, statement, rows in tables(3)
    ]
    again = build(home, [*wider, ("rpt_revision", FACT.replace("fct_measure", "rpt_revision"), tables(1)[1][2])])
    with connect(home, TRANSFORMER) as connection:
        connection.execute(
            "create view candidate.rpt_borough_measure as select area_code, measure_code, value from candidate.fct_measure"
        )
    judge(home, again)
    publish(home, again)
    for relation in (
        "marts.fct_measure",
        "marts.rpt_revision",
        "marts.rpt_borough_measure",
        "marts_history.rpt_borough_measure_as_of(4)",
    ):
        assert seen(home, JANE, relation) == [CAMDEN, "LONDON_32"]
        assert seen(home, ANALYST, relation) == sorted(AREAS)
    with connect(home, ADMIN) as connection:
        connection.execute("update ops.set_up set fingerprint = ''")
    setup.set_up(home)
    assert seen(home, JANE) == [CAMDEN, "LONDON_32"]


def test_an_altered_policy_a_view_of_its_owners_rights_and_a_table_without_policies_are_found_and_repaired(
    home: Settings,
) -> None:
    with connect(home, ADMIN) as connection:
        (name,) = [
            name
            for (name,) in connection.execute(
                "select polname from pg_policy where polrelid = 'marts.fct_measure'::regclass"
            )
            if str(name).startswith("own_boroughs")
        ]
        connection.execute(
            f"""alter policy {name} on marts.fct_measure using (true);
                alter table marts_past.fct_measure disable row level security;
                create policy mine on marts.rpt_ed_attendance using (true);
                create or replace view marts_history.fct_measure as
                    select area_code, measure_code, value, version, valid_from_release_id, valid_to_release_id from marts_past.fct_measure;
                alter view marts_history.rpt_ed_attendance set (security_invoker = true);
                create policy mine on marts.dim_measure using (false);
                alter table marts.dim_measure enable row level security""".encode()
        )
    assert seen(home, JANE) == sorted(AREAS)
    assert setup.set_up(home) == {
        "marts.dim_measure": ["hides rows that are open"],
        "marts.fct_measure": [f"has an altered policy {name}"],
        "marts.rpt_ed_attendance": ["has the policy mine"],
        "marts_history.fct_measure": ["shows other rows than declared"],
        "marts_history.rpt_ed_attendance": ["has the rights of who asks"],
        "marts_past.fct_measure": ["shows every row"],
    }
    assert seen(home, JANE) == [CAMDEN, "LONDON_32"]
    assert seen(home, JANE, "marts.fct_measure", "police") == sorted(AREAS)
    with connect(home, ADMIN) as connection:
        assert rights.row_differences(connection) == []


def test_where_no_dimension_says_what_is_open_a_borough_analyst_sees_no_other_borough(warehouse: Settings) -> None:
    access.grant(warehouse, JANE, [CAMDEN], "needs assessment")
    try:
        publish(warehouse, judged(warehouse, tables()[1:2]))
        assert seen(warehouse, JANE, measure="police") == [CAMDEN, "LONDON_32"]
    finally:
        (warehouse.secrets / JANE).unlink()
        with connect(warehouse, ADMIN) as connection:
            connection.execute(f"drop role {JANE}".encode())


def test_policies_leave_an_analysts_plan_as_it_was(home: Settings) -> None:
    def plan() -> Rows:
        return read(
            home, "explain select sum(value) from marts.fct_measure where area_code = 'E09000007' and value / 2 > 1"
        )

    secured = plan()
    with connect(home, ADMIN) as connection:
        connection.execute("alter table marts.fct_measure disable row level security")
    assert plan() == secured


@pytest.mark.parametrize(
    ("login", "borough", "why", "code"),
    [
        ("Jane", "Camden", "x", "LOGIN_INVALID"),
        ("vru_jane", "Camden", "x", "LOGIN_INVALID"),
        ("postgres_reader", "Camden", "x", "LOGIN_INVALID"),
        (JANE, "Camdem", "x", "BOROUGH_UNKNOWN"),
        (JANE, "E09000001", "x", "BOROUGH_UNKNOWN"),
        (JANE, "Camden", " ", "OPTION_INVALID"),
    ],
)
def test_access_is_not_given_to_a_name_that_is_none_for_a_place_that_is_no_borough_or_for_no_reason(
    warehouse: Settings, login: str, borough: str, why: str, code: str
) -> None:
    with refused_with(code):
        access.grant(warehouse, login, list(access.boroughs([borough])), why)
    with refused_with("OPTION_INVALID"):
        access.grant(warehouse, JANE, [CAMDEN], "x", until=warehouse.london_date() - dt.timedelta(days=1))
    with refused_with("MEMBERSHIP_NOT_THERE"):
        access.revoke(warehouse, JANE, [CAMDEN], "x")
    assert read(warehouse, "select count(*) from ops.borough_membership", ADMIN) == [(0,)]
    assert not (warehouse.secrets / JANE).exists()


def test_a_role_that_is_no_borough_analysts_is_not_made_one(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute("create role someone_else nologin")
    try:
        with refused_with("LOGIN_INVALID"):
            access.grant(warehouse, "someone_else", [CAMDEN], "x")
    finally:
        with connect(warehouse, ADMIN) as connection:
            connection.execute("drop role someone_else")


# Of police and of indicators that are published as they are, all of them.
OF_OPEN_MEASURES = {
    "fct_indicator",
    "rpt_crime_outcome",
    "rpt_deprivation",
    "rpt_drivers",
    "rpt_hotspots",
    "rpt_priority_index",
    "series_break",
}


def test_every_mart_whose_rows_are_not_all_open_is_declared_with_its_area() -> None:
    declared = declaration().rows.tables
    tables = set()
    for file in sorted((SEEDS.parent / "models" / "marts").glob("*/*.yml")):
        (model,) = yaml.safe_load(Path(file).read_text(encoding="utf-8"))["models"]
        name, config, columns = model["name"], model.get("config", {}), {column["name"] for column in model["columns"]}
        if config.get("materialized") == "view":
            continue  # it has the rights of who asks
        is_open = (
            config.get("meta", {}).get("publish_rule", "open") == "open"
            and not {"area_code", "measure_code"} <= columns
        )
        if is_open or name in OF_OPEN_MEASURES:
            assert name not in declared, name
            continue
        tables.add(name)
        assert name in declared, (
            f"{name} may hold restricted rows: say which under rows of warehouse/platform/roles.yml"
        )
        rule = declared[name]
        assert (rule.area == "area_code") == ("area_code" in columns), name
        needed = {"measure": "measure_code", "source": "source", "row": "publish_rule"}.get(rule.open)
        assert needed is None or needed in columns, name
    assert tables == {*declared}
