"""Delivering into an inbox: whole files, and a manifest that says that they are invented."""

import hashlib
import json
import os
import tempfile
from datetime import date
from pathlib import Path

from sandbox.safestats.feeds import files

MANIFEST = "manifest.json"


def fill(inbox: Path, *, today: date, seed: int = 1) -> int:
    """Puts what is delivered by a day into `inbox/safestats/<folder>/`, and says in each folder's manifest that it is invented.

    A folder that holds somebody else's files is left alone.

    Returns:
        How many files were written; 0 where all were there.
    """
    written = 0
    manifests: dict[Path, dict[str, dict[str, object]]] = {}
    for file in files(today, seed):
        folder = inbox / "safestats" / file.folder
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in manifests:
            manifests[folder] = _known(folder)
        known = manifests[folder]
        if any(
            entry.name not in known
            for entry in folder.iterdir()
            if entry.name != MANIFEST and not entry.name.startswith(".")
        ):
            continue
        sha256 = hashlib.sha256(file.body).hexdigest()
        if known.get(file.name, {}).get("sha256") == sha256 and (folder / file.name).is_file():
            continue
        known[file.name] = {"sha256": sha256, "release_date": file.released_on.isoformat(), "is_synthetic": True}
        # The manifest first: a file that it does not know yet would be taken for a real one.
        _put(folder / MANIFEST, json.dumps({"files": known}, indent=1).encode() + b"\n")
        _put(folder / file.name, file.body)
        written += 1
    return written


def _known(folder: Path) -> dict[str, dict[str, object]]:
    try:
        told: dict[str, dict[str, object]] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (FileNotFoundError, ValueError, KeyError):
        return {}
    return {name: entry for name, entry in told.items() if entry.get("is_synthetic") is True}


def _put(path: Path, body: bytes) -> None:
    """Write a file whole or not at all: nobody may read half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(handle, "wb") as target:
        target.write(body)
    Path(name).chmod(0o644)
    Path(name).replace(path)
