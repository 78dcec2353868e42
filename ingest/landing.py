"""Landing: every file exactly as it came, under its own hash, with its provenance beside it. Nothing is ever overwritten."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ingest.errors import NO_ROOM, Refusal
from ingest.naming import label_of

REAL, SYNTHETIC = "real", "synthetic"
INCOMING = ".incoming-"  # how the names begin of what is being written
DEAD_AFTER = 60.0  # seconds: between a file's making and its lock lies less


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What is known of a file besides its bytes. Stands beside it as JSON."""

    source: str
    dataset: str
    sha256: str
    bytes: int
    file_name: str
    url: str | None
    status: int | None
    headers: dict[str, str]
    landed_at: dt.datetime
    licence: str
    attribution: str
    release_date: (
        dt.date | None
    )  # from the publisher, or by whoever landed it and saw it loaded; None: follows from the file
    is_synthetic: bool
    pages: tuple[str, ...] = ()  # address of each page, where the file is a zip of the pages of one answer


@dataclasses.dataclass(frozen=True)
class LandedFile:
    """A file in landing. arrived_at is when these bytes came this time; the provenance tell of the first. is_new: it was just now."""

    path: Path
    provenance: Provenance
    arrived_at: dt.datetime
    is_new: bool = False


def land(landing: Path, body: Path, provenance: Provenance) -> LandedFile:
    """Keep a file for good. The same bytes again are the same file: the first provenance stand.

    Args:
        landing: the landing folder of this home.
        body: the bytes to keep; stays where it is.
        provenance: what is known of it; sha256 is what the bytes have.

    Raises:
        Refusal: when this home holds data of the other kind (real or synthetic), or the disk is full.
    """
    folder = landing / provenance.source / provenance.dataset
    suffix = Path(provenance.file_name).suffix.lower()
    path = folder / f"{provenance.sha256}{suffix if suffix[1:].isalnum() and len(suffix) < 8 else '.bin'}"
    beside = _beside(path)
    try:
        claim_kind(
            landing,
            SYNTHETIC if provenance.is_synthetic else REAL,
            what=label_of(provenance),
        )
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with body.open("rb") as origin:
                _write(path, origin)
        is_new = not beside.exists()
        if is_new:
            _write_text(beside, _as_json(provenance))
        remove_half_landed(folder)
    except OSError as error:
        raise Refusal(
            "DISK_FULL" if error.errno in NO_ROOM else "FOLDER_NOT_USABLE",
            f"could not be landed: {error.strerror}",
            where=label_of(provenance),
            kept="nothing of it; the warehouse is as it was",
            next_step=f"make room on the disk of {landing}, or put VRU_HOME on another",
        ) from error
    known = read_provenance(beside)
    if _never_loaded(path).exists():
        known = _renamed_again(path, known, provenance)
    if known.release_date is None:
        # Given later: a person says of a refused file when it was released.
        known = dataclasses.replace(known, release_date=provenance.release_date)
    return LandedFile(path, known, provenance.landed_at, is_new)


def _renamed_again(path: Path, known: Provenance, provenance: Provenance) -> Provenance:
    """The provenance of bytes that never stood, with the name and the date under which they came this time: the refusal was of those, too.

    A person who lands what a publisher dated does not take the date away.
    """
    release = provenance.release_date if provenance.url else known.release_date
    again = dataclasses.replace(known, file_name=provenance.file_name, release_date=release)
    if again != known:
        noted = {"file_name": again.file_name, "release_date": release.isoformat() if release else None}
        _write_text(_renamed(path), json.dumps(noted, ensure_ascii=False) + "\n")
    return again


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.papers.json")


def _write_text(path: Path, text: str) -> None:
    _write(path, io.BytesIO(text.encode()))


