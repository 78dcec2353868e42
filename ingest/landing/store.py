"""Landing: every file exactly as it came, under its own hash, with its provenance beside it. Nothing is ever overwritten."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import NO_ROOM, Refusal
from ingest.landing import events
from ingest.landing.files import remove_half_landed, write, write_text
from ingest.landing.kind import REAL, SYNTHETIC, claim_kind
from ingest.landing.provenance import LandedFile, Provenance, as_json, beside, read_provenance
from ingest.naming import label_of


def land(landing: Path, body: Path, provenance: Provenance) -> LandedFile:
    """Keep a file for good. The same bytes again are the same file: the first provenance stands.

    Args:
        landing: the landing folder of this home.
        body: the bytes to keep; stays where it is.
        provenance: what is known of it; sha256 is what the bytes have.

    Raises:
        Refusal: when this home holds data of the other kind (real or synthetic), or the disk is full.
    """
    folder = landing / provenance.source / provenance.dataset
    refuse_erased(folder / provenance.sha256, provenance)
    suffix = Path(provenance.file_name).suffix.lower()
    path = folder / f"{provenance.sha256}{suffix if suffix[1:].isalnum() and len(suffix) < 8 else '.bin'}"
    description = beside(path)
    try:
        claim_kind(
            landing,
            SYNTHETIC if provenance.is_synthetic else REAL,
            what=label_of(provenance),
        )
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with body.open("rb") as origin:
                write(path, origin)
        is_new = not description.exists()
        if is_new:
            write_text(description, as_json(provenance))
        remove_half_landed(folder)
    except OSError as error:
        raise Refusal(
            "DISK_FULL" if error.errno in NO_ROOM else "FOLDER_NOT_USABLE",
            f"could not be landed: {error.strerror}",
            where=label_of(provenance),
            kept="nothing of it; the warehouse is as it was",
            next_step=f"make room on the disk of {landing}, or put VRU_HOME on another",
        ) from error
    known = read_provenance(description)
    if events.state_of(path).was_never_loaded:
        known = _described_again(path, known, provenance)
    if known.release_date is None:
        # Given later: a person says of a refused file when it was published.
        known = dataclasses.replace(known, release_date=provenance.release_date)
    return LandedFile(path, known, provenance.landed_at, is_new, provenance.file_name)


def refuse_erased(file: Path, provenance: Provenance) -> None:
    """Refuse bytes that were erased: who sent them again has to be told."""
    erased_at = events.state_of(file).erased_at if file.parent.is_dir() else None
    if erased_at:
        raise Refusal(
            "FILE_ERASED",
            f"was erased on {erased_at[:10]} and has come again",
            where=label_of(provenance),
            kept="nothing of it; the warehouse is as it was",
            next_step="ask its sender to take it away",
        )


def erase(landing: Path, relative: str, at: dt.datetime) -> None:
    """Erase a file's bytes; what stands beside them stays and says so. Done again it changes nothing.

    Args:
        relative: its path below landing.
    """
    file = landing / relative
    events.note_erasure(file, at)
    file.unlink(missing_ok=True)


def _described_again(path: Path, known: Provenance, provenance: Provenance) -> Provenance:
    """The provenance of bytes that were never loaded, with the name and date under which they came this time: the refusal was of those, too.

    A person who lands what a publisher dated does not take the date away.
    """
    release = provenance.release_date if provenance.url else known.release_date
    again = dataclasses.replace(known, file_name=provenance.file_name, release_date=release)
    if again != known:
        events.note_description(path, file_name=again.file_name, release_date=release.isoformat() if release else None)
    return again


def note_release_date(landed: LandedFile) -> None:
    """Keep the release date that was given after a file had been landed without one."""
    given = landed.provenance.release_date
    if given is not None and read_provenance(beside(landed.path)).release_date is None:
        events.note_description(landed.path, release_date=given.isoformat())


def below_landing(landed: LandedFile, landing: Path) -> str:
    """The path of a landed file below landing, as ops.load and `vru loads` have it."""
    return landed.path.resolve().relative_to(landing.resolve()).as_posix()


def find_by_name(landing: Path, source: str, dataset: str, file_name: str) -> list[str]:
    """Paths below landing of a dataset's files that were published, or handed over, under that name."""
    found = []
    for description in sorted((landing / source / dataset).glob("*.papers.json")):
        provenance = read_provenance(description)
        if provenance.file_name == file_name:
            found += [body.relative_to(landing).as_posix() for body in _bodies(description.parent, provenance.sha256)]
    return found


def _bodies(folder: Path, sha256: str) -> list[Path]:
    """The bytes of that hash: what stands beside them has two points in its name."""
    return sorted(path for path in folder.glob(f"{sha256}.*") if path.name.count(".") == 1)


def find(landing: Path, relative: str) -> LandedFile:
    """The landed file of that path below landing.

    Raises:
        Refusal: when it or its provenance is not there.
    """
    path = (landing / relative).resolve()
    description = beside(path)
    if not path.is_relative_to(landing.resolve()) or not path.is_file() or not description.is_file():
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            "is not a landed file with its provenance",
            where=relative,
            next_step=f"look in {landing}",
        )
    provenance = read_provenance(description)
    return LandedFile(path, provenance, provenance.landed_at)


def every_file(landing: Path) -> Iterator[LandedFile]:
    """Every landed file with its provenance, each time it came, in the order in which they came; none that was refused as it came, withdrawn or erased."""
    arrivals = []
    for description in landing.glob("*/*/*.papers.json"):
        state = events.state_of(description)
        if state.is_refused_on_arrival or state.withdrawal or state.erased_at:
            continue
        provenance = read_provenance(description)
        arrivals += [(at, provenance) for at in (provenance.landed_at, *state.returned_at)]
    for arrived_at, provenance in sorted(arrivals, key=lambda a: (a[0], a[1].source, a[1].dataset, a[1].sha256)):
        folder = landing / provenance.source / provenance.dataset
        bodies = _bodies(folder, provenance.sha256)
        if not bodies:
            raise Refusal(
                "LANDING_DAMAGED",
                "its provenance is in landing and its bytes are not",
                where=f"{provenance.source}/{provenance.dataset}/{provenance.sha256}",
                next_step="restore the landing folder from its backup; nothing can be rebuilt without it",
            )
        yield LandedFile(bodies[0], provenance, arrived_at)
