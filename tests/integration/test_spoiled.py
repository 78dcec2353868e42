"""What a person or a publisher spoils is refused at the door, or named here as the gate's to hold."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from ingest.connectors import file_drop
from ingest.declaration import find_source
from sandbox.safestats import feeds
from tests.spoiled import boroughs, door
from tests.spoiled.forms import FORMS
from tests.spoiled.survivors import why_it_may_pass
from warehouse import steps
from warehouse.platform.settings import Settings

# Harmless (another order, an area's code, a row that is no count), or nothing in the file and the edition before it shows what is wrong.
FOR_THE_GATE = {
    "a borough has its code",
    "a count is rounded by a spreadsheet",
    "the headers are of a year before",
    "the months are in another order",
    "the newest month is half there",
    "the newest month is missing",
    "two months have changed places",
}


def test_a_spoiled_file_of_boroughs_is_refused_unless_only_others_can_tell(warehouse: Settings, tmp_path: Path) -> None:
    assert len(boroughs.WAYS) >= 60
    assert boroughs.WAYS.keys() > FOR_THE_GATE
    found = boroughs.at_the_door(warehouse, tmp_path)
    assert {way for way, code in found.items() if not code} == FOR_THE_GATE


def test_a_spoiled_month_of_events_is_refused_unless_there_is_a_reason_why_it_may_pass(
    warehouse: Settings, tmp_path: Path
) -> None:
    form = next(form for form in FORMS if form.name == "safestats btp_crime")
    feed = next(file for file in feeds.files(dt.date(2026, 11, 22), 1) if file.folder == form.dataset)
    file = tmp_path / feed.name
    file.write_bytes(feed.body)
    safestats = find_source("safestats")
    landed = file_drop.take(warehouse.landing, safestats, form.dataset, file, warehouse.now(), is_synthetic=True)
    steps.load_one(warehouse, safestats, form.dataset, landed)
    (standing,) = door.standing(warehouse, [form])
    outcomes = [
        door.at_the_door(warehouse, standing, way, body, tmp_path) for way, body in standing.ways() if body is not None
    ]
    assert len(outcomes) == 46
    passed = [one.way for one in outcomes if one.ended not in {door.REFUSED, door.ROWS, door.SAME}]
    assert passed == ["the first row is missing"]
    assert why_it_may_pass(form, passed[0])
    # Each is stopped for what was spoilt, and none for its name.
    assert "NAME_UNKNOWN" not in {one.named for one in outcomes}
