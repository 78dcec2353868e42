"""The values a column may take, from the seeds that dbt reads too: one home for each spelling."""

from __future__ import annotations

import csv
import dataclasses
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ingest.declaration import SEEDS, CodeList, Complete, Layout
from ingest.readers.faults import HEADER, Fault
from ingest.readers.text import folded

Key = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Listed:
    """A code list as read: its keys, and which of them each vintage has, or always has."""

    keys: frozenset[Key]
    vintages: dict[str, frozenset[Key]]
    required: dict[str, frozenset[Key]]


@cache
def read(code_list_json: str, folder: Path = SEEDS) -> Listed:
    """The keys of a code list.

    Args:
        code_list_json: the declaration as JSON (hashable, so that a seed is read once).
        folder: where the seeds are.
    """
    code_list = CodeList.model_validate_json(code_list_json)
    vintages: dict[str, set[Key]] = defaultdict(set)
    required: dict[str, set[Key]] = defaultdict(set)
    with (folder / f"{code_list.seed}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if any(row[column] != value for column, value in code_list.where.items()):
                continue
            key = tuple(folded(row[column]) for column in code_list.keys)
            vintage = row[code_list.vintage] if code_list.vintage else ""
            vintages[vintage].add(key)
            if row.get("is_required", "").lower() == "true":
                required[vintage].add(key)
    return Listed(
        frozenset().union(*vintages.values()),
        {name: frozenset(keys) for name, keys in vintages.items()},
        {name: frozenset(keys) for name, keys in required.items()},
    )


def listed(code_list: CodeList) -> Listed:
    """The keys of a declared code list."""
    return read(code_list.model_dump_json())


def vintage_of(code_list: CodeList, found: Iterable[Key]) -> str | Fault:
    """Which vintage of a code list a file is written in: the one that knows all its values and whose own it has.

    Args:
        code_list: a list with vintages.
        found: the values of the file, all of them listed.

    Returns:
        The vintage, or why there is not exactly one.
    """
    values = frozenset(found)
    known = listed(code_list)
    fitting = [
        name
        for name, keys in known.vintages.items()
        if values <= keys and known.required.get(name, frozenset()) <= values
    ]
    if len(fitting) == 1:
        return fitting[0]
    columns = " and ".join(code_list.columns)
    if fitting:
        return Fault(HEADER, columns, None, f"fit several vintages of the list {code_list.seed}: {', '.join(fitting)}")
    closest = min(
        known.vintages, key=lambda n: len(values - known.vintages[n]) + len(known.required.get(n, frozenset()) - values)
    )
    alien = sorted(values - known.vintages[closest])
    absent = sorted(known.required.get(closest, frozenset()) - values)
    wrong = [f"has {_words(alien)}, which that vintage does not"] if alien else []
    wrong += [f"lacks {_words(absent)}, which every file of that vintage has"] if absent else []
    return Fault(
        HEADER,
        columns,
        None,
        f"mix vintages of the list {code_list.seed}: closest is {closest}, but the file {' and '.join(wrong)}",
    )


def _words(keys: list[Key]) -> str:
    shown = ", ".join(" / ".join(key) for key in keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown


@cache
def _codes(complete_json: str, folder: Path = SEEDS) -> tuple[dict[str, str], frozenset[str]]:
    complete = Complete.model_validate_json(complete_json)
    with (folder / f"{complete.seed}.csv").open(encoding="utf-8", newline="") as file:
        code_of = {
            folded(row[complete.key]): row[complete.code]
            for row in csv.DictReader(file)
            if all(row[column] == value for column, value in complete.where.items())
        }
    with (folder / f"{complete.members_seed}.csv").open(encoding="utf-8", newline="") as file:
        return code_of, frozenset(row[complete.members_code] for row in csv.DictReader(file))


def absent(complete: Complete, code_list: CodeList, vintage: str, found: Iterable[tuple[Key, str]]) -> list[Fault]:
    """Which required values lack a row for some member of the area list.

    Args:
        complete: what a whole file has.
        code_list: the list with vintages.
        vintage: the file's vintage.
        found: each row's value of the list (folded) and its label of `across` as published.

    Returns:
        One fault a value that is not there for everyone, naming who is missing.
    """
    code_of, members = _codes(complete.model_dump_json())
    name_of = {code: label for label, code in reversed(code_of.items())}
    there: dict[Key, set[str]] = {key: set() for key in listed(code_list).required.get(vintage, frozenset())}
    for key, label in found:
        if key in there:
            there[key].add(code_of[folded(label)])
    return [
        Fault(
            HEADER,
            complete.across,
            " / ".join(key),
            f"has no row for {_words([(name_of[c],) for c in sorted(members - codes)])}: the file is cut short",
        )
        for key, codes in sorted(there.items())
        if members - codes
    ]


def vintage_list(layout: Layout) -> CodeList | None:
    """The code list of a layout that has vintages, if it has one."""
    return next((code_list for code_list in layout.code_lists if code_list.vintage), None)
