"""The registry of failures: every refusal, fault, finding and alert has a code from codes.csv, which says whose turn it is and what to do.

A code stays what it is once it is out: programs, alerts and the runbook go by it, and the sentence beside it is free to be better.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("codes.csv")


class Entry(BaseModel):
    """One kind of failure.

    Attributes:
        code: its name, which never changes.
        severity: error (something was refused, held or is wrong) or warning (all was taken, and somebody should look).
        turn: who can put it right: the publisher (or who sends the file), us (whoever keeps this code), the operator of this home.
        meaning: what it means, in one plain sentence.
        cure: what to do.
        runbook: the section of docs/runbook.md that has more; empty where the cure is all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, Field(pattern=r"^[A-Z]+(_[A-Z]+)*$")]
    severity: Literal["error", "warning"]
    turn: Literal["publisher", "us", "operator"]
    meaning: Annotated[str, Field(pattern=r"\.$")]
    cure: Annotated[str, Field(pattern=r"\.$")]
    runbook: str


@cache
def registry() -> Mapping[str, Entry]:
    """Every entry by its code, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        entries = [Entry.model_validate(row) for row in csv.DictReader(file, strict=True)]
    return {entry.code: entry for entry in entries}


def find(code: str) -> Entry | None:
    """The entry of a code, however its letters are written; None where there is none."""
    return registry().get(_plain(code))


def nearest(code: str) -> list[str]:
    """The codes that are spelt most like a text, the nearest first."""
    return difflib.get_close_matches(_plain(code), registry(), n=3, cutoff=0.5)


def _plain(code: str) -> str:
    return code.strip().strip("[]").upper().replace("-", "_").replace(" ", "_")
