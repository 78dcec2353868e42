"""What messages call a file: by its name, which of a source of persons may hold one, and is then never shown."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ingest.declaration import read_sources

if TYPE_CHECKING:
    from ingest.landing import Provenance

SHOWN = 12  # digits of a hash that tell a file from every other of a home


def is_name_shown(source: str) -> bool:
    """Whether messages may tell the names of a source's files: none of its datasets is of persons."""
    declared = read_sources().get(source)
    return declared is not None and not any(one.layout.is_of_people for one in declared.datasets.values())


def label_of(provenance: Provenance) -> str:
    """A landed file: "file knife.csv", or "file 3f2a90cc41b7", as its name in landing begins."""
    return label_by_hash(provenance.source, provenance.file_name, provenance.sha256)


def label_by_hash(source: str, file_name: str, sha256: str) -> str:
    """As `label_of`, of a file whose provenance are not at hand."""
    return f"file {shown_name(source, file_name, sha256)}"


def shown_name(source: str, file_name: str, sha256: str) -> str:
    """What a report gives for a file's name: the name, or "3f2a90cc41b7" where names are not shown."""
    return file_name if is_name_shown(source) else sha256[:SHOWN]


def shown_address(source: str, url: str | None) -> str | None:
    """What ledgers keep of where a file was: its address; where names are not shown, an inbox's folder and a hash of the name in it."""
    if url is None or is_name_shown(source) or url.startswith(("http://", "https://")):
        return url
    folder, _, name = url.rpartition("/")
    return f"{folder}/{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:SHOWN]}"


def label_by_position(source: str, label: str, names: list[str], name: str) -> str:
    """One of the files of a folder: by its name, or by its place among them.

    Args:
        label: the folder.
        names: those of its files, the name among them.
    """
    if is_name_shown(source):
        return f"{label}/{name}"
    return f"{label}, file {sorted(names).index(name) + 1} of {len(names)} by name"
