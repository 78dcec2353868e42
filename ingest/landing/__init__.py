"""Landing: every file exactly as it came, under its own hash, with its provenance and what happened to it beside it."""

from ingest.landing.events import clear_withdrawal, note_withdrawal, read_withdrawal
from ingest.landing.files import remove_half_landed, sha256_of
from ingest.landing.kind import REAL, SYNTHETIC, SYNTHETIC_BANNER, claim_kind, kind_held
from ingest.landing.provenance import LandedFile, Provenance, read_provenance
from ingest.landing.store import below_landing, erase, every_file, find, find_by_name, land

__all__ = [
    "REAL",
    "SYNTHETIC",
    "SYNTHETIC_BANNER",
    "LandedFile",
    "Provenance",
    "below_landing",
    "claim_kind",
    "clear_withdrawal",
    "erase",
    "every_file",
    "find",
    "find_by_name",
    "kind_held",
    "land",
    "note_withdrawal",
    "read_provenance",
    "read_withdrawal",
    "remove_half_landed",
    "sha256_of",
]
