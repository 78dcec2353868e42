"""What is known of a landed file besides its bytes: where from, when, under what terms. Stands beside it as JSON.

On disk it is called `<hash>.papers.json`, as it always was.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

from ingest.errors import Refusal
from ingest.landing import events


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
    # From the publisher, or from whoever landed it and saw it loaded; None: it follows from the file.
    release_date: dt.date | None
    is_synthetic: bool
    pages: tuple[str, ...] = ()  # address of each page, where the file is a zip of the pages of one answer


@dataclasses.dataclass(frozen=True)
class LandedFile:
    """A file in landing. arrived_at is when these bytes came this time, arrived_as under which name; the provenance is of the first
    time. is_new: it was just now."""

    path: Path
    provenance: Provenance
    arrived_at: dt.datetime
    is_new: bool = False
    arrived_as: str = ""


def beside(path: Path) -> Path:
    """Where the provenance of a landed file stands."""
    return path.with_name(f"{path.stem}.papers.json")


def read_provenance(file: Path) -> Provenance:
    """The provenance from its JSON file, with the name and the release date that were given later.

    Raises:
        Refusal: when it cannot be read.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8")) | events.state_of(file).described_again
        found["landed_at"] = dt.datetime.fromisoformat(found["landed_at"])
        if found["release_date"]:
            found["release_date"] = dt.date.fromisoformat(found["release_date"])
        found["pages"] = tuple(found.get("pages", ()))
        return Provenance(**found)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            "LANDING_DAMAGED",
            f"is not the provenance of a landed file ({type(error).__name__})",
            where=str(file),
            kept="the bytes beside it; raw and the marts are as they were",
            next_step="restore the landing folder from its backup",
        ) from error


def as_json(provenance: Provenance) -> str:
    """A provenance as it stands beside its file."""
    return json.dumps(dataclasses.asdict(provenance), default=str, indent=1, ensure_ascii=False) + "\n"
