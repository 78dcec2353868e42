"""What a source declares in its source.yml, strictly: an unknown key is an error that names file and key."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest.errors import Refusal

SOURCES = Path(__file__).resolve().parent / "sources"
SEEDS = SOURCES.parent.parent / "dbt_project" / "seeds"


def _is_identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", value):
        raise ValueError("must be lower_snake_case, at most 41 characters")
    return value


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression ({error})") from error
    return value


Identifier = Annotated[str, AfterValidator(_is_identifier)]
Pattern = Annotated[str, AfterValidator(_is_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(_Strict):
    """A number as a column holds it, in the grammar of `ingest.readers.numbers`; raw keeps the text.

    at_least, at_most: both included; what lies outside is refused by its row, because the marts cannot hold it.
    """

    at_least: float | None = None
    at_most: float | None = None
    is_whole: bool = False


class Column(_Strict):
    """A column of the published file: its name in raw, and every header the publisher has used for it.

    header_pattern is for a header that says something of the request or the day, and so is never the same.
    A column that may be missing is blank where a file lacks it. One that is dropped is in landing and never in raw.
    pattern_is: what matches the pattern, in words, for who has to put a value right.
    check_digit: the scheme by which the last digit of a number vouches for the others; it needs a pattern of digits.
    """

    name: Identifier
    headers: tuple[str, ...] = ()
    header_pattern: Pattern | None = None
    pattern: Pattern | None = None
    pattern_is: str = ""
    number: Number | None = None
    check_digit: Literal["verhoeff"] | None = None
    may_be_blank: bool = False
    may_be_missing: bool = False
    is_personal: bool = False
    is_dropped: bool = False
    # It may be blank only in a row where one of these columns has one of these values.
    blank_only_where: dict[Identifier, tuple[str, ...]] = {}

    @property
    def is_never_blank(self) -> bool:
        return not self.may_be_blank and not self.blank_only_where

    @model_validator(mode="after")
    def _has_a_header(self) -> Self:
        if not self.headers and self.header_pattern is None:
            raise ValueError("must have headers, or a header_pattern")
        if self.number and self.pattern:
            raise ValueError("must be a number or have a pattern, not both")
        return self


class CodeList(_Strict):
    """A seed that lists every value a column (or columns together) may take. An unlisted value refuses the file.

    vintage names the seed's column that says which vintage of the publisher's list a value belongs to; a file is of one vintage.
    code names the seed's column that two spellings of one value share.
    only_where names columns and the value each must have for a row to be held to the list; other rows are free.
    not_required names codes that files of this dataset lack although the list requires them.
    """

    columns: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    seed: str
    keys: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    where: dict[str, str] = {}
    only_where: dict[Identifier, str] = {}
    not_required: tuple[str, ...] = ()
    vintage: Identifier | None = None
    code: Identifier | None = None


class MonthColumns(_Strict):
    """A file with a column per month: which headers are months, how they are written (as strptime reads them), and what a
    cell may hold.

    notes_below: text under the last row, with no month filled, is a note on the table and no row of it.
    cells: a row of raw each, or together in one row of raw a row of the file (first month, and the cells from it on, separated by
    commas). Files of small areas have millions of cells, most of them 0.
    """

    header_pattern: Pattern
    header_forms: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y%m",)
    notes_below: bool = False
    cell_pattern: Pattern
    cell_is: str
    cells: Literal["a_row_each", "together"] = "a_row_each"


class Complete(_Strict):
    """What a whole file never lacks: each required value of the vintage list, once for each member of an area list.

    A file cut at the end of a line looks whole; this is how the two are distinguished.
    """

    across: Identifier
    seed: str
    key: Identifier
    code: Identifier
    where: dict[str, str] = {}
    members_seed: str
    members_code: Identifier


class Sheets(_Strict):
    """The sheets of a workbook that are read: those whose name matches, each with its header in its first row; none of
    `required` may be missing.

    One raw table takes them all, and says in its column `sheet` which row is of which. A file that is no workbook has no sheet.
    is_one: a workbook is one sheet, the same table that the publisher gives as text, and raw does not say its name.
    others_are_unknown: a sheet that is read and not required is one that nobody declared, and refuses the file.
    """

    name_pattern: Pattern
    required: tuple[str, ...] = ()
    is_one: bool = False
    others_are_unknown: bool = False
    # A formula is refused, unless it sums cells above it and comes to what the file says.
    sums_are_data: bool = False


class Period(_Strict):
    """The column that says which time a row is about, and the forms it is written in (as strptime reads them).

    else_columns say it together, with a space between, in a file that lacks that column.
    only_where: a row whose value does not match is about no time, such as a line of totals among the months.
    within: the time is what the group of this pattern finds in the value: the last month of 'Oct 2016-Sep 2017', say.
    """

    column: Identifier
    forms: Annotated[tuple[str, ...], Field(min_length=1)]
    only_where: Pattern | None = None
    within: Pattern | None = None
    else_columns: tuple[Identifier, ...] = ()

    @property
    def columns(self) -> tuple[Identifier, ...]:
        """Every column that may say the time."""
        return (self.column, *self.else_columns)


class Layout(_Strict):
    """How the bytes are read.

    unique: no two rows of a file (or sheet) agree in all of these columns; a column that a file lacks is left out.
    repeats: what becomes of a row that agrees with an earlier one in every column: it is refused as any other that agrees in the
    unique ones, or, where the publisher gives rows twice, it is left out, counted and warned about.
    bad_rows: what becomes of a file with a row that is not as declared: it is refused whole, or such rows are quarantined,
    each with its reason, as long as they are no more than at_most_quarantined of it.
    """

    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    sheets: Sheets | None = None
    month_columns: MonthColumns | None = None
    period: Period | None = None
    # The column whose sum says how much a new release changed; without one, rows are counted.
    value_column: Identifier | None = None
    # The column that says which area a row is of: a new release may not lose most of an area's rows either.
    area_column: Identifier | None = None
    # The first month of a file may be one that had all but left its window: a fraction of the month.
    first_month_may_be_partial: bool = False
    code_lists: tuple[CodeList, ...] = ()
    complete: Complete | None = None
    unique: tuple[Identifier, ...] = ()
    repeats: Literal["refuse", "leave_out"] = "refuse"
    bad_rows: Literal["refuse", "quarantine"] = "refuse"
    at_most_quarantined: Annotated[float, Field(gt=0, lt=1)] = 0.05
    rows_may_be_short: bool = False
    # Only where a value cut short is found otherwise: the last column is held to a list, or records say how many there are.
    last_line_may_be_open: bool = False
    # A file of several pages is a stored zip of them, each as it came.
    in_pages: bool = False

    @property
    def is_of_people(self) -> bool:
        """Whether its rows are of persons: then no text of theirs may be shown, whichever column it stands in."""
        return any(column.is_personal for column in self.columns)

    def shown(self, column: Column, value: str) -> str | None:
        """A value as messages, quarantine and ledgers may show it; None where it may be personal.

        In rows of persons a name may have slipped into any column. What has the form of its column has not.
        """
        form = r"[-+.eE0-9]{1,20}" if column.number else column.pattern
        has_form = form is not None and re.fullmatch(form, value, re.ASCII) is not None
        return value if not column.is_personal and (has_form or not value or not self.is_of_people) else None

    @property
    def every_header(self) -> tuple[str, ...]:
        """Every header that is declared by its name."""
        return tuple(header for column in self.columns for header in column.headers)

    @property
    def has_sheet_column(self) -> bool:
        """Whether raw says of each row which sheet it is of."""
        return self.sheets is not None and not self.sheets.is_one

    @property
    def may_be_workbook(self) -> bool:
        return self.sheets is not None

    @property
    def may_be_zip(self) -> bool:
        """Whether a file may begin as a zip archive does: a workbook, or pages."""
        return self.may_be_workbook or self.in_pages

    @property
    def named_columns(self) -> dict[str, tuple[str, ...]]:
        """The columns that rules name, by the rule."""
        return {
            "value_column": (self.value_column,) if self.value_column else (),
            "area_column": (self.area_column,) if self.area_column else (),
            "unique": self.unique,
        }

    @property
    def kept_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.is_dropped)


class DatastoreFile(_Strict):
    """A file of a London Datastore dataset, found among the dataset's resources by its name, or by a pattern of the names it has had."""

    kind: Literal["london_datastore"]
    package: str
    file_name: str
    file_pattern: Pattern | None = None


