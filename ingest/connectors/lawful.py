"""Landing, for what may be kept: a file that carries identifiers of persons is refused whole, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

from ingest.errors import BodyRefused
from ingest.landing import LandedFile, Provenance, land
from ingest.naming import label_of
from ingest.readers.faults import some_of
from ingest.readers.identifiers import identifiers_in

KEPT = "nothing of it, neither bytes nor name; the sender's copy is where it was, and is the sender's to take away"
NEXT = "have its sender take these columns out and send it again; tell whoever answers for data protection (docs/data-protection.md)"


def carries(file: Path) -> str:
    """What a file carries that none may, by kind and column and never by value; empty where it carries nothing of the kind."""
    found = identifiers_in(file)
    return f"carries {some_of([str(one) for one in found])}" if found else ""


def land_lawful(landing: Path, body: Path, provenance: Provenance) -> LandedFile:
    """As `land`, once the file was looked through: what it may not carry never reaches landing, and so no backup of it.

    Raises:
        BodyRefused: it carries NHS numbers, names, dates of birth, full postcodes, or crime references beside a victim.
        Refusal: as `land`.
    """
    if wrong := carries(body):
        raise BodyRefused("PERSONAL_DATA", wrong, where=label_of(provenance), kept=KEPT, next_step=NEXT)
    return land(landing, body, provenance)