def _write(path: Path, origin: BinaryIO) -> None:
    """Put a copy of a file in place, whole or not at all, and on the disk before this returns."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=INCOMING)
    try:
        with os.fdopen(handle, "wb") as target:
            with contextlib.suppress(OSError):  # where a file system has no locks, what is left over stays
                fcntl.flock(target, fcntl.LOCK_EX)  # until it is in its place: whoever holds no lock is dead
            shutil.copyfileobj(origin, target, 1024 * 1024)
            target.flush()
            os.fsync(target.fileno())
            Path(name).chmod(0o444 & path.parent.stat().st_mode)  # read by whoever may enter the folder
            Path(name).rename(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_half_landed(folder: Path) -> int:
    """Remove what landings that were killed left in a folder: files (of older versions, folders) that nobody is writing any more.

    Returns:
        How many there were.
    """
    removed = 0
    for left in folder.glob(f"{INCOMING}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime > time.time() - DEAD_AFTER:
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                with left.open("rb") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    left.unlink()
            removed += 1
    return removed


def claim_kind(landing: Path, kind: str, *, what: str) -> None:
    """Say that this home takes data of a kind. The first file decides; after that the other kind is refused.

    Raises:
        Refusal: naming the file or publisher that was turned away.
    """
    landing.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=landing, prefix=INCOMING, encoding="utf-8") as file:
        file.write(kind + "\n")
        file.flush()
        try:
            (landing / "data_kind").hardlink_to(file.name)  # exists whole or not at all
            return
        except FileExistsError:
            pass
    held = kind_held(landing)
    if held != kind:
        raise Refusal(
            "KINDS_MIXED",
            f"brings {kind} data, and this home holds {held} data: the two never meet",
            where=what,
            kept="nothing of it was landed; the warehouse is as it was",
            next_step=f"use another VRU_HOME for {kind} data (this one is {landing.parent})",
        )


def kind_held(landing: Path) -> str | None:
    """real, synthetic, or None while nothing has been landed."""
    try:
        return (landing / "data_kind").read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def read_provenance(beside: Path) -> Provenance:
    """The provenance from its JSON file, with the name and the release date that were given later.

    Raises:
        Refusal: when they cannot be read.
    """
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
        for later in (_renamed(beside), _dated(beside)):
            if later.exists():
                found |= json.loads(later.read_text(encoding="utf-8"))
        found["landed_at"] = dt.datetime.fromisoformat(found["landed_at"])
        if found["release_date"]:
            found["release_date"] = dt.date.fromisoformat(found["release_date"])
        found["pages"] = tuple(found.get("pages", ()))
        return Provenance(**found)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "LANDING_DAMAGED",
            f"is not the provenance of a landed file ({type(error).__name__})",
            where=str(beside),
            kept="the bytes beside it; raw and the marts are as they were",
            next_step="restore the landing folder from its backup",
        ) from error


def below_landing(landed: LandedFile, landing: Path) -> str:
    """The path of a landed file below landing, as ops.load and `vru loads` have it."""
    return landed.path.resolve().relative_to(landing.resolve()).as_posix()


def find_by_name(landing: Path, source: str, dataset: str, file_name: str) -> list[str]:
    """Paths below landing of a dataset's files that were published, or handed over, under that name."""
    found = []
    for beside in sorted((landing / source / dataset).glob("*.papers.json")):
        provenance = read_provenance(beside)
        if provenance.file_name == file_name:
            found += [body.relative_to(landing).as_posix() for body in _bodies(beside.parent, provenance.sha256)]
    return found


def _bodies(folder: Path, sha256: str) -> list[Path]:
    """The bytes of that hash: notes beside them end in .json as well, and have two points in their names."""
    return sorted(path for path in folder.glob(f"{sha256}.*") if path.name.count(".") == 1)


def find(landing: Path, relative: str) -> LandedFile:
    """The landed file of that path below landing.

    Raises:
        Refusal: when it or its provenance are not there.
    """
    path = (landing / relative).resolve()
    beside = _beside(path)
    if not path.is_relative_to(landing.resolve()) or not path.is_file() or not beside.is_file():
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            "is not a landed file with its provenance",
            where=relative,
            next_step=f"look in {landing}",
        )
    provenance = read_provenance(beside)
    return LandedFile(path, provenance, provenance.landed_at)


def _as_json(provenance: Provenance) -> str:
    return json.dumps(dataclasses.asdict(provenance), default=str, indent=1, ensure_ascii=False) + "\n"


def note_return(landed: LandedFile) -> None:
    """Write down, beside a file, that its bytes came again after others had taken their place."""
    note = landed.path.with_name(f"{landed.provenance.sha256}.returned-{landed.arrived_at:%Y%m%dT%H%M%S%f}.json")
    if note.exists():
        return
    _write_text(note, json.dumps({"landed_at": landed.arrived_at.isoformat()}) + "\n")


def note_release_date(landed: LandedFile) -> None:
    """Write down, beside a file, the release date that was given after it had been landed without one."""
    beside = _beside(landed.path)
    if landed.provenance.release_date is None or read_provenance(beside).release_date is not None:
        return
    _write_text(_dated(beside), json.dumps({"release_date": landed.provenance.release_date.isoformat()}) + "\n")


