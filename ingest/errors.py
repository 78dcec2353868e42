"""What a person is told when data or a publisher cannot be accepted."""

from __future__ import annotations

import dataclasses
import errno
import traceback
from collections.abc import Sequence
from pathlib import PurePath

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # what an operating system says of a disk that is full
SHOWN = 5  # refusals, or faults of a file, that one sentence tells in full; all faults stand in quarantine


class Refusal(Exception):
    """Something was not accepted, and saying why is the whole point.

    Args:
        code: what kind of failure it is, from the registry (ingest/codes.csv): programs, tests and the runbook go by it.
        problem: what was wrong, in words.
        where: file, row, column and value, as far as they are known ("file x.csv, row 7, column BoroughName").
        kept: what was kept and what did not change.
        next_step: what to do now.
    """

    def __init__(self, code: str, problem: str, *, where: str = "", kept: str = "", next_step: str = "") -> None:
        # A publisher's words must stand in text that any database and terminal takes, whatever they hold.
        problem, where = printable(problem), in_one_line(where)
        super().__init__(problem)
        self.code = code
        self.problem = problem
        self.where = where
        self.kept = kept
        self.next_step = next_step

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.problem}" if self.where else self.problem]
        if self.kept:
            parts.append(f"Kept: {self.kept}.")
        if self.next_step:
            parts.append(f"Next: {self.next_step}.")
        first, *rest = parts
        # Where it tells of several refusals, each of them says its own.
        code = [] if f"[{self.code}]" in self.problem else [f"[{self.code}]"]
        return " ".join([first if first.endswith((".", "!", "?", "]")) else f"{first}.", *rest, *code])

    def __reduce__(self) -> tuple[object, ...]:
        # Airflow carries exceptions between processes; keyword-only arguments do not survive plain pickling.
        return (_restore, (type(self), self.code, self.problem, self.where, self.kept, self.next_step))


def _restore(kind: type[Refusal], code: str, problem: str, where: str, kept: str, next_step: str) -> Refusal:
    return kind(code, problem, where=where, kept=kept, next_step=next_step)


@dataclasses.dataclass(frozen=True)
class Wrong:
    """What is wrong with something that was read: a code of the registry, and the sentence's predicate ("is not a number")."""

    code: str
    reason: str

    def __str__(self) -> str:
        return self.reason


def printable(text: str) -> str:
    """Text with what is no character (NUL and other controls, half a pair of UTF-16, a byte that is not UTF-8) written as an escape."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def in_one_line(text: str) -> str:
    """Text as `printable` writes it, line ends and tabs escaped too: a name with one could write a line of its own into a listing."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code & 0xFF:02x}" if code < 0x100 or 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def unforeseen(error: BaseException) -> str:
    """What may be shown of an exception nobody foresaw: its kind and its place in the code. Its text may hold what a file held."""
    return f"could not be read, for a reason that no check covers ({kind_and_place(error)})"


def kind_and_place(error: BaseException) -> str:
    """An exception's kind and where in the code it was raised, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f", {PurePath(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def together(refusals: Sequence[Refusal]) -> str:
    """Several refusals in words: the first few in full, of the others where they happened."""
    more = [one.where or one.problem for one in refusals[SHOWN:]]
    shown = [str(one) for one in refusals[:SHOWN]]
    return " ".join([*shown, *([f"And {len(more)} more were refused: {'; '.join(more)}."] if more else [])])


class PublisherUnavailable(Refusal):
    """The publisher did not answer as it should; trying again later may succeed (429, 5xx, a reset, a time-out)."""


class BodyRefused(Refusal):
    """The publisher answered, but what came is not the file: HTML, nothing, cut short. Trying again will not help now."""


class FileRefused(Refusal):
    """A file was read and is not what its declaration says. It stays in landing and in the ledger as refused."""