class FileAtUrl(_Strict):
    """A file at one address, which says which edition it is: the path below the source's base URL."""

    kind: Literal["file_at_url"]
    path: str


class Inbox(_Strict):
    """A folder into which files of a publisher that publishes nowhere are put: `inbox/<source>/<folder>/` of this home, or of an
    object store where VRU_INBOX_URL names one.

    folder: the dataset's name unless given: two datasets may read the same file.
    download: the path, below the source's base URL, of an export that the publisher agreed to serve to us. Off unless given, and
    without effect unless there is a key (`VRU_<SOURCE>_KEY` or `secrets/<source>_key`).
    """

    kind: Literal["inbox"]
    folder: Identifier | None = None
    download: str | None = None


class Own(_Strict):
    """A connector of the source's own, `connector.py` in its folder, which knows what it asks for."""

    kind: Literal["own"]


Location = Annotated[DatastoreFile | FileAtUrl | Inbox | Own, Field(discriminator="kind")]


class Release(_Strict):
    """How a file's release date follows from its newest month where nobody says it: that month plus so many."""

    months_after_newest: int


class CountedIn(_Strict):
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


class Dataset(_Strict):
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
    # Event files are large, and only the newest release of each part is kept in raw. Landing keeps all.
    keep_releases: Literal["all", "newest_of_each_part"] = "all"
    # How much of a month's rows or values, or of an area's rows, a new release may take back before it is taken for a file that was cut.
    may_lose: Annotated[float, Field(gt=0, le=1)] = 0.5
    counted_in: CountedIn | None = None
    max_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024


