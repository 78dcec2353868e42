"""What a version of the project declares removed goes from the marts; what was published of it stays to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.candidates import AREA, FACT, Rows, area, bytes_of_marts, fact, judged, read
from tests.refused import refused_with
from warehouse.platform.settings import Settings
from warehouse.publish import publish, removals, roll_back

NAMED = """create view candidate.named_fact as
select f.area_code, a.area_name, f.value from candidate.fact as f inner join candidate.area as a on f.area_code = a.area_code"""
LISTED = "create view candidate.listed as select a.area_code, a.area_name from candidate.area as a"
WITHOUT_NAME = AREA.replace("area_name text not null, ", "").rpartition(";")[0]


@pytest.fixture
def removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The list of what is meant to go, empty but for its header."""
    file = tmp_path / "removed.csv"
    file.write_text("mart,column,removed_in,reason\n", encoding="utf-8")
    monkeypatch.setattr(removals, "FILE", file)
    return file


def declare(file: Path, mart: str, column: str = "") -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(f"{mart},{column},1.0.0,nobody reads it\n")


def both(value: int) -> list[tuple[str, str, Rows]]:
    return [area(("A", "Camden", 1)), fact(("A", "2025-01-01", value, 1))]


def alone() -> list[tuple[str, str, Rows]]:
    return [area(("A", "Camden", 1))]


def test_a_mart_that_is_declared_removed_goes_with_its_view_and_both_can_be_read_as_they_were(
    warehouse: Settings, removed: Path
) -> None:
    view = ("named_fact", NAMED, [])
    first = publish(warehouse, judged(warehouse, [*both(7), view])).release_id
    second = publish(warehouse, judged(warehouse, [*both(8), view])).release_id
    declare(removed, "fact")
    with refused_with("MART_SHAPE_REFUSED", match="named_fact"):
        publish(warehouse, judged(warehouse, alone()))
    declare(removed, "named_fact")
    third = publish(warehouse, judged(warehouse, alone()))
    assert third.state == "published"
    assert read(
        warehouse,
        "select relname from pg_class where relnamespace = 'marts'::regnamespace and relname ~ 'fact|area' and relkind in ('r', 'v')",
    ) == [("area",)]
    for release, value in ((first, 7), (second, 8)):
        assert read(warehouse, f"select area_code, value from marts_history.fact_as_of({release})") == [("A", value)]
        assert read(warehouse, f"select * from marts_history.named_fact_as_of({release})") == [("A", "Camden", value)]
    assert read(warehouse, "select value from marts_history.fact order by valid_from_release_id") == [(7,), (8,)]
    assert publish(warehouse, judged(warehouse, alone())).state == "unchanged"
    assert roll_back(warehouse, first).row_counts == {"area": 1}


def test_a_column_that_is_declared_removed_goes_and_its_values_stay_in_history(
    warehouse: Settings, removed: Path
) -> None:
    first = publish(warehouse, judged(warehouse, [area(("A", "Camden", 1), ("B", "Barnet", 1)), fact()])).release_id
    declare(removed, "area", "area_name")
    narrow = [("area", WITHOUT_NAME, [("A", 1), ("B", 2)]), fact()]
    second = publish(warehouse, judged(warehouse, narrow))
    assert second.row_changes["area"] == {"inserted": 0, "updated": 1, "deleted": 0}
    assert read(warehouse, "select * from marts.area order by 1") == [("A", 1), ("B", 2)]
    assert read(
        warehouse,
        """select area_code, area_name, version, valid_from_release_id, valid_to_release_id from marts_history.area
           order by 1, 4""",
    ) == [
        ("A", "Camden", 1, first, None),
        ("B", "Barnet", 1, first, second.release_id),
        ("B", None, 2, second.release_id, None),
    ]
    assert read(warehouse, f"select * from marts_history.area_as_of({first}) order by 1") == [("A", 1), ("B", 1)]
    roll_back(warehouse, first)
    assert read(warehouse, "select * from marts.area order by 1") == [("A", 1), ("B", 1)]


def test_a_column_that_was_removed_may_come_back(warehouse: Settings, removed: Path) -> None:
    publish(warehouse, judged(warehouse, alone()))
    declare(removed, "area", "area_name")
    publish(warehouse, judged(warehouse, [("area", WITHOUT_NAME, [("A", 1)])]))
    removed.write_text("mart,column,removed_in,reason\n", encoding="utf-8")
    third = publish(warehouse, judged(warehouse, [area(("A", "Camden again", 1))])).release_id
    assert read(warehouse, "select area_name from marts.area") == [("Camden again",)]
    assert read(warehouse, f"select area_name, valid_from_release_id = {third} from marts_history.area order by 2") == [
        ("Camden", False),
        ("Camden again", True),
    ]


def test_a_column_may_go_that_a_view_of_the_marts_and_an_index_read(warehouse: Settings, removed: Path) -> None:
    publish(warehouse, judged(warehouse, [*both(7), ("listed", LISTED, []), ("named_fact", NAMED, [])]))
    for mart, column in (("area", "area_name"), ("listed", "area_name"), ("named_fact", "area_name")):
        declare(removed, mart, column)
    declare(removed, "fact", "month")
    listed = ("listed", LISTED.replace(", a.area_name", ""), [])
    named = ("named_fact", NAMED.replace("a.area_name, ", ""), [])
    with refused_with("MART_SHAPE_REFUSED", match="key of fact"):
        no_month = FACT.replace("month date not null, ", "").replace("(area_code, month)", "(area_code)")
        no_month = no_month.replace("create index on candidate.fact (month);", "")
        publish(warehouse, judged(warehouse, [*alone(), ("fact", no_month, []), listed, named]))
    publish(
        warehouse,
        judged(warehouse, [("area", WITHOUT_NAME, [("A", 1)]), fact(("A", "2025-01-01", 7, 1)), listed, named]),
    )
    assert read(warehouse, "select * from marts.listed") == [("A",)]
    assert read(warehouse, "select * from marts.named_fact") == [("A", 7)]


def test_what_is_not_declared_stays_and_nothing_changes(warehouse: Settings, removed: Path) -> None:
    publish(warehouse, judged(warehouse, both(7)))
    before = bytes_of_marts(warehouse)
    declare(removed, "area", "version")
    with refused_with("MART_SHAPE_REFUSED", match="area_name"):
        publish(warehouse, judged(warehouse, [("area", WITHOUT_NAME, []), fact()]))
    assert bytes_of_marts(warehouse) == before
