"""What is declared of the columns of a file: their names, forms, numbers and lists of values."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


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


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(Strict):
    """A number as a column holds it, in the grammar of `ingest.readers.numbers`; raw keeps the text.

    at_least, at_most: both included; what lies outside is refused by its row, because the marts cannot hold it.
    """

    at_least: float | None = None
    at_most: float | None = None
    is_whole: bool = False


class Column(Strict):
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


class CodeList(Strict):
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
