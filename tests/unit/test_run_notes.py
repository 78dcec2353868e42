"""The note of a run in Airflow's UI."""

from __future__ import annotations

import datetime as dt
from typing import Any

from warehouse.airflow.api import LONGEST_NOTE
from warehouse.airflow.notes import note

EARLY, LATE = dt.date(2026, 9, 30), dt.date(2026, 11, 5)


def _release(**changed: Any) -> dict[str, Any]:
    changes = {
        "fct_measure": {"inserted": 60, "updated": 4, "deleted": 0},
        "rpt_revision": {"inserted": 1200, "updated": 0, "deleted": 0},
        "dim_area": {"inserted": 0, "updated": 0, "deleted": 0},
    }
    return {"release_id": 7, "state": "published", "verdict": "warned", "row_changes": changes, **changed}


def test_a_note_says_what_was_published_what_is_new_and_what_went_wrong_by_code() -> None:
    new = [("mps borough_recent", 1, LATE, LATE), ("police_uk street", 3, EARLY, LATE)]
    problems = [("PUBLISHER_DOWN", "fetch", "fingertips data"), ("MONTH_SET_ASIDE", "set aside", "mps borough_recent")]
    assert note(_release(), new, problems).split("\n\n") == [
        "Release 7 published, verdict warned.",
        "Failed, held or set aside: PUBLISHER_DOWN fetch fingertips data; MONTH_SET_ASIDE set aside mps borough_recent",
        "New editions: mps borough_recent 2026-11-05; police_uk street 3 editions, 2026-09-30 to 2026-11-05",
        "Rows changed: rpt_revision 1,200, fct_measure 64",
    ]


def test_a_release_that_the_gate_blocked_is_called_held() -> None:
    held = _release(state="judged", verdict="blocked", row_changes=None)
    assert note(held, [], [("GATE_HELD", "gate", "candidate")]).split("\n\n") == [
        "Release 7 held, verdict blocked.",
        "Failed, held or set aside: GATE_HELD gate candidate",
        "Rows changed: none",
    ]


def test_a_night_with_nothing_new_says_so() -> None:
    assert note(None, [], []) == "Nothing was published: nothing was new, or nothing was built."


def test_a_note_that_is_too_long_for_airflow_loses_its_end_and_never_what_went_wrong() -> None:
    many = {f"mart_{number}": {"inserted": number + 1} for number in range(200)}
    text = note(_release(row_changes=many), [], [("PUBLISHER_DOWN", "fetch", "mps vawg")])
    assert len(text) == LONGEST_NOTE
    assert text.endswith(" …")
    assert "PUBLISHER_DOWN fetch mps vawg" in text


def test_a_note_says_when_the_run_began_in_london() -> None:
    begun_at = dt.datetime(2026, 7, 1, 1, 30, tzinfo=dt.UTC)
    assert note(None, [], [], begun_at=begun_at) == (
        "Nothing was published: nothing was new, or nothing was built. Begun on 2026-07-01 at 02:30 in London."
    )
