"""The audit trail: what is written into it, that nobody may change it, and that whoever does all the same is found out."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from tests.candidates import build, judge, judged, pair, read
from tests.homes import Home
from tests.refused import refused_with
from warehouse import exports
from warehouse.cli import access as commands
from warehouse.cli import main
from warehouse.platform import audit
from warehouse.platform.connection import (
    ADMIN,
    ANALYST,
    AUDITOR,
    LOADER,
    LOGIN_ROLES,
    OPEN,
    PUBLISHER,
    connect,
)
from warehouse.platform.settings import Settings
from warehouse.publish import publish, roll_back
from warehouse.reports import statement, watch

EVENTS = "create table candidate.rpt_ed_attendance (area_code text primary key, attendance_count integer)"


@pytest.fixture
def written(warehouse: Settings) -> Settings:
    """A warehouse whose trail has four rows."""
    for number in range(1, 5):
        audit.write(warehouse, ANALYST, "export", f"export {number}", why="a test", rows=number)
    return warehouse


def acts(settings: Settings) -> list[tuple[str, str, str]]:
    """Action, role and subject of each row of the trail, the oldest first."""
    return [(row["action"], row["role_name"], row["subject"]) for row in reversed(audit.rows(settings, AUDITOR))]


def test_each_row_holds_the_hash_of_the_one_before_and_says_whose_session_wrote_it(written: Settings) -> None:
    rows = read(
        written,
        "select audit_id, person, role_name, written_by, why, detail, previous_hash, hash from ops.audit order by 1",
        AUDITOR,
    )
    assert [row[0] for row in rows] == [1, 2, 3, 4]
    assert [row[6] for row in rows] == ["", *(row[7] for row in rows[:3])]
    assert {row[1:5] for row in rows} == {(audit.person(), ANALYST, PUBLISHER, "a test")}
    assert [row[5] for row in rows] == [{"rows": number} for number in range(1, 5)]
    assert audit.check(written, AUDITOR) == (4, None)


LIES = {
    "a row is changed": (
        "update ops.audit set why = 'nothing' where audit_id = 2",
        2,
        "its hash is not that of what it says",
    ),
    "a detail is changed": (
        "update ops.audit set detail = '{}' where audit_id = 3",
        3,
        "its hash is not that of what it says",
    ),
    "a moment is changed": (
        "update ops.audit set happened_at = happened_at - interval '1 ms' where audit_id = 1",
        1,
        "its hash is not that of what it says",
    ),
    "a row is taken out": ("delete from ops.audit where audit_id = 2", 2, "row 2 is not there: row 3 follows row 1"),
    "the first row is taken out": (
        "delete from ops.audit where audit_id = 1",
        1,
        "row 1 is not there: row 2 follows row 0",
    ),
    "the end is cut off": (
        "delete from ops.audit where audit_id > 2",
        3,
        "it was noted outside the database, and the trail ends with row 2",
    ),
    "all of it is gone": (
        "delete from ops.audit",
        1,
        "it was noted outside the database, and the trail ends with row 0",
    ),
    "a row is written anew with its hash": (
        """delete from ops.audit where audit_id = 4; select ops.write_audit('p', 'r', 'a', 's', '', '{}')""",
        4,
        "another hash was noted of it outside the database",
    ),
    "a row is put in": (
        """insert into ops.audit select 5, now(), 'p', 'r', 'w', 'a', 's', '', '{}', 'x', 'y'""",
        5,
        "it does not hold the hash of the row before it",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_administrator_who_rewrites_the_trail_is_found_out_by_the_first_row_that_does_not_fit(
    written: Settings, lie: str
) -> None:
    statement, number, problem = LIES[lie]
    with connect(written, ADMIN) as connection:
        connection.execute(
            f"alter table ops.audit disable trigger all; {statement}; alter table ops.audit enable trigger all".encode()
        )
    _, misfit = audit.check(written, AUDITOR)
    assert misfit == audit.Misfit(number, problem)
    found = [one for one in watch.find_problems(written) if one.code == "AUDIT_BROKEN"]
    assert [one.key for one in found] == [f"audit {number}"]


def test_nobody_changes_the_trail_and_its_owner_does_not_by_mistake(written: Settings) -> None:
    for role in (*LOGIN_ROLES[:-1], ADMIN):
        for change in ("update ops.audit set why = ''", "delete from ops.audit", "truncate ops.audit"):
            with connect(written, role) as connection:
                connection.execute("set transaction read write")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(change.encode())
    for role in set(LOGIN_ROLES[:-1]) - {AUDITOR, PUBLISHER, "vru_gate"}:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            read(written, "select * from ops.audit", role)
    assert len(acts(written)) == 4


def test_who_may_write_rows_cannot_say_that_another_session_did(written: Settings) -> None:
    with connect(written, LOADER) as connection:
        audit.record(connection, PUBLISHER, "publish", "release 1", by="somebody else")
    assert read(written, "select person, role_name, written_by from ops.audit where audit_id = 5", AUDITOR) == [
        ("somebody else", PUBLISHER, LOADER)
    ]


def test_two_who_write_at_once_make_one_chain(written: Settings) -> None:
    with connect(written, LOADER) as first, connect(written, PUBLISHER) as second:
        audit.record(first, LOADER, "accept", "load 1")
        second.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            audit.record(second, PUBLISHER, "publish", "release 1")
    audit.write(written, PUBLISHER, "publish", "release 1")
    assert audit.check(written, AUDITOR) == (6, None)


def test_the_head_is_noted_outside_the_database_once_and_said_in_a_line(written: Settings) -> None:
    lines = audit.heads(written).read_text().splitlines()
    assert [json.loads(line)["audit_id"] for line in lines] == [1, 2, 3, 4]
    (last,) = read(written, "select hash from ops.audit where audit_id = 4", AUDITOR)
    assert audit.note_head(written) == f"audit trail: 4 rows, the last {last[0]}"
    assert len(audit.heads(written).read_text().splitlines()) == 4
    audit.heads(written).write_text("what is no line of ours\n")
    _, misfit = audit.check(written, AUDITOR)
    assert misfit == audit.Misfit(0, "it was noted outside the database, and the trail ends with row 4")


def test_a_query_of_restricted_tables_is_written_down_by_its_hash_before_it_is_asked_and_others_are_not(
    warehouse: Settings,
) -> None:
    publish(warehouse, judged(warehouse, [("rpt_ed_attendance", EVENTS, [("E09000007", 3)])]))
    for role, query in (
        (ANALYST, "select * from marts.data_status"),
        (ANALYST, "show statement_timeout"),
        (OPEN, "select * from marts_open.publication"),
        (ANALYST, "select attendance_count from marts.rpt_ed_attendance where area_code = 'E09000007'"),
        (ANALYST, "with a as (select * from marts_history.rpt_ed_attendance_as_of(1)) select count(*) from a"),
        (LOADER, "select count(*) from raw.safestats__ed_istv"),
    ):
        statement.run(warehouse, role, query)
    assert acts(warehouse) == [
        ("query", ANALYST, "marts.rpt_ed_attendance"),
        ("query", ANALYST, "marts.rpt_ed_attendance, marts_past.rpt_ed_attendance"),
        ("query", LOADER, "raw.safestats__ed_istv"),
    ]
    assert "E09000007" not in json.dumps(audit.rows(warehouse, AUDITOR), default=str)


def test_a_query_that_cannot_be_written_down_is_not_asked(warehouse: Settings) -> None:
    with connect(warehouse, ADMIN) as connection:
        connection.execute("revoke execute on function ops.write_audit from vru_publisher")
    with refused_with("SQL_INVALID", match="permission denied for function write_audit"):
        statement.run(warehouse, LOADER, "select count(*) from raw.safestats__ed_istv")


def test_a_rollback_and_a_publish_that_overrules_it_are_written_down(warehouse: Settings) -> None:
    first = publish(warehouse, judged(warehouse, pair(1)))
    second = judged(warehouse, pair(2), fingerprint="two")
    publish(warehouse, second)
    back = roll_back(warehouse, first.release_id)
    again = build(warehouse, pair(2), fingerprint="two")
    judge(warehouse, again)
    publish(warehouse, again, force=True)
    found = acts(warehouse)
    assert found[0] == ("rollback", PUBLISHER, f"release {back.release_id}")
    assert [one[:2] for one in found] == [("rollback", PUBLISHER), ("publish", PUBLISHER)]
    assert "rolled back from release" in audit.rows(warehouse, AUDITOR)[0]["why"]


def test_an_export_is_written_down_with_its_tables_and_rows(first_night: Home, tmp_path: Path) -> None:
    exports.export(first_night.settings, ("dim_borough", "rpt_ed_attendance"), "csv", tmp_path / "out")
    newest = audit.rows(first_night.settings, AUDITOR, 1)[0]
    assert (newest["action"], newest["role_name"], newest["subject"]) == ("export", ANALYST, "marts as csv")
    assert newest["detail"]["tables"]["dim_borough"] == 32


def test_vru_audit_prints_the_trail_and_its_check_ends_red_where_it_does_not_fit(written: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "settings", lambda: written)
        fits = CliRunner().invoke(main, ["audit", "--check", "--json"])
        listed = json.loads(CliRunner().invoke(main, ["audit", "--json", "--limit", "2"]).output)
        with connect(written, ADMIN) as connection:
            connection.execute("alter table ops.audit disable trigger all; delete from ops.audit where audit_id = 2")
        broken = CliRunner().invoke(main, ["audit", "--check"])
    assert json.loads(fits.output) == {"rows": 4, "fits": True}
    assert [row["subject"] for row in listed] == ["export 4", "export 3"]
    assert broken.exit_code == 1
    assert "[AUDIT_BROKEN]" in broken.output
    with refused_with("PASSWORD_MISSING"):
        audit.rows(written.model_copy(update={"secrets_dir": written.home}), AUDITOR)
