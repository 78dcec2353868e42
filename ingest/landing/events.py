"""What happened to a landed file after it was landed, in one append-only file beside it: what a rebuild from landing alone must know.

`<hash>.events.jsonl` has one event a line and only ever grows. Homes of version 0.1 have a JSON file for each kind of event
(`<hash>.withdrawn.json` and the like); they are read as the events that came first.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import json
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
from ingest.landing.files import write_text

EVENTS = "events.jsonl"
# By the name that the file of such an event had in version 0.1, in the order in which they count.
_FILES_OF_0_1 = {
    "refused": "refused_on_arrival",
    "refused-as": "refused",
    "renamed": "described_again",
    "released": "described_again",
    "withdrawn": "withdrawn",
}


@dataclasses.dataclass
class State:
    """What the events of a file come to.

    Attributes:
        is_refused_on_arrival: what came was no file of its dataset, and was never loaded: no night and no rebuild loads it.
        was_never_loaded: it was refused under its name and date, which are open to correction until it is loaded.
        described_again: the file_name and release_date that were given after it was landed.
        withdrawal: withdrawn_at, withdrawn_by and reason; None where it is not withdrawn.
        returned_at: when its bytes came again, after others had taken their place.
        erased_at: when its bytes were erased (ISO); None where they were not. They are never landed again.
    """

    is_refused_on_arrival: bool = False
    was_never_loaded: bool = False
    described_again: dict[str, Any] = dataclasses.field(default_factory=dict)
    withdrawal: dict[str, str] | None = None
    returned_at: list[dt.datetime] = dataclasses.field(default_factory=list)
    erased_at: str | None = None


def state_of(file: Path) -> State:
    """What happened to a landed file.

    Args:
        file: the landed file, or anything beside it that begins with its hash.

    Raises:
        Refusal: the events cannot be read.
    """
    state = State()
    try:
        for event in _events(file):
            kind = event.pop("event")
            if kind == "refused_on_arrival":
                state.is_refused_on_arrival = True
            elif kind == "refused":
                state.was_never_loaded = True
            elif kind == "loaded":
                state.is_refused_on_arrival = state.was_never_loaded = False
            elif kind == "described_again":
                state.described_again |= event
            elif kind == "returned":
                state.returned_at.append(dt.datetime.fromisoformat(event["landed_at"]))
            elif kind == "withdrawn":
                state.withdrawal = event
            elif kind == "restored":
                state.withdrawal = None
            elif kind == "erased":
                state.erased_at = event["erased_at"]
            else:
                raise ValueError(kind)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "LANDING_DAMAGED",
            f"its events cannot be read ({type(error).__name__})",
            where=str(_beside(file, EVENTS)),
            kept="the bytes beside it; raw and the marts are as they were",
            next_step="restore the landing folder from its backup",
        ) from error
    return state


def note_refusal_on_arrival(file: Path, reason: str) -> None:
    """What came is no file of its dataset: no later night loads what was left over.

    Only of bytes that were never landed before. Others stay what they are: they were good then.
    """
    if not state_of(file).is_refused_on_arrival:
        _append(file, "refused_on_arrival", reason=reason)


def note_refusal(file: Path, file_name: str, at: dt.datetime) -> None:
    """The loader refused it under this name, and it was never loaded: another name or date may be given."""
    if not state_of(file).was_never_loaded:
        _append(file, "refused", file_name=file_name, refused_at=at.isoformat())


def note_loaded(file: Path) -> None:
    """It was loaded: refusals no longer count, and its name and date are final."""
    state = state_of(file)
    if state.is_refused_on_arrival or state.was_never_loaded:
        _append(file, "loaded")


def note_description(file: Path, **given: str | None) -> None:
    """Its file_name or release_date (ISO) were given after it was landed."""
    _append(file, "described_again", **given)


def note_return(file: Path, at: dt.datetime) -> None:
    """Its bytes came again after others had taken their place."""
    if at not in state_of(file).returned_at:
        _append(file, "returned", landed_at=at.isoformat())


def note_withdrawal(file: Path, at: dt.datetime, by: str, reason: str) -> None:
    """A person withdrew it: no night and no rebuild loads it, until a person lands it again."""
    _append(file, "withdrawn", withdrawn_at=at.isoformat(), withdrawn_by=by, reason=reason)


def note_erasure(file: Path, at: dt.datetime) -> None:
    """Its bytes are about to be erased: no command lands them again."""
    if state_of(file).erased_at is None:
        _append(file, "erased", erased_at=at.isoformat())


def read_withdrawal(file: Path) -> dict[str, str] | None:
    """withdrawn_at, withdrawn_by and reason; None where the file is not withdrawn."""
    return state_of(file).withdrawal


def clear_withdrawal(file: Path) -> None:
    """A person landed the same bytes again. The ledger still has who withdrew them, and why."""
    if read_withdrawal(file) is not None:
        _append(file, "restored")


def _beside(file: Path, name: str) -> Path:
    """What stands beside a landed file under its hash, with which all their names begin."""
    return file.with_name(f"{file.name.partition('.')[0]}.{name}")


def _events(file: Path) -> Iterator[dict[str, Any]]:
    """The events of a file in the order in which they happened, each a dict of its own."""
    for name, kind in _FILES_OF_0_1.items():
        old = _beside(file, f"{name}.json")
        if old.exists():
            yield {"event": kind, **json.loads(old.read_text(encoding="utf-8"))}
    for old in _returns_of_0_1(file.parent, file.parent.stat().st_mtime_ns).get(file.name.partition(".")[0], ()):
        yield {"event": "returned", **json.loads(old.read_text(encoding="utf-8"))}
    if _beside(file, EVENTS).exists():
        yield from map(json.loads, _beside(file, EVENTS).read_text(encoding="utf-8").splitlines())


@lru_cache(maxsize=64)
def _returns_of_0_1(folder: Path, _: int) -> dict[str, list[Path]]:
    """By hash, the files that note a return, of a folder as it was changed last: one listing for all of its files."""
    found: dict[str, list[Path]] = {}
    for old in sorted(folder.glob("*.returned-*.json")):
        found.setdefault(old.name.partition(".")[0], []).append(old)
    return found


def _append(file: Path, kind: str, **details: str | None) -> None:
    """Write the file anew with one event more: backups link its earlier content, which must stay as it is."""
    events = _beside(file, EVENTS)
    folder = os.open(events.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # where a file system has no locks, no two commands write at once
            fcntl.flock(folder, fcntl.LOCK_EX)
        before = events.read_text(encoding="utf-8") if events.exists() else ""
        write_text(events, f"{before}{json.dumps({'event': kind, **details}, ensure_ascii=False)}\n")
    finally:
        os.close(folder)
