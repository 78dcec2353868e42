"""What a person or a publisher spoils is refused at the door, or named here as the gate's to hold."""

from __future__ import annotations

from pathlib import Path

from tests.spoiled.boroughs import WAYS, at_the_door
from warehouse.platform.settings import Settings

# Harmless (another order, an area's code, a row that is no count), or nothing in the file and the edition before it shows what is wrong.
FOR_THE_GATE = {
    "a borough has its code",
    "a count is rounded by a spreadsheet",
    "the first row is missing",
    "the headers are of a year before",
    "the months are in another order",
    "the newest month is half there",
    "the newest month is missing",
    "two boroughs have changed places",
    "two months have changed places",
}


def test_a_spoiled_file_of_boroughs_is_refused_unless_only_others_can_tell(warehouse: Settings, tmp_path: Path) -> None:
    assert len(WAYS) >= 60
    assert WAYS.keys() > FOR_THE_GATE
    found = at_the_door(warehouse, tmp_path)
    assert {way for way, code in found.items() if not code} == FOR_THE_GATE
