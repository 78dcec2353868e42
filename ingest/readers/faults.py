"""What is wrong with a file, row by row, and the sentence that says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from ingest.errors import SHOWN, printable

HEADER = 0  # row number of what concerns the header or the file as a whole
THE_FILE = "the file"  # in place of a column, where the bytes are not a file of this kind, or not a whole one
THE_REST = "this row and all after it"  # in place of a column, where nobody can say how many rows follow
LONGEST = 200  # characters of a file's content that a fault tells: it says where they are, and landing has them


@dataclasses.dataclass(frozen=True)
class Fault:
    """One refused row and column. `row` counts data rows from 1; `value` is None where it is personal or there is none.

    `code` is of the registry (ingest/codes.csv).
    """

    code: str
    row: int
    column: str
    value: str | None
    reason: str
    sheet: str = ""

    def __post_init__(self) -> None:
        # What a file says must stand in text that any database and terminal takes, whatever bytes the file holds.
        for name in ("column", "value", "reason", "sheet"):
            text = getattr(self, name)
            if text is not None:
                # A reason is our own words around what the file says, and may list what it lacks.
                longest = 5 * LONGEST if name == "reason" else LONGEST
                object.__setattr__(self, name, shortened(printable(text), longest))

    def __str__(self) -> str:
        place = f"row {self.row}, column {self.column}" if self.row else self.column
        place = f"sheet {self.sheet}, {place}" if self.sheet else place
        shown = "" if self.value is None else f" {shortened(self.value, 60)!r}"
        return f"{place}:{shown} {self.reason}" if self.row else f"{place}{shown} {self.reason}".strip()


def file_fault(code: str, reason: str) -> Fault:
    """What is wrong with a file as a whole."""
    return Fault(code, HEADER, THE_FILE, None, reason)


def header_fault(code: str, reason: str, value: str | None = None) -> Fault:
    """What is wrong with a header; `value` is the name in it that is meant."""
    return Fault(code, HEADER, "header", value, reason)


def shortened(text: str, longest: int) -> str:
    """Text of at most so many characters, with three dots in place of the rest."""
    return text if len(text) <= longest else text[: longest - 3] + "..."


def some_of(names: Sequence[str]) -> str:
    """The first dozen of some names that a file has, as far as there is room for them."""
    shown = shortened(printable(", ".join(names[:12])), LONGEST)
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


class Faults(list[Fault]):
    """The faults of a file as they are found: the first of them, and how many more there were."""

    KEPT = 1000

    def __init__(self, found: Iterable[Fault] = (), *, kept: int = KEPT) -> None:
        super().__init__()
        self.more = 0
        self._kept = kept
        self.add(found)

    def add(self, found: Iterable[Fault]) -> None:
        """Keep some faults, or count them where enough are kept."""
        for fault in found:
            if len(self) < self._kept:
                self.append(fault)
            else:
                self.more += 1


def sentence(faults: Sequence[Fault]) -> str:
    """The first few faults in words, and how many more there are, those included that were counted and not kept."""
    more = max(len(faults) - SHOWN, 0) + (faults.more if isinstance(faults, Faults) else 0)
    return "; ".join(str(fault) for fault in faults[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "")


NEXT = (
    "if the publisher has changed the file, extend its source.yml or the named seed and land it again; "
    "if the file was damaged on its way, fetch it again"
)
NEXT_DAMAGED = "fetch it again: this is not the file, or not the whole of it; if it stays so, ask the publisher"


class FaultyFile(Exception):
    """A file is refused: its faults, how many of its rows were read, and what to do. It ends the transaction that must not commit."""

    def __init__(self, faults: Iterable[Fault], rows: int = 0, next_step: str = "") -> None:
        super().__init__()
        self.faults = faults if isinstance(faults, Faults) else Faults(faults)
        self.rows = rows
        self.next_step = next_step or next_step_for(self.faults)

    @property
    def code(self) -> str:
        """The code of the refusal: that of the first fault of the file as a whole, where there is one, else of the first."""
        of_all = [fault for fault in self.faults if fault.column in {THE_FILE, THE_REST}]
        return next((fault.code for fault in [*of_all, *self.faults]), "NOT_THE_FILE")


def next_step_for(faults: Sequence[Fault]) -> str:
    """What to do: nobody extends a declaration for a page that says 'try later', or for half a file."""
    return NEXT_DAMAGED if any(fault.column == THE_FILE for fault in faults) else NEXT
