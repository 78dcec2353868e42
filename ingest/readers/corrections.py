"""Confirmed corrections: a header of one very file that is known to be wrong, and what it should have been.

A file that contradicts itself is refused. Where a person has found out which of its headers is mistyped, they say so in
`corrections.yml` in the source's folder, by the file's hash, and the change is reviewed like any other. Nothing is ever guessed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest import declaration
from ingest.errors import Refusal
from ingest.readers.faults import Fault, header_fault

FILE = "corrections.yml"


class Correction(BaseModel):
    """One header of one file (its SHA-256), on a sheet where it is a workbook, and what it is to be read as.

    column tells equal headers apart: its number, 1 is the first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    sheet: str = ""
    header: str
    column: Annotated[int, Field(gt=0)] | None = None
    read_as: Annotated[str, Field(min_length=1)]
    confirmed_by: Annotated[str, Field(min_length=2)]
    confirmed_on: dt.date
    reason: Annotated[str, Field(min_length=10)]

    def __str__(self) -> str:
        place = f"sheet {self.sheet}, " if self.sheet else ""
        return (
            f"{place}header {self.header!r} read as {self.read_as!r} "
            f"(confirmed by {self.confirmed_by} on {self.confirmed_on}: {self.reason})"
        )


class _Corrections(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    corrections: tuple[Correction, ...] = ()


def corrections_of(source: str, sha256: str, folder: Path | None = None) -> tuple[Correction, ...]:
    """The confirmed corrections of one file.

    Args:
        source: id of the source.
        sha256: of the file.
        folder: where the sources are declared; the project's unless given.

    Raises:
        Refusal: corrections.yml is there and is not valid: names every key that is unknown, missing or wrong.
    """
    file = (folder or declaration.SOURCES) / source / FILE
    if not file.is_file():
        return ()
    try:
        found = _Corrections.model_validate(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {})
    except yaml.YAMLError as error:
        raise Refusal(
            "DECLARATION_INVALID", f"is not valid YAML: {error}", where=str(file), kept="nothing was loaded"
        ) from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise Refusal(
            "DECLARATION_INVALID",
            f"is not a valid list of corrections: {wrong}",
            where=str(file),
            kept="nothing was loaded",
        ) from error
    return tuple(correction for correction in found.corrections if correction.sha256 == sha256)


def corrected(names: Sequence[str], sheet: str, corrections: Sequence[Correction]) -> tuple[list[str], list[Fault]]:
    """The headers of a table with its confirmed corrections, and what is wrong with those that do not fit it."""
    read_as = list(names)
    faults = []
    for correction in corrections:
        if correction.sheet != sheet:
            continue
        places = [
            index
            for index, name in enumerate(names)
            if name.strip() == correction.header and correction.column in (None, index + 1)
        ]
        if len(places) == 1:
            read_as[places[0]] = correction.read_as
        else:
            count = "no column" if not places else f"{len(places)} columns (say which with `column`)"
            faults.append(
                header_fault(
                    "CORRECTION_FITS_NOTHING",
                    f"is corrected in {FILE} and {count} of the file has it",
                    correction.header,
                )
            )
    return read_as, faults
