"""What is meant to go from the marts: the list that publishing obeys (dbt_project/removed.csv)."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Collection
from pathlib import Path

from warehouse.platform.settings import PROJECT

FILE = PROJECT / "dbt_project" / "removed.csv"


@dataclasses.dataclass(frozen=True)
class Removals:
    """Marts and columns that a version of this code no longer builds, and that readers have been told of a release before.

    Attributes:
        marts: names of marts, tables or views.
        columns: pairs of a mart and a column of it.
    """

    marts: frozenset[str] = frozenset()
    columns: frozenset[tuple[str, str]] = frozenset()

    def of(self, mart: str, columns: Collection[str]) -> tuple[str, ...]:
        """Those of a mart's columns that are meant to go."""
        return tuple(name for name in columns if (mart, name) in self.columns)


NONE = Removals()


def read(file: Path | None = None) -> Removals:
    """The list: a line a mart (without a column) or a column, with the version that removed it and why.

    Args:
        file: another list than the project's own.
    """
    with (file or FILE).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return Removals(
        frozenset(row["mart"] for row in rows if not row["column"]),
        frozenset((row["mart"], row["column"]) for row in rows if row["column"]),
    )
