"""Whether a home holds real or synthetic data: the first landed file decides, and the two never meet."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ingest.errors import Refusal
from ingest.landing.files import INCOMING

REAL, SYNTHETIC = "real", "synthetic"
SYNTHETIC_BANNER = "SYNTHETIC DATA: invented by the stand-in publishers, for no decision whatever."


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
