"""Whether an answer that came in pages holds every record of it once, by what its records say of themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.errors import Wrong


def is_count(text: str) -> bool:
    """Whether a text is a number of records: int() takes other digits too, and not ever more of them."""
    return re.fullmatch("[0-9]{1,9}", text) is not None


def records_wrong(rows: int, numbered: int, distinct: int, totals: Sequence[str]) -> Wrong | None:
    """What is wrong with the records of an answer, or None.

    Args:
        rows, numbered, distinct: how many records there are, have a number, and have a number of their own.
        totals: every total that a record names.
    """
    if len(totals) > 1:
        said = " and ".join(one[:20] for one in sorted(totals)[:5])
        return Wrong(
            "CHANGED_WHILE_READ", f"changed while it was fetched: its records say that there are {said} of them"
        )
    if numbered < rows:
        return Wrong("RECORD_COUNT_MISSING", "has records whose number is not a number")
    if distinct < rows:
        return Wrong("ROW_REPEATED", f"has {rows - distinct:,} records twice: a page was repeated")
    if not is_count(totals[0]) or int(totals[0]) != rows:
        return Wrong("ROWS_FEWER_THAN_STATED", f"has {rows:,} of {totals[0][:20]} records: it is cut short")
    return None
