"""What pages are made of, before any of it is read: topics, their figures, and the columns of the tables beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Rows = Sequence[Row]
# How each edition is marked, on every page and file.
MARKINGS = {"partner": "OFFICIAL-SENSITIVE", "open": "OFFICIAL"}
# Measures that every pack shows, by what a title calls them.
HEADLINES = {
    "sv_core_separable": "four offence groups (proxy)",
    "mps_homicide": "homicide offences",
    "mps_violence_with_injury": "violence with injury",
    "mps_robbery_personal": "personal robbery",
    "mps_knife_crime": "knife crime",
    "mps_weapons_possession": "possession of weapons",
    "mps_rape": "rape",
    "safestats_las_assaults": "assaults attended by ambulance",
}


@dataclasses.dataclass(frozen=True)
class Area:
    """What a pack is about.

    Attributes:
        slug: its folder in the site.
    """

    code: str
    name: str
    slug: str

    @property
    def is_london(self) -> bool:
        """Whether it is London as a whole."""
        return self.code == LONDON_CODE


LONDON_CODE = "LONDON_32"
LONDON = Area(LONDON_CODE, "London", "london")

# A text of a figure: itself, or what makes it of the figure's rows and of the area.
Words = str | Callable[[Rows, Area], str]
Shape = Callable[[Rows, Area], list[dict[str, Any]]]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the table beside a chart.

    Attributes:
        name: of the query's column.
        kind: how it is written: text, long (sentences), code (a short value of the marts, in words), count, rate, unit (of a rate of a year: residents as a number), number, percent, signed, month, day, moment, flag (with `words`).
        words: of a flag, what true and false are called.
    """

    name: str
    heading: str
    kind: str = "text"
    words: tuple[str, str] = ("yes", "no")


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure of a page: a chart with its table, or a table alone.

    Attributes:
        key: its name in the page's address and of its files; unique in a pack.
        query: the file in queries/ that gives its rows.
        title: the finding, in about ten words.
        subtitle: the statistic: what is counted, where, when, per what.
        columns: of the table; the first names the row.
        chart: the kind of chart (a function of warehouse.site.charts); none for a table alone.
        unit: of the chart's values, where the axis is to say it.
        only: values that columns of its rows have: other rows of the query are other figures.
        keep: which of those rows it shows, where that is not a matter of values.
        shaped: the rows as the chart wants them; nothing is worked out there.
        note: what has to be known to read it.
        name: its heading where it has no rows, and `nothing` what is said then; made of the key, and a sentence for all, where not given.
        report: the mart that `vru trace` finds its files by; empty where it cannot.
    """

    key: str
    query: str
    title: Words
    subtitle: Words
    columns: tuple[Column, ...]
    chart: str = ""
    unit: str = ""
    only: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    keep: Callable[[Row], bool] | None = None
    shaped: Shape | None = None
    note: str = ""
    report: str = ""
    name: str = ""
    nothing: str = ""


@dataclasses.dataclass(frozen=True)
class Topic:
    """A page that every pack has.

    Attributes:
        number: its place among the thirteen, from 0.
        slug: its file's name.
        title: its heading.
        asks: the question that it answers, one sentence.
        figures: in the order of the page.
        chapters: of marts.rpt_sna_facts: its sentences stand above the figures.
        questions: of marts.rpt_gap: what is missing of their answers stands below.
    """

    number: int
    slug: str
    title: str
    asks: str
    figures: tuple[Figure, ...] = ()
    chapters: tuple[str, ...] = ()
    questions: tuple[int, ...] = ()
