"""What messages call a file: by its name, which of a source of persons may hold one, and is then told by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.declaration import read_sources

if TYPE_CHECKING:
    from ingest.landing import Papers

SHOWN = 12  # digits of a hash that tell a file from every other of a home


def is_told(source: str) -> bool:
    """Whether messages may tell the names of a source's files: none of its datasets is of persons."""
    declared = read_sources().get(source)
    return declared is not None and not any(one.layout.is_of_people for one in declared.datasets.values())


def called(papers: Papers) -> str:
    """A landed file: "file knife.csv", or "file 3f2a90cc41b7", as its name in landing begins."""
    return called_by_hash(papers.source, papers.file_name, papers.sha256)


def called_by_hash(source: str, file_name: str, sha256: str) -> str:
    """As `called`, of a file whose papers are not at hand."""
    return f"file {told_name(source, file_name, sha256)}"


def told_name(source: str, file_name: str, sha256: str) -> str:
    """What a report gives for a file's name: the name, or "3f2a90cc41b7" where nobody is told it."""
    return file_name if is_told(source) else sha256[:SHOWN]


def called_by_place(source: str, label: str, names: list[str], name: str) -> str:
    """One of the files of a folder: by its name, or by its place among them.

    Args:
        label: the folder.
        names: those of its files, the name among them.
    """
    if is_told(source):
        return f"{label}/{name}"
    return f"{label}, file {sorted(names).index(name) + 1} of {len(names)} by name"
