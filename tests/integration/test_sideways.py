"""What a row of persons, a file of them or its name holds stands in no message, log, ledger, alert or page, whatever fails."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from expectations import gate as suites
from ingest.connectors import inbox
from tests.conftest import Server, warehouse_to_build
from tests.inbox_files import context_in
from tests.queries import rows
from warehouse import publish, steps
from warehouse.build import transform
from warehouse.platform.connection import ADMIN, PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.steps import step

MARKER = "ZQXMARKER"
HEADER = "Incident ID,Dispatch Date,Dispatch Time,Illness Code,Patient Age,Patient Gender,Borough,LSOA,Crew Notes\r\n"
GOOD = "".join(f"{n},{n % 28 + 1:02}/10/2026,21:{n % 60:02},Knife Injury,,,Brent,,\r\n" for n in range(1, 200))
# A row for each field, the marker in it: quarantined, or (notes and number) taken.
IN_EACH_FIELD = "".join(
    ",".join(f"{MARKER}{place}" if place == field else value for place, value in enumerate(good.split(","))) + "\r\n"
    for field in range(9)
    for good in [f"9{field},01/10/2026,21:00,Knife Injury,17,Male,Brent,,none"]
)
FILES = {
    f"las-2026-10-{MARKER}.csv": HEADER + GOOD + IN_EACH_FIELD,
    f"las-2026-09-{MARKER}.csv": HEADER + IN_EACH_FIELD,  # refused: too many rows are not as declared
    f"las-2026-08-{MARKER}.csv": HEADER.replace("Borough", MARKER) + GOOD,  # refused: its header
    f"las-2026-07-{MARKER}.csv": f"1,01/07/2026,21:00,Knife Injury,17,Male,{MARKER},,x\r\n",  # no header at all
    f"las-2026-06-{MARKER}.csv": HEADER + f'1,01/06/2026,"{MARKER}',  # cut within a row
    f"las-2026-05-{MARKER}.csv": HEADER.replace("Crew Notes", "Surname") + GOOD.replace(",\r\n", f",{MARKER}\r\n"),
    f"{MARKER}.json": json.dumps({"a": MARKER}),
}


def files_of(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).parts
        # Landing and the inbox hold files as they came; the database's own files are asked by SQL.
        if path.is_file() and below[0] not in {"landing", "inbox", "postgres"}:
            yield path


def texts_of(warehouse: Settings) -> Iterator[tuple[str, str]]:
    """Every row of every table of ops, quarantine, marts and marts_open, as text."""
    with connect(warehouse, ADMIN) as connection:
        for (table,) in connection.execute(
            """select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
               where n.nspname in ('ops', 'quarantine', 'marts', 'marts_open', 'intermediate') and c.relkind in ('r', 'v')"""
        ).fetchall():
            with contextlib.suppress(psycopg.Error), connection.transaction():
                for (text,) in connection.execute(
                    f"select t::text from {table} as t where t::text like '%{MARKER}%'"
                ).fetchall():
                    yield table, text


@pytest.fixture(scope="module")
def told(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, dict[str, str]]]:
    """A warehouse in which each kind of failure has happened, and what each said, with tracebacks as Airflow's log has them."""
    said: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("sideways")
    with warehouse_to_build(server, folder) as warehouse, pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "settings", lambda: warehouse)

        def happens(what: str, call: Callable[[], object]) -> None:
            try:
                returned = call()
            except Exception as error:  # noqa: BLE001 - whatever it is, what it says is looked at
                said[what] = "".join(traceback.format_exception(error)) + repr(error)
            else:
                said[what] = "passed: " + json.dumps(returned, default=str)

        context = dataclasses.replace(context_in(folder), inbox=warehouse.inbox, name="ambulance_incidents")
        box = warehouse.inbox / "safestats" / "ambulance_incidents"
        box.mkdir(parents=True)
        for name, body in FILES.items():
            (box / name).write_text(body, encoding="utf-8")
            os.utime(box / name, (time.time() - 60,) * 2)
        (box / f"{MARKER}-2026-04.csv").symlink_to(box / "nowhere")
        happens("check", lambda: [str(one) for one in inbox.check(context)])
        landed: list[str] = []
        happens("fetch", lambda: landed.extend(steps.fetch("night", "safestats", "ambulance_incidents")) or landed)
        happens("load", lambda: steps.load("night", "safestats", "ambulance_incidents", landed))

        # A value that no check of the door foresaw stands in raw.
        with connect(warehouse, ADMIN) as connection:
            connection.execute("update raw.safestats__ambulance_incidents set age = %s where _row_number = 1", [MARKER])
        happens("failed build", lambda: steps.build("night"))
        with connect(warehouse, ADMIN) as connection:
            connection.execute("update raw.safestats__ambulance_incidents set age = '17'")

        def unforeseen(*_: object, **__: object) -> None:
            with connect(warehouse, PUBLISHER) as connection:
                connection.execute("select %s::date", [MARKER])

        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(suites, "judge", unforeseen)
            happens("failed gate", lambda: steps.gate("night", "candidate"))
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(publish, "publish", unforeseen)
            happens("failed publish", lambda: steps.publish("night", "candidate"))
        happens("notify", lambda: steps.notify("night"))
        happens(
            "status",
            lambda: [
                str(one)
                for one in (status.loads(warehouse), status.refused_rows(warehouse, 100), status.warnings(warehouse))
            ],
        )
        yield warehouse, said


def test_every_kind_of_failure_happened(told: tuple[Settings, dict[str, str]]) -> None:
    warehouse, said = told
    codes = {
        "fetch": "passed", "load": "[", "failed build": "[BUILD_FAILED]", "failed gate": "[UNFORESEEN]",
        "failed publish": "[UNFORESEEN]", "notify": "passed", "status": "passed",
    }  # fmt: skip
    assert {what: code for what, code in codes.items() if code not in said[what]} == {}
    # Two never reach the loader: what carries names, and what is JSON.
    assert rows(warehouse, "select code, count(*)::int from ops.load where state = 'refused' group by 1 order by 1") == [
        ("FILE_DAMAGED", 1), ("HEADER_UNKNOWN", 1), ("NOT_THE_FILE", 1), ("VALUE_MALFORMED", 1),
    ]  # fmt: skip
    assert rows(warehouse, "select count(*) > 5 from quarantine.refused_row") == [(True,)]
    ((alert,),) = rows(warehouse, "select body from ops.alert")
    for code in ("PERSONAL_DATA", "INBOX_ENTRY_NOT_A_FILE", "BUILD_FAILED", "UNFORESEEN"):
        assert f"[{code}]" in alert


def test_no_failure_says_what_a_row_or_a_name_of_a_file_holds(told: tuple[Settings, dict[str, str]]) -> None:
    _, said = told
    assert {what: text for what, text in said.items() if MARKER in text} == {}


def test_no_table_of_the_operators_and_readers_holds_it(told: tuple[Settings, dict[str, str]]) -> None:
    warehouse, _ = told
    assert [(table, text[:300]) for table, text in texts_of(warehouse)] == []


def test_no_file_that_the_run_wrote_holds_it(told: tuple[Settings, dict[str, str]], server: Server) -> None:
    warehouse, _ = told
    assert transform.DBT_PROJECT.exists()
    wrong = [str(path) for path in files_of(warehouse.home) if MARKER.encode() in path.read_bytes()]
    log = server.settings.home / "postgres" / "log"
    wrong += [
        str(path)
        for path in ([log] if log.is_file() else log.rglob("*"))
        if path.is_file() and MARKER.encode() in path.read_bytes()
    ]
    assert wrong == []
