"""Whether what a file says twice, by a code and by a name, is the same."""

from __future__ import annotations

from functools import cache

from psycopg import sql

from ingest.delivery import Delivery, seed
from ingest.editions import Edition
from ingest.readers.faults import NEXT_DAMAGED, some_of
from ingest.readers.text import folded

# A few rows on a border are a publisher's own; of so many the columns have come apart.
MAY_CONTRADICT, ENOUGH_TO_CONTRADICT = 0.02, 5


def check_code_and_name_agree(delivery: Delivery, code: str, name: str) -> None:
    """Refuse a delivery with the code of one borough, or of a ward or LSOA in it, beside the name of another.

    Codes and names that are not known say nothing.

    Args:
        code, name: the code of an area and the name of a borough, in SQL over rows of raw.

    Raises:
        FaultyFile: `LABEL_OF_ANOTHER_CODE`.
    """
    names = {
        folded(row["published_name"]): row["area_code"]
        for row in seed("area_aliases")
        if row["source"] == delivery.source.source and row["area_code"].startswith("E09")
    }
    boroughs = _boroughs_of_codes()
    found = delivery.rows(
        "select {code}, {name}, count(*) from delivered group by 1, 2", code=sql.SQL(code), name=sql.SQL(name)
    )
    known = [
        (boroughs[area.strip()], names[folded(label)], f"{area} / {label}", rows)
        for area, label, rows in found
        if area and label and area.strip() in boroughs and folded(label) in names
    ]
    wrong = [(pair, rows) for of_code, of_name, pair, rows in known if of_code != of_name]
    _refuse(delivery, wrong, sum(rows for *_, rows in known))


def check_labels_kept(
    delivery: Delivery, before: Edition, label: str, code: str, *, enough: int = ENOUGH_TO_CONTRADICT
) -> None:
    """Refuse an edition in which codes stand beside other labels than in the one before.

    Args:
        label, code: two columns that say the same, in SQL over rows of raw.
        enough: of fewer rows nothing is said.

    Raises:
        FaultyFile: `LABEL_OF_ANOTHER_CODE`.
    """
    this = delivery.rows(
        "select {label}, {code}, count(*) from delivered group by 1, 2", label=sql.SQL(label), code=sql.SQL(code)
    )
    that = delivery.rows(
        "select distinct {label}, {code} from {table} where _load_id = {before}",
        label=sql.SQL(label),
        code=sql.SQL(code),
        table=delivery.table,
        before=sql.Literal(before.load_id),
    )
    # Spelled alike, for white space, capitals and & say nothing. A form without the labels says nothing of them.
    stood = {(folded(name or ""), beside) for name, beside in that}
    known = {beside for _, beside in stood if beside}
    if not any(name for name, _ in stood) or not any(name for name, *_ in this):
        return
    found = [(name or "", beside, rows) for name, beside, rows in this if beside in known]
    wrong = [(f"{name} / {beside}", rows) for name, beside, rows in found if (folded(name), beside) not in stood]
    _refuse(delivery, sorted(wrong, key=lambda one: (-one[1], one[0])), sum(rows for *_, rows in found), enough)


def _refuse(delivery: Delivery, wrong: list[tuple[str, int]], known: int, enough: int = ENOUGH_TO_CONTRADICT) -> None:
    rows = sum(count for _, count in wrong)
    if rows >= enough and (enough < ENOUGH_TO_CONTRADICT or rows > MAY_CONTRADICT * known):
        raise delivery.refuse(
            "LABEL_OF_ANOTHER_CODE",
            f"has the code of one thing and the name of another in {rows:,} of {known:,} rows: {some_of([pair for pair, _ in wrong])}",
            NEXT_DAMAGED,
        )


@cache
def _boroughs_of_codes() -> dict[str, str]:
    """The borough of each code of a borough, of a ward and of an LSOA in London."""
    found: dict[str, set[str]] = {}
    for row in seed("lsoa_borough"):
        for code in (row["lsoa_code"], row["ward_code"], row["area_code"]):
            found.setdefault(code, set()).add(row["area_code"])
    return {code: min(areas) for code, areas in found.items() if code and len(areas) == 1}