class Source(_Strict):
    """A publisher: who they are, under what terms, where they publish, and their datasets."""

    source: Identifier
    publisher: str
    licence: str
    licence_url: str
    attribution: str
    classification: Literal["OFFICIAL", "OFFICIAL-SENSITIVE"]
    owner: str
    legal_gateway: str
    publish_rule: str
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


def raw_columns(layout: Layout) -> tuple[str, ...]:
    """The published columns of a dataset as raw holds them, in order; a month file adds the month's header and its cell, a
    workbook the sheet."""
    names = tuple(column.name for column in layout.kept_columns)
    sheet = ("sheet",) if layout.has_sheet_column else ()
    months: tuple[str, ...] = ()
    if layout.month_columns:
        months = ("month_header", "cell") if layout.month_columns.cells == "a_row_each" else ("first_month", "cells")
    return (*names, *sheet, *months)


def read_source(file: Path) -> Source:
    """One source.yml.

    Raises:
        Refusal: naming the file and every key that is unknown, missing or wrong.
    """
    try:
        found = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        source = Source.model_validate(found)
    except yaml.YAMLError as error:
        raise Refusal("DECLARATION_INVALID", f"is not valid YAML: {error}", where=str(file)) from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise Refusal("DECLARATION_INVALID", f"is not a valid source declaration: {wrong}", where=str(file)) from error
    problems = []
    if source.source != file.parent.name:
        problems.append(f"source: is {source.source!r} and stands in the folder {file.parent.name!r}")
    for name, dataset in source.datasets.items():
        columns = {column.name for column in dataset.layout.columns}
        problems += [
            f"datasets.{name}.columns.{column.name}.blank_only_where: {other!r} is not a declared column"
            for column in dataset.layout.columns
            for other in column.blank_only_where
            if other not in columns
        ]
        for period_column in dataset.layout.period.columns if dataset.layout.period else ():
            if period_column not in columns:
                problems.append(f"datasets.{name}.period: {period_column!r} is not a declared column")
        for key, named in dataset.layout.named_columns.items():
            problems += [
                f"datasets.{name}.{key}: {column!r} is not a declared column"
                for column in named
                if column not in columns
            ]
        if dataset.keep_releases == "newest_of_each_part" and dataset.part_pattern is None:
            problems.append(f"datasets.{name}.keep_releases: needs a part_pattern")
        if dataset.part_is_month and (dataset.part_pattern is None or dataset.layout.period is None):
            problems.append(f"datasets.{name}.part_is_month: needs a part_pattern and a period")
        for code_list in dataset.layout.code_lists:
            problems += [
                f"datasets.{name}.code_lists: {column!r} is not a declared column"
                for column in (*code_list.columns, *code_list.only_where)
                if column not in columns
            ]
            if not (SEEDS / f"{code_list.seed}.csv").is_file():
                problems.append(
                    f"datasets.{name}.code_lists: there is no seed {code_list.seed}.csv in dbt_project/seeds"
                )
    if problems:
        raise Refusal(
            "DECLARATION_INVALID", f"is not a valid source declaration: {'; '.join(problems)}", where=str(file)
        )
    return source


@cache
def read_sources(folder: Path = SOURCES) -> dict[str, Source]:
    """Every declared source by id, in the order of their names.

    Raises:
        Refusal: as read_source; and when the folder declares none.
    """
    sources = [read_source(file) for file in sorted(folder.glob("*/source.yml"))]
    if not sources:
        raise Refusal("NOT_DECLARED", "no source is declared", where=str(folder))
    return {source.source: source for source in sources}


def find_source(name: str, folder: Path = SOURCES) -> Source:
    """The source of that id.

    Raises:
        Refusal: when none is declared; lists those that are.
    """
    sources = read_sources(folder)
    if name not in sources:
        raise Refusal("NOT_DECLARED", f"no source {name!r} is declared", next_step=f"use one of {', '.join(sources)}")
    return sources[name]
