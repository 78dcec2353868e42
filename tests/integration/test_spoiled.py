"""What a person or a publisher spoils is refused at the door, or named here as the gate's to hold."""

from __future__ import annotations

from pathlib import Path

from tests.spoiled import WAYS, at_the_door
from warehouse.settings import Settings

# Nothing in such a file shows what is wrong with it, or nothing is: what stood before it, and beside it, must tell.
FOR_THE_GATE = {
    "a borough has its code",
    "a borough is 0",
    "a borough is 0 in the newest month",
    "a borough is ten times as much",
    "a count is rounded by a spreadsheet",
    "a month in the middle is ten times as much",
    "all rows have changed places",
    "everything is 0",
    "everything is 1",
    "everything is 11 percent less",
    "everything is a tenth",
    "everything is double",
    "everything is half",
    "everything is ten times as much",
    "half of all has no borough",
    "the first row is missing",
    "the headers are of a month after",
    "the headers are of a year before",
    "the months are in another order",
    "the newest month is half there",
    "the newest month is missing",
    "the newest month is ten times as much",
    "two boroughs have changed places",
    "two months have changed places",
}
# `python -m tests.spoiled` takes all of them.
SOME = list(WAYS)[::6]


def test_a_spoiled_file_of_boroughs_is_refused_unless_only_others_can_tell(warehouse: Settings, tmp_path: Path) -> None:
    assert len(WAYS) >= 60
    assert WAYS.keys() > FOR_THE_GATE
    found = at_the_door(warehouse, tmp_path, SOME)
    assert {way for way, why in found.items() if not why} == FOR_THE_GATE & {*SOME}
