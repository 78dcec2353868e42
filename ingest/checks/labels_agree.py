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
    found = delivery.rows(
        """, pair as (select {label} as label, {code} as code from delivered),
           stood as (select distinct {label} as label, {code} as code from {table} where _load_id = {before} and {code} <> '')
           select p.label, p.code, count(*), bool_or(s.label is not null),
               (select bool_or(label <> '') from pair) and (select bool_or(label <> '') from stood)
           from pair as p left join stood as s on s.code = p.code and s.label = p.label
           where p.code in (select code from stood) group by 1, 2 order by 3 desc, 1, 2""",
        # White space within a label says nothing.
        label=sql.SQL(r"btrim(regexp_replace({}, '\s+', ' ', 'g'))").format(sql.SQL(label)),
        code=sql.SQL(code),
        table=delivery.table,
        before=sql.Literal(before.load_id),
    )
    # A form without the labels says nothing of them.
    wrong = [(f"{name} / {beside}", rows) for name, beside, rows, stood, have_both in found if have_both and not stood]
    _refuse(delivery, wrong, sum(rows for _, _, rows, *_ in found), enough)


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
