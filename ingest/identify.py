"""The first step of a load: what a landed file is, before it is opened."""

from __future__ import annotations

import dataclasses
import re

import psycopg

from ingest import editions
from ingest.declaration import Dataset, Source, raw_table
from ingest.landing import LandedFile, events
from ingest.readers.corrections import Correction, corrections_of
from ingest.readers.faults import FaultyFile, file_fault


@dataclasses.dataclass(frozen=True)
class Identified:
    """A landed file, and what is known of it before it is opened.

    Attributes:
        source, name: the declared source, and which of its datasets.
        landed: the file, dated now where its bytes came back.
        as_landed: the file as it was landed.
        part: what it is about besides its date (`part_pattern`); empty where it is about all of its dataset.
        corrections: the confirmed corrections of its headers.
        withdrawal: when, by whom and why it had been withdrawn (withdrawn_at, withdrawn_by, reason).
    """

    source: Source
    name: str
    landed: LandedFile
    as_landed: LandedFile
    part: str
    corrections: tuple[Correction, ...]
    withdrawal: dict[str, str] | None

    @property
    def dataset(self) -> Dataset:
        return self.source.dataset(self.name)

    @property
    def raw_table(self) -> str:
        """The raw table of its dataset, without its schema."""
        return raw_table(self.source.source, self.name)

    @property
    def keeps_newest_only(self) -> bool:
        """Whether raw keeps the newest edition of its part alone."""
        return self.dataset.keep_releases == "newest_of_each_part"


def identify(connection: psycopg.Connection, source: Source, name: str, landed: LandedFile) -> Identified:
    """What a landed file is.

    Args:
        connection: as vru_loader, in a transaction.

    Raises:
        FaultyFile: its name does not say what it is about.
        Refusal: the corrections of its source are not valid.
    """
    dataset = source.dataset(name)
    part = part_of(dataset, landed.provenance.file_name)
    withdrawal = events.state_of(landed.path).withdrawal
    now = landed
    if withdrawal and landed.arrived_at > landed.provenance.landed_at:
        # It speaks as of now: what came in between is older.
        events.note_return(landed.path, landed.arrived_at)
        provenance = dataclasses.replace(landed.provenance, landed_at=landed.arrived_at)
        now = dataclasses.replace(landed, provenance=provenance)
    if dataset.keep_releases == "newest_of_each_part":
        now = editions.as_returned(connection, source, name, part, now)
    corrections = corrections_of(source.source, landed.provenance.sha256)
    return Identified(source, name, now, landed, part, corrections, withdrawal)


def part_of(dataset: Dataset, file_name: str) -> str:
    """What a file is about besides its date, by its name; empty where a file is about all of its dataset.

    Raises:
        FaultyFile: the name does not say it.
    """
    if dataset.part_pattern is None:
        return ""
    found = re.fullmatch(dataset.part_pattern, file_name)
    if found is None:
        reason = f"has a name that does not say what it is about: {dataset.part_pattern}"
        raise FaultyFile([file_fault("NAME_UNKNOWN", reason)], 0, "give the file the name it was published under")
    return found[1]