def note_refusal(landed: LandedFile, reason: str) -> None:
    """Write down, beside a file, that it was refused as it came, so that no later night loads what was left over.

    Bytes that were landed before stay what they are: they were good then.
    """
    note = _refused(landed.path)
    if not landed.is_new or note.exists():
        return
    _write_text(note, json.dumps({"reason": reason}) + "\n")


def clear_refusal(landed: LandedFile) -> None:
    """Take back `note_refusal`: the same bytes came again, and were loaded."""
    _refused(landed.path).unlink(missing_ok=True)


def note_never_loaded(landed: LandedFile) -> None:
    """Write down, beside a file, that it was refused under the name and date of its provenance and never loaded: another name or date may be given."""
    note = _never_loaded(landed.path)
    if not note.exists():
        noted = {"file_name": landed.provenance.file_name, "refused_at": landed.arrived_at.isoformat()}
        _write_text(note, json.dumps(noted, ensure_ascii=False) + "\n")


def clear_never_loaded(landed: LandedFile) -> None:
    """Take back `note_never_loaded`: the bytes were loaded, and are what their provenance now say for good."""
    _never_loaded(landed.path).unlink(missing_ok=True)


def note_withdrawal(file: Path, when: dt.datetime, by: str, reason: str) -> None:
    """Write down, beside a landed file, that it was withdrawn: no night and no rebuild loads it, until a person lands it again."""
    noted = {"withdrawn_at": when.isoformat(), "withdrawn_by": by, "reason": reason}
    _write_text(_withdrawn(file), json.dumps(noted, ensure_ascii=False) + "\n")


def read_withdrawal(file: Path) -> dict[str, str] | None:
    """What `note_withdrawal` wrote (withdrawn_at, withdrawn_by, reason); None where the file is not withdrawn."""
    note = _withdrawn(file)
    return dict(json.loads(note.read_text(encoding="utf-8"))) if note.exists() else None


def clear_withdrawal(file: Path) -> None:
    """Take back `note_withdrawal`: a person landed the same bytes again. The ledger still has who withdrew them, and why."""
    _withdrawn(file).unlink(missing_ok=True)


def _withdrawn(path: Path) -> Path:
    return path.with_name(f"{path.stem}.withdrawn.json")


def _refused(path: Path) -> Path:
    return path.with_name(f"{path.stem}.refused.json")


def _never_loaded(path: Path) -> Path:
    return path.with_name(f"{_hash_of(path)}.refused-as.json")


def _renamed(path: Path) -> Path:
    return path.with_name(f"{_hash_of(path)}.renamed.json")


def _dated(path: Path) -> Path:
    return path.with_name(f"{_hash_of(path)}.released.json")


def _hash_of(path: Path) -> str:
    """The hash that the names of a landed file and of everything beside it begin with."""
    return path.name.partition(".")[0]


def every_file(landing: Path) -> Iterator[LandedFile]:
    """Every landed file with its provenance, each time it came, in the order in which they came; none that was refused as it came or withdrawn."""
    arrivals = []
    for beside in landing.glob("*/*/*.papers.json"):
        provenance = read_provenance(beside)
        if any(beside.with_name(f"{provenance.sha256}.{why}.json").exists() for why in ("refused", "withdrawn")):
            continue
        arrivals.append((provenance.landed_at, provenance))
        for note in beside.parent.glob(f"{provenance.sha256}.returned-*.json"):
            found = json.loads(note.read_text(encoding="utf-8"))
            arrivals.append((dt.datetime.fromisoformat(found["landed_at"]), provenance))
    for arrived_at, provenance in sorted(arrivals, key=lambda a: (a[0], a[1].source, a[1].dataset, a[1].sha256)):
        folder = landing / provenance.source / provenance.dataset
        bodies = _bodies(folder, provenance.sha256)
        if not bodies:
            raise Refusal(
                "LANDING_DAMAGED",
                "its provenance are in landing and its bytes are not",
                where=f"{provenance.source}/{provenance.dataset}/{provenance.sha256}",
                next_step="restore the landing folder from its backup; nothing can be rebuilt without it",
            )
        yield LandedFile(bodies[0], provenance, arrived_at)


def sha256_of(file: Path) -> tuple[str, int]:
    """Hash (hex) and size (bytes) of a file."""
    with file.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256")
        return digest.hexdigest(), handle.tell()
