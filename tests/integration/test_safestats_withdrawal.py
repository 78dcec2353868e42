"""A withdrawn file of SafeStats: nothing reads it, and a withdrawal that was cut off is put right."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from ingest import landing
from tests.queries import rows
from tests.refused import refused_with
from tests.safestats_files import ambulance, land
from warehouse import runs, steps
from warehouse.build.transform import inputs
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.steps import step


def test_a_withdrawn_file_is_read_by_no_build_night_or_rebuild_until_it_is_landed_again(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse.model_copy(update={"today": dt.date(2026, 11, 22)})
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    this = ("safestats", "ambulance_incidents")
    first = land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    before = inputs(warehouse).fingerprint
    mistaken = land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50), "not-ours-2026-10.csv")
    again = steps.withdraw(*this, mistaken.load_id, "not London's", "the owner")
    assert re.match(r"file [0-9a-f]{12}: loaded 40 rows \(load 3, ", str(again))
    assert rows(warehouse, "select count(*), min(_load_id) from raw.safestats__ambulance_incidents") == [(40, 3)]
    assert inputs(warehouse).fingerprint == before, "the next build is of what it would have been without the file"
    assert rows(warehouse, "select load_id, withdrawn_at::date, withdrawn_by, reason from ops.withdrawal") == [
        (mistaken.load_id, dt.date(2026, 11, 22), "the owner", "not London's")
    ]
    ((line),) = status.withdrawals(warehouse)
    (sha256,) = rows(warehouse, "select sha256 from ops.load where load_id = 2")[0]
    assert (line["file_name"], line["reason"], line["is_still_published"]) == (
        sha256[:12],
        "not London's",
        False,
    )

    (kept,) = landing.find_by_name(warehouse.landing, *this, "not-ours-2026-10.csv")
    assert [file.provenance.file_name for file in landing.every_file(warehouse.landing)] == ["feed-2026-10.csv"]
    with refused_with("FILE_WITHDRAWN", match=r"2026-11-22 by the owner \(not London's\)"):
        steps.load("night", *this, [kept])
    for load_id, state in (
        (first.load_id, "superseded"),
        (mistaken.load_id, "withdrawn"),
        (99, ""),
    ):
        with refused_with("LOAD_IN_ANOTHER_STATE", match=f"load {load_id} .*{state}"):
            steps.withdraw(*this, load_id, "a slip", "me")

    said = str(land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50)))
    assert "withdrawn on 2026-11-22 by the owner (not London's), and now stands again" in said
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(50,)]
    assert status.withdrawals(warehouse) == []
    assert len(list(landing.every_file(warehouse.landing))) == 3, "a rebuild takes it, and after the other"


def test_a_withdrawal_is_whole_or_not_there_and_what_was_cut_off_is_put_right(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = warehouse.model_copy(update={"today": dt.date(2026, 11, 22)})
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    this = ("safestats", "ambulance_incidents")
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50), "not-ours-2026-10.csv")
    ((before,), (path,)) = (
        landing.find_by_name(warehouse.landing, *this, name) for name in ("feed-2026-10.csv", "not-ours-2026-10.csv")
    )
    file = warehouse.landing / path
    states = "select state from ops.load order by load_id"

    def withdraw(load_id: int, reason: str = "not\nLondon's", by: str = "the owner") -> str | None:
        return steps.withdraw(*this, load_id, reason, by)

    for words, option in (
        ((" \n",), "--reason"),
        (("a\udcff",), "--reason"),
        (("why", ""), "--by"),
    ):
        with refused_with("OPTION_INVALID", match=option):
            withdraw(2, *words)
    # Its bytes are not there: the release before cannot take the place of what would go.
    (warehouse.landing / before).rename(tmp_path / "aside")
    with refused_with("LANDED_FILE_NOT_THERE", where=before):
        withdraw(2)
    (tmp_path / "aside").rename(warehouse.landing / before)
    assert rows(warehouse, states) == [("superseded",), ("loaded",)]
    assert (landing.read_withdrawal(file), status.withdrawals(warehouse)) == (None, [])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut_off:
        cut_off.setattr(landing, "note_withdrawal", killed)
        with pytest.raises(KeyboardInterrupt):
            withdraw(2)
    assert rows(warehouse, states) == [("superseded",), ("withdrawn",), ("loaded",)]
    assert landing.read_withdrawal(file) is None
    assert withdraw(2) is None, "the same again puts it right"
    note = landing.read_withdrawal(file)
    assert note is not None
    assert (note["withdrawn_by"], note["reason"]) == ("the owner", r"not\x0aLondon's")
    assert withdrawn_when(warehouse) == note["withdrawn_at"]

    # So does whatever reads landing: none of them takes the bytes back silently.
    landing.clear_withdrawal(file)
    with refused_with("FILE_WITHDRAWN", match=r"ambulance_incidents, file [0-9a-f]{12}: .*2026-11-22 by the owner "):
        steps.replay(*this, file=path)
    landing.clear_withdrawal(file)
    again = steps.replay(*this)
    assert again == {"files": 1, "rows": 40, "editions": ["2026-11-22"], "refused": [], "withdrawn": [path]}
    assert withdraw(4) is None, "nothing stands before it"
    with refused_with("LANDED_FILE_NOT_THERE", match=f"{before}, {path}"):
        steps.replay(*this)
    landing.clear_withdrawal(file)
    monkeypatch.setattr(runs, "build_and_publish", lambda *_, **__: True)
    runs.rebuild(warehouse, print)
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]

    # A note of bytes that stand, as a command left it that was killed after it and before its commit, is not believed.
    for put_right in (
        lambda: land(warehouse, tmp_path, "ambulance_incidents", ambulance()),
        lambda: steps.begin("night", ["safestats"]),
    ):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance())
        landing.note_withdrawal(warehouse.landing / before, warehouse.now(), "the owner", "cut off")
        put_right()
        assert landing.read_withdrawal(warehouse.landing / before) is None


def withdrawn_when(warehouse: Settings) -> str:
    ((moment,),) = rows(warehouse, "select withdrawn_at from ops.withdrawal where load_id = 2")
    assert isinstance(moment, dt.datetime)
    return moment.isoformat()


def test_until_the_next_build_the_newest_published_month_is_that_of_what_was_withdrawn(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step, "settings", lambda: warehouse)
    land(warehouse, tmp_path, "ambulance_incidents", ambulance().replace("/10/2026", "/09/2026"), "feed-2026-09.csv")
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    with connect(warehouse, ADMIN) as connection:
        connection.execute(
            """insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values ('one', '', '', 'real');
               insert into ops.candidate_load select 'one', load_id from ops.load;
               insert into ops.release (candidate_id, verdict, state, judged_at, published_at, code_version, data_kind)
               values ('one', 'passed', 'published', now(), now(), '', 'real');
               update ops.dataset set newest_published_month = '2026-10-01' where dataset = 'ambulance_incidents'"""
        )
    months = """select newest_period_start_date, newest_loaded_period_start_date from marts.data_status
                where dataset = 'ambulance_incidents'"""
    assert rows(warehouse, months) == [(dt.date(2026, 10, 1), dt.date(2026, 10, 1))]
    steps.withdraw("safestats", "ambulance_incidents", 2, "not London's", "the owner")
    assert rows(warehouse, months) == [(dt.date(2026, 10, 1), dt.date(2026, 9, 1))]
    steps.withdraw("safestats", "ambulance_incidents", 1, "nor this", "the owner")
    state = months.replace("newest_loaded_period_start_date", "newest_loaded_period_start_date, state, fetched_at")
    assert rows(warehouse, state) == [(dt.date(2026, 10, 1), None, "missing", None)]
