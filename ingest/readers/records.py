"""Whether an answer that came in pages holds every record of it once, by what its records say of themselves."""

from __future__ import annotations

from collections.abc import Sequence


def records_wrong(rows: int, numbered: int, distinct: int, totals: Sequence[str]) -> str | None:
    """What is wrong with the records of an answer, in words, or None.

    Args:
        rows, numbered, distinct: how many records there are, have a number, and have a number of their own.
        totals: every total that a record names.
    """
    if len(totals) > 1:
        return f"changed while it was fetched: its records say that there are {' and '.join(sorted(totals))} of them"
    if numbered < rows:
        return "has records whose number is no number"
    if distinct < rows:
        return f"has {rows - distinct:,} records twice: a page was repeated"
    if not totals[0].isdigit() or int(totals[0]) != rows:
        return f"has {rows:,} of {totals[0]} records: it is cut short"
    return None
