"""What is declared of a source: the publisher, the terms, and its datasets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ingest.declaration.columns import Identifier, Pattern, Strict
from ingest.declaration.handling import Handling
from ingest.declaration.layout import Layout
from ingest.declaration.locations import Location
from ingest.errors import Refusal


class Release(Strict):
    """How the date of an edition follows from its newest month where nobody says it: that month plus so many."""

    months_after_newest: int


class CountedIn(Strict):
    """Another feed that counts the same: a load that counts much less than it does was cut, and is set aside.

    source, datasets: that feed.
    label_here, label_there: under which label (`ops.load.label_counts`: "homicide 2025-01") each counts it; empty for all it has.
    counts: what that feed counts, in words.
    least_share: of what that feed has, in each month; together: in all months of both at once, where a month has too few.
    enough: less than this of that feed is no month of all London.
    only_parts: the parts of this dataset that are about the same area.
    """

    source: Identifier
    datasets: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    label_here: str = ""
    label_there: str = ""
    counts: str
    least_share: Annotated[float, Field(gt=0, lt=1)]
    together: bool = False
    enough: Annotated[int, Field(gt=0)]
    only_parts: Pattern = ".*"


class Dataset(Strict):
    """One dataset of a source."""

    title: str
    page_url: str
    cadence: Literal["monthly", "quarterly", "yearly"]
    stale_after_days: Annotated[int, Field(gt=0)]
    location: Location
    layout: Layout
    # Version of the form agreed with the publisher: ops.load notes which one a file was read by.
    contract: str | None = None
    release: Release | None = None
    # What a file is about besides its release: the first group of a pattern of its whole name. Of each part the newest release speaks.
    part_pattern: Pattern | None = None
    # The part is a month (YYYY-MM), or begins with one, and most rows must be of it: by its name a file says of which month it speaks, zeros included.
    part_is_month: bool = False
    # Event files are large, and only the newest edition of each part is kept in raw. Landing keeps all.
    keep_releases: Literal["all", "newest_of_each_part"] = "all"
    # How much of a month's rows or values, or of an area's rows, a new edition may take back before it is taken for a file that was cut.
    may_lose: Annotated[float, Field(gt=0, le=1)] = 0.5
    counted_in: CountedIn | None = None
    max_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024


class Source(Handling):
    """A publisher: who they are, under what terms, where they publish, how their data are to be handled, and their datasets."""

    source: Identifier
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    base_url: str
    allowed_hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    datasets: dict[Identifier, Dataset]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name.

        Raises:
            Refusal: when the source declares none; lists those it does.
        """
        try:
            return self.datasets[name]
        except KeyError:
            raise Refusal(
                "NOT_DECLARED",
                f"the source {self.source} declares no dataset {name!r}",
                next_step=f"use one of {', '.join(self.datasets)}",
            ) from None


def raw_table(source: str, dataset: str) -> str:
    """Name of the raw table of a dataset, without its schema."""
    return f"{source}__{dataset}"
