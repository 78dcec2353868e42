"""What an answer of Great Expectations says, and what it does not say by itself.

What it answers and what that means differ: an empty table and an all-null column succeed, a failed warning and a check
that crashed both come back as success False, and a check may not come back at all.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import psycopg

from expectations.figures import SAYABLE, NoFigure, said_of
from expectations.naming import Row

Outcome = Literal["passed", "failed", "crashed"]


@dataclasses.dataclass(frozen=True)
class Observation:
    """What one check found: its outcome, how many rows break it (where it counts rows), a remark without values, and those rows of a figure."""

    outcome: Outcome
    unexpected_count: int | None = None
    remark: str = ""
    rows: tuple[Row, ...] = ()


def read_answer(
    kind: str,
    success: object,
    result: object,
    exception_info: object,
    *,
    may_be_all_null: bool = False,
    may_be_empty: bool = False,
) -> Observation:
    """What an answer of Great Expectations means.

    Args:
        kind: the expectation's type, such as expect_column_values_to_be_in_set.
        success: its word for it.
        result: its figures.
        exception_info: one record, or one per metric that crashed.
        may_be_all_null: whether the column may be without a value, so that there may be none to check.
        may_be_empty: whether there may be no row, as in a figure of what has changed.
    """
    crash = _crash(exception_info)
    if crash is not None:
        return Observation("crashed", remark=_sayable_text(crash))
    if success is not True and success is not False:
        return Observation("crashed", remark="it came back neither passed nor failed")
    if not isinstance(result, Mapping) or not result:
        return Observation("crashed", remark="it came back without figures")
    if any(isinstance(value, float) and math.isnan(value) for value in result.values()):
        return Observation("crashed", remark="it came back with a figure that is not a number")
    if "element_count" in result:
        if may_be_empty and result["element_count"] == 0 and success:
            return Observation("passed", 0)
        return _read_column_answer(kind, success, result, may_be_all_null)
    observed = result.get("observed_value")
    if observed is None and isinstance(result.get("missing_count"), int):
        # A comparison of sets: its values are withheld by the result format, its counts are not.
        missing, unexpected = result["missing_count"], result.get("unexpected_count") or 0
        if (missing + unexpected == 0) is not success:
            return Observation("crashed", remark="it came back with counts that contradict it")
        remark = "" if success else f"{missing} values missing, {unexpected} not expected"
        return Observation("passed" if success else "failed", missing + unexpected, remark)
    if observed is None:
        return Observation("crashed", remark="it came back without an observed value")
    if kind == "rows_that_break_it":
        if (
            not isinstance(observed, int)
            or isinstance(observed, bool)
            or observed < 0
            or (observed == 0) is not success
        ):
            return Observation("crashed", remark="it came back with a count that is none")
        return Observation("passed" if success else "failed", observed)
    remark = f"found {observed}" if isinstance(observed, (int, float)) and not success else ""
    return Observation("passed" if success else "failed", remark=remark)


def _read_column_answer(kind: str, success: bool, result: Mapping[str, Any], may_be_all_null: bool) -> Observation:
    elements, missing = result["element_count"], result.get("missing_count") or 0
    if not elements or (missing == elements and "null" not in kind and not may_be_all_null):
        return Observation("failed", remark="there was no value to check")
    unexpected = result.get("unexpected_count")
    if unexpected is None:
        return Observation("crashed", remark="it came back without a count")
    remark = "" if success else f"{unexpected} of {elements} rows"
    return Observation("passed" if success else "failed", unexpected, remark)


def _crash(exception_info: object) -> str | None:
    if not exception_info:
        return None
    if not isinstance(exception_info, Mapping):
        return "unknown"
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    for record in records:
        if not isinstance(record, Mapping) or record.get("raised_exception") is not False:
            return str(record.get("exception_message") if isinstance(record, Mapping) else record)
    return None


def sayable(error: BaseException) -> str:
    """What may be said of an error: its kind, and its text where that cannot hold a value from a row."""
    if isinstance(error, (NoFigure, psycopg.Error)):
        return said_of(error)
    return _sayable_text(str(error), type(error).__name__)


def _sayable_text(message: str, kind: str = "") -> str:
    match = re.search(r"\(psycopg2\.errors\.(\w+)\) ([^\n]*)", message)
    if match is not None:
        return f"{match[1]}: {match[2]}" if match[1] in SAYABLE else match[1]
    match = re.search(r"The column \"?\w+\"? in BatchData does not exist", message)
    if match is not None:
        return match[0]
    if kind in {"LookupError", "ValidationError"}:
        return f"{kind}: {' '.join(message.split())[:200]}"
    return kind or "the error's text is withheld, it may quote a row"
