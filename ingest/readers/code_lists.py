"""The values a column may take, from the seeds that dbt reads too: one home for each spelling."""

from __future__ import annotations

import csv
import dataclasses
import difflib
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ingest.declaration import SEEDS, CodeList, Layout
from ingest.readers.faults import HEADER, Fault
from ingest.readers.headers import Header
from ingest.readers.text import folded

Key = tuple[str, ...]

# Of a column that may be blank: SQL Server's exports write NULL where nothing is. A seed cannot list it, for dbt reads it as nothing.
BLANK = frozenset({"", "null"})


@dataclasses.dataclass(frozen=True)
class Listed:
    """A code list as read: its keys; and by vintage, the code of each key and the codes that every file, or every area, has."""

    keys: frozenset[Key]
    code_of: dict[str, dict[Key, str]]
    required: dict[str, frozenset[str]]
    everywhere: dict[str, frozenset[str]]


@cache
def _read(code_list_json: str, folder: Path = SEEDS) -> Listed:
    code_list = CodeList.model_validate_json(code_list_json)
    code_of: dict[str, dict[Key, str]] = defaultdict(dict)
    required: dict[str, set[str]] = defaultdict(set)
    everywhere: dict[str, set[str]] = defaultdict(set)
    with (folder / f"{code_list.seed}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if any(row[column] != value for column, value in code_list.where.items()):
                continue
            key = tuple(folded(row[column]) for column in code_list.keys)
            vintage = row[code_list.vintage] if code_list.vintage else ""
            code = row[code_list.code] if code_list.code else " / ".join(key)
            code_of[vintage][key] = code
            if row.get("is_required") == "true":
                required[vintage].add(code)
            if row.get("is_in_every_borough") == "true":
                everywhere[vintage].add(code)
    return Listed(
        frozenset(key for keys in code_of.values() for key in keys),
        dict(code_of),
        {vintage: frozenset(required[vintage]) for vintage in code_of},
        {vintage: frozenset(everywhere[vintage]) for vintage in code_of},
    )


def listed(code_list: CodeList) -> Listed:
    """A declared code list; its seed is read once."""
    return _read(code_list.model_dump_json())


def vintage_of(code_list: CodeList, found: Iterable[Key]) -> str | Fault:
    """Which vintage of a code list a file is written in: the one that has all its values, and whose required ones it has.

    Args:
        code_list: a list with vintages.
        found: the values of the file, all of them listed.

    Returns:
        The vintage, or why there is not exactly one.
    """
    values = set(found)
    known = listed(code_list)
    alien = {name: values - codes.keys() for name, codes in known.code_of.items()}
    absent = {
        name: known.required[name] - set(code_list.not_required) - {codes[value] for value in values if value in codes}
        for name, codes in known.code_of.items()
    }
    fitting = [name for name in known.code_of if not alien[name] and not absent[name]]
    if len(fitting) == 1:
        return fitting[0]
    columns = " and ".join(code_list.columns)
    if fitting:
        return Fault(
            "CATEGORY_LIST_UNKNOWN",
            HEADER,
            columns,
            None,
            f"fit several vintages of the list {code_list.seed}: {', '.join(fitting)}",
        )
    closest = min(known.code_of, key=lambda name: len(alien[name]) + len(absent[name]))
    wrong = []
    if alien[closest]:
        wrong.append(f"has {_words([' / '.join(key) for key in alien[closest]])}, which that vintage does not")
    if absent[closest]:
        wrong.append(f"lacks {_words(absent[closest])}, which every file of that vintage has: it may be cut short")
    return Fault(
        "CATEGORY_LIST_UNKNOWN",
        HEADER,
        columns,
        None,
        f"fit no vintage of the list {code_list.seed}: closest is {closest}, but the file {' and '.join(wrong)}",
    )


def _words(names: Iterable[str]) -> str:
    every = sorted(names)
    return f"{', '.join(every[:5])} and {len(every) - 5} more" if len(every) > 5 else ", ".join(every)


def columns_of(code_list: CodeList) -> tuple[str, ...]:
    """The columns that decide whether a row is as a code list says: those of `only_where`, then the list's own."""
    return (*code_list.only_where, *code_list.columns)


def applies_to(code_list: CodeList, header: Header) -> bool:
    """Whether a file with this header is held to a code list."""
    return header.positions.keys() >= {*columns_of(code_list)}


def unlisted(code_list: CodeList, found: Iterable[Key], layout: Layout) -> set[Key]:
    """Values (as published) that a code list does not have. Columns that may be blank may be so together.

    Args:
        found: the values of `columns_of` the list.
    """
    if code_list.only_where:
        wanted = tuple(map(folded, code_list.only_where.values()))
        found = {key[len(wanted) :] for key in found if tuple(map(folded, key[: len(wanted)])) == wanted}
    may_be_blank = {column.name for column in layout.columns if column.may_be_blank}.issuperset(code_list.columns)
    keys = listed(code_list).keys
    return {
        key
        for key in found
        if tuple(map(folded, key)) not in keys and not (may_be_blank and BLANK.issuperset(map(folded, key)))
    }


def row_faults(number: int, row: list[str], header: Header, layout: Layout) -> list[Fault]:
    """The values of a row that its code lists do not have."""
    faults = []
    for code_list in layout.code_lists:
        if not applies_to(code_list, header):
            continue
        values = [row[header.positions[column]] for column in columns_of(code_list)]
        columns = code_list.columns
        if unlisted(code_list, {tuple(values)}, layout):
            place = " and ".join(header.published[column] for column in columns)
            reason = f"is not in the list dbt_project/seeds/{code_list.seed}.csv"
            shown = " / ".join(values[len(code_list.only_where) :])
            if layout.is_of_people:
                # The name of a person may stand where a code should; only what the list has is shown.
                reason += nearest(code_list, shown)
            faults.append(Fault("LABEL_UNKNOWN", number, place, None if layout.is_of_people else shown, reason))
    return faults


def nearest(code_list: CodeList, value: str) -> str:
    """What of a list is spelt most like a value, in words; nothing where nothing is."""
    spellings = [" / ".join(key) for key in listed(code_list).keys]
    found = difflib.get_close_matches(folded(value), spellings, n=1, cutoff=0.8)
    return f"; nearest in it: {found[0]!r}" if found else ""


def codes_of(layout: Layout, column: str) -> dict[str, str]:
    """The code of each value (folded) of a column that has a code list of its own; empty where it has none."""
    for code_list in layout.code_lists:
        if code_list.columns == (column,):
            return {key[0]: code for codes in listed(code_list).code_of.values() for key, code in codes.items()}
    return {}


def vintage_list(layout: Layout) -> CodeList | None:
    """The code list of a layout that has vintages, if it has one."""
    return next((code_list for code_list in layout.code_lists if code_list.vintage), None)
