"""Events of SafeStats: which month a file is of, and events and files that come again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.integration.test_command_line import vru
from tests.queries import rows
from tests.refused import refused_with
from tests.safestats_files import AMBULANCE, EVENTS, ISTV, SAFESTATS, ambulance, land
from warehouse.platform.settings import Settings


def test_a_file_whose_name_says_no_month_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    with refused_with("NAME_UNKNOWN"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance(), "feed.csv")


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("las-2026-10_created-2026-11-03.csv", "2026-10"), ("2026-10-31 las.csv", "2026-10"),
        ("las 12026-01 2026-10.csv", "2026-10"),
    ],
)  # fmt: skip
def test_the_first_month_in_a_name_is_the_month_of_the_file(
    warehouse: Settings, tmp_path: Path, name: str, month: str
) -> None:
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(), name)
    assert rows(warehouse, "select part, state from ops.load") == [(month, "loaded")]


def days(*of: str) -> str:
    """An ambulance feed of an event on each of these days."""
    return AMBULANCE + "".join(f"{n},{day},21:15,Assault,20,M,Barnet,\n" for n, day in enumerate(of))


@pytest.mark.parametrize(
    ("name", "text", "figures"),
    [
        (
            "las-2026-09.csv",
            days(*["12/08/2026"] * 400),
            r"2026-09 .* 0 of its 400 .* 2026-08 \(400\)$",
        ),
        (
            "created-2026-11-03_las-2026-10.csv",
            ambulance(),
            r"2026-11 .* 0 of its 40 .* 2026-10 \(40\)$",
        ),
        (
            "las-2026-10.csv",
            days("12/10/2026", "13/09/2026", "14/09/2026"),
            r"2026-10 .* 1 of its 3 .* 2026-09 \(2\), 2026-10 \(1\)$",
        ),
        # The first twelve days of January as an American writes them: each lies in another month.
        (
            "las-2026-01.csv",
            days(*(f"01/{day:02d}/2026" for day in range(1, 13)), "01/05/2026"),
            r"2026-01 .* 1 of its 13 .* 2026-05 \(2\), 2026-01 \(1\), 2026-02 \(1\), 2026-03 \(1\), 2026-04 \(1\) and 7 other",
        ),
    ],
)
def test_a_file_most_of_whose_events_lie_in_other_months_is_refused_and_no_month_becomes_zeros(
    warehouse: Settings, tmp_path: Path, name: str, text: str, figures: str
) -> None:
    with refused_with("NAME_DIFFERS_FROM_ROWS") as refused:
        land(warehouse, tmp_path, "ambulance_incidents", text, name)
    assert re.search(figures, refused.value.problem), refused.value.problem
    assert rows(warehouse, "select state, rows_loaded from ops.load") == [("refused", 0)]
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


def test_as_many_events_in_the_month_as_outside_it_are_of_the_month(warehouse: Settings, tmp_path: Path) -> None:
    text = days("12/10/2026", "13/10/2026", "30/09/2026", "01/11/2026")
    assert land(warehouse, tmp_path, "ambulance_incidents", text).rows == 4


def test_an_event_that_comes_again_is_quarantined_whatever_it_says_the_second_time(
    warehouse: Settings, tmp_path: Path
) -> None:
    same = "7,12/10/2026,21:15,Assault,20,M,Camden,a name"
    done = land(warehouse, tmp_path, "ambulance_incidents", ambulance(same, same.replace("Camden", "Barnet")))
    assert (done.rows, done.quarantined) == (40, 2)
    # Its number is personal, so it is not repeated.
    assert rows(
        warehouse, "select row_number, column_name, value, reason from quarantine.refused_row order by row_number"
    ) == [
        (41, "the row", None, "stands already in row 8"),
        (42, "the row", None, "stands already in row 8, and says something else there"),
    ]
    assert rows(
        warehouse, "select event_id, borough_name from raw.safestats__ambulance_incidents where event_id = '7'"
    ) == [("7", "Camden")]


def test_a_file_whose_events_all_came_three_times_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    with refused_with("ROW_REPEATED", match=r"row 41, .* row 1; .* 75 more"):
        land(warehouse, tmp_path, "ambulance_incidents", ambulance() + 2 * ambulance().removeprefix(AMBULANCE))
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(0,)]


def test_every_feed_whose_events_have_a_number_takes_each_number_once() -> None:
    key = {name: SAFESTATS.dataset(name).layout.unique for name in EVENTS}
    # Assaults that a hospital shares have no number; two that agree in everything may be two people.
    assert key == {name: () if name == "ed_istv" else ("event_id",) for name in EVENTS}


def test_two_people_hurt_in_one_fight_are_two(warehouse: Settings, tmp_path: Path) -> None:
    line = "XYZ01,12/10/2026,21:15,Fist/punch,Public place/street,Camden\n"
    assert land(warehouse, tmp_path, "ed_istv", ISTV + 2 * line).rows == 2


def test_a_newer_file_of_a_month_takes_the_place_of_the_older(warehouse: Settings, tmp_path: Path) -> None:
    land(warehouse, tmp_path, "ambulance_incidents", ambulance())
    land(warehouse, tmp_path, "ambulance_incidents", ambulance(ordinary=50))
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_incidents") == [(50,)]
    assert rows(warehouse, "select state from ops.load order by load_id") == [("superseded",), ("loaded",)]


def test_the_name_of_a_file_of_persons_is_in_no_report(warehouse: Settings, tmp_path: Path) -> None:
    good, bad = tmp_path / "jane-example-2026-10.csv", tmp_path / "john-example-2026-10.csv"
    good.write_text(ambulance(), encoding="utf-8")
    bad.write_text(ambulance("x,12/10/2026,21:15,Assault,20,M,Camdem,"), encoding="utf-8")
    landed = vru(warehouse, "land", "safestats", "ambulance_incidents", str(good), str(bad), "--synthetic")
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in (good, bad)]
    assert landed.stdout.startswith(f"file {hashes[0]}: loaded 40 rows")
    assert f"\nfile {hashes[1]}: loaded 40 rows" in landed.stdout
    listed = [
        vru(warehouse, command, *options).stdout for command in ("loads", "quarantine") for options in ((), ("--json",))
    ]
    assert all(hashes[1] in told for told in listed)
    reports = [landed.stdout, landed.stderr, vru(warehouse, "status").stdout, *listed]
    assert [told for told in reports if "-example" in told] == []
