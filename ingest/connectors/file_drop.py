"""Files that somebody hands over: on the command line, or in the inbox folder of a source that publishes nowhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from ingest.connectors.lawful import land_lawful
from ingest.declaration import Source
from ingest.errors import Refusal
from ingest.landing import LandedFile, Provenance, sha256_of


def take(
    landing: Path,
    source: Source,
    dataset: str,
    file: Path,
    now: dt.datetime,
    *,
    release_date: dt.date | None = None,
    is_synthetic: bool = False,
) -> LandedFile:
    """Land one file as if it had been fetched; it stays where it is.

    Args:
        landing: the landing folder.
        source: the declared source, which declares `dataset`.
        file: the file.
        now: the time for its provenance (UTC).
        release_date: when the publisher released it, if known; else it follows from the file. It is written down only when the
            file has been loaded with it, so that a mistyped one does not stick.
        is_synthetic: the file is invented.

    Raises:
        Refusal: the file cannot be read, is too large, carries identifiers of persons, or this home holds data of the other kind.
    """
    declared = source.dataset(dataset)
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise Refusal("FILE_NOT_THERE", "is not a file", where=str(file), kept="nothing was landed")
        if size > declared.max_bytes:
            raise Refusal(
                "FILE_TOO_LARGE",
                f"has {size:,} bytes, and a file of {source.source} {dataset} may have {declared.max_bytes:,}",
                where=str(file),
                kept="nothing was landed",
                next_step="check that it is the right file; if the publisher's has really grown, raise max_bytes in source.yml",
            )
        sha256, size = sha256_of(file)
    except OSError as error:
        raise Refusal(
            "FILE_NOT_THERE", f"cannot be read: {error.strerror}", where=str(file), kept="nothing was landed"
        ) from error
    provenance = Provenance(
        source=source.source,
        dataset=dataset,
        sha256=sha256,
        bytes=size,
        file_name=file.name,
        url=None,
        status=None,
        headers={},
        landed_at=now,
        licence=source.licence,
        attribution=source.attribution,
        release_date=None,
        is_synthetic=is_synthetic,
    )
    landed = land_lawful(landing, file, provenance)
    if release_date is None:
        return landed
    return dataclasses.replace(landed, provenance=dataclasses.replace(landed.provenance, release_date=release_date))
