"""The second step of a load: a landed file opened, once, and its header found to be as declared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from ingest.errors import printable
from ingest.identify import Identified
from ingest.readers import month_columns, tables
from ingest.readers.faults import LONGEST, FaultyFile, next_step_for, shortened
from ingest.readers.headers import Header
from ingest.readers.month_columns import MonthFile
from ingest.readers.tables import Table


@dataclasses.dataclass(frozen=True)
class Opened:
    """A file whose header is as declared.

    Attributes:
        file: the file that was opened.
        content: all of a file with a column a month, which has no fault; of any other its tables, their rows still to be read.
        vintage: which vintage of the publisher's categories it is written in, or of the form agreed with the publisher.
        drift: by kind, how its columns differ from those declared (`ingest.ledger.describe_drift`).
    """

    file: Identified
    content: MonthFile | list[Table]
    vintage: str | None
    drift: dict[str, list[str]]


def open_file(file: Identified) -> Opened:
    """Open a landed file; one with a column a month is read whole.

    Raises:
        FaultyFile: it is not what its declaration says.
    """
    is_of_months = file.dataset.layout.month_columns is not None
    opened = _open_months(file) if is_of_months else _open_rows(file)
    drift = opened.drift
    if file.corrections:
        drift = {**drift, "corrections": [str(correction) for correction in file.corrections]}
    return dataclasses.replace(opened, drift=drift, vintage=opened.vintage or file.dataset.contract)


def _open_months(file: Identified) -> Opened:
    found = month_columns.read(file.landed.path, file.dataset.layout, file.corrections)
    if found.faults or not found.tables:
        next_step = next_step_for(found.faults)
        if any(fault.column == "header" for fault in found.faults):
            next_step += (
                f"; if a header of this very file is mistyped, confirm what it should be in ingest/sources/"
                f"{file.source.source}/corrections.yml (sha256 {file.landed.provenance.sha256}) and land it again"
            )
        raise FaultyFile(found.faults, len(found.rows), next_step)
    unknown = _unknown(table.header for table in found.tables)
    return Opened(file, found, found.vintage, {"new columns": unknown} if unknown else {})


def _open_rows(file: Identified) -> Opened:
    layout = file.dataset.layout
    found = tables.open_tables(file.landed.path, layout, file.corrections)
    unknown = _unknown(table.header for table in found)
    # A workbook's sheets may share its columns between them: what any of them has, the file does not lack.
    absent = [c.name for c in layout.columns if all(c.name in table.header.absent for table in found)]
    new = "new columns by place" if layout.is_of_people else "new columns"
    return Opened(
        file, found, None, {kind: names for kind, names in ((new, unknown), ("missing columns", absent)) if names}
    )


def _unknown(headers: Iterable[Header]) -> list[str]:
    """The names nobody declared, each once, as they may stand in the ledger."""
    return list(dict.fromkeys(shortened(printable(name), LONGEST) for header in headers for name in header.unknown))
