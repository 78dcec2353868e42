"""What no file may carry: NHS numbers, names of persons, dates of birth, full postcodes, crime references beside a victim.

Recognised by what a column is called and by what its cells hold. By content a share of the cells of a column must be so: one number in
eleven is an NHS number by chance. What is found is told by its kind and its column, never by its value. needs_assessment 4.3.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ingest.readers.cells import BLOCK, tables_of
from ingest.readers.check_digits import is_nhs_number, is_verhoeff
from ingest.readers.forenames import FORENAMES

NHS_NUMBER = "NHS numbers"
NAME = "names of persons"
BIRTH = "dates of birth"
POSTCODE = "full postcodes"
CRIME_OF_VICTIM = "crime references beside a victim"

LOOKED_AT = 120  # rows of a table that are looked at for names and dates of birth, and for headers HEADERS
HEADERS = 10
MOST_DISTINCT = 5_000  # values of a column that are told apart
LEAST_POSTCODES = 0.1  # of the cells of a column that says nothing of postcodes
LEAST_NAMES = 0.5
FEWEST_NAMES = 4  # that differ
FEWEST_DATES, LEAST_DATES, YEARS_OF_A_LIFE = 5, 0.8, 40  # a series of events that long is still to come

_PERSON = (
    "(?:patient|pt|victim|suspect|offender|accused|person|nominal|complainant|witness|caller|defendant|perpetrator|next of kin"
    "|pupil|student|injured party)s?"
)
_HEADERS = {
    NHS_NUMBER: re.compile(rf"(?:{_PERSON} )?nhs ?(?:number|no|num|nbr|id|identifier)"),
    NAME: re.compile(
        rf"(?:{_PERSON} )?(?:first|given|middle|last|family|full|birth|maiden|previous|preferred) ?names?"
        rf"|(?:{_PERSON} )?(?:fore ?names?|sur ?names?)|{_PERSON} names?|names? of (?:the )?{_PERSON}"
    ),
    BIRTH: re.compile(rf"(?:{_PERSON} )?(?:dob|d o b|date of birth|birth ?date|date born)"),
}
_POSTCODE_HEADER = re.compile(r"\b(?:post ?code|postal code|pcds?)\b(?!.*\b(?:sector|district|area|outward)\b)")
_CRIME_HEADER = re.compile(
    r"(?:.* )?(?:crime|cris|offence|occurrence) ?(?:ref|reference|number|no|num|id|urn)(?: number| no)?"
)
_VICTIM_HEADER = re.compile(r"\b(?:victim|complainant|aggrieved|injured party)\b")

_TEN_DIGITS = re.compile(r"(?<![0-9A-Za-z.])\d{3}(?:( |-)\d{3}\1|\d{3})\d{4}(?![0-9A-Za-z]|\.\d)", re.ASCII)
_UNIT_POSTCODE = re.compile(
    r"(?<![0-9A-Z])([A-Z]{1,2})\d[0-9A-Z]? {0,2}\d[ABD-HJLNP-UW-Z]{2}(?![0-9A-Z])", re.IGNORECASE | re.ASCII
)
# Royal Mail's areas: without them, a code of a road and a house is a postcode.
_AREAS = frozenset(
    re.findall(
        "[A-Z]+",
        """
AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU GY HA HD HG
HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG
SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE""",
    )
)
_TITLED = re.compile(r"(?:mr|mrs|ms|miss|master|mx)\.? [a-z][a-z'\-]+(?: [a-z'\-]+){0,3}", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z][A-Za-z'\-]*(?:,? [A-Za-z][A-Za-z'\-]*\.?){0,3}")
_DATES = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y")
_A_DATE = re.compile(r"(?P<day>\d{1,4}[-/. ]?[A-Za-z0-9]{2,9}[-/. ]?\d{2,4})(?:[T ]00:00(?::00)?(?:\.0+)?)?", re.ASCII)

# A text with every digit turned to 9, every letter to A, the point of a number to x and all but spaces and hyphens to a comma: what is
# looked for then has one of a few shapes, and most files hold none of them.
_SHAPE = bytes(
    ord("9") if byte < 128 and chr(byte).isdigit()
    else ord("A") if byte < 128 and chr(byte).isalpha()
    else byte if byte in b" -" else ord("x") if byte in b"." else ord(",")
    for byte in range(256)
)  # fmt: skip
_TOKENS = bytes(ord(",") if byte in b" -" else byte for byte in range(256))
_IN_GROUPS = (
    b"999 999 9999",
    b"999-999-9999",
    *(one + b" 9AA" + edge for one in (b"A9", b"99", b"9A") for edge in (b",", b" ", b"-")),
)
_IN_ONE = tuple(
    b"," + one + b"," for one in (b"9999999999", b"A99AA", b"AA99AA", b"A999AA", b"AA999AA", b"A9A9AA", b"AA9A9AA")
)


@dataclasses.dataclass(frozen=True)
class Found:
    """A kind of identifier that a file carries, and where.

    Attributes:
        kind: in words.
        column: its place in its table, from 1.
        header: what the column is called where that is what told of it: words of our own list, and so nobody's.
        table: which sheet or page of the file, from 1; 0 where it has one.
    """

    kind: str
    column: int
    header: str = ""
    table: int = 0

    def __str__(self) -> str:
        place = f"column {self.column}" + (f" ({self.header})" if self.header else "")
        return f"{self.kind} in {place}" + (f" of table {self.table}" if self.table else "")


def identifiers_in(file: Path) -> list[Found]:
    """The identifiers that a file carries, by table and column; none where it carries none, or cannot be opened safely.

    Args:
        file: text, JSON, XLSX, ODS, or an archive of texts.
    """
    found = [_of_table(rows) for rows in tables_of(file, _lines_worth_reading)]
    if len(found) == 1:
        return found[0]
    return [dataclasses.replace(one, table=number) for number, table in enumerate(found, 1) for one in table]


def _lines_worth_reading(text: IO[bytes]) -> int | None:
    """How many lines of a text are to be read: all (None) where it holds anything of the shape of a number or a postcode."""
    rest = b","
    while block := text.read(BLOCK):
        if b"\0" in block:
            return None
        shape = rest + block.translate(_SHAPE)
        if any(one in shape for one in _IN_GROUPS):
            return None
        tokens = shape.translate(_TOKENS)
        if any(one in tokens for one in _IN_ONE):
            return None
        rest = shape[-32:]
    # The last line may be open.
    return None if any(one in (rest + b",").translate(_TOKENS) for one in _IN_ONE) else LOOKED_AT


def _of_table(rows: Iterable[list[str]]) -> list[Found]:
    headers: list[Found] = []
    columns: dict[int, _Column] = {}
    crimes: list[Found] = []
    has_victim = False
    for number, row in enumerate(rows):
        for index, cell in enumerate(row):
            if not cell or cell.isspace():
                continue
            if number < HEADERS and len(cell) < 80:
                name = _normalised(cell)
                headers += [Found(kind, index + 1, name) for kind, form in _HEADERS.items() if form.fullmatch(name)]
                if _CRIME_HEADER.fullmatch(name):
                    crimes.append(Found(CRIME_OF_VICTIM, index + 1, name))
                has_victim |= _VICTIM_HEADER.search(name) is not None
            column = columns.get(index) or columns.setdefault(index, _Column())
            column.see(cell, number)
    by_content = [
        Found(kind, index + 1) for index, column in sorted(columns.items()) for kind in column.kinds()
    ]  # fmt: skip
    told = {(one.kind, one.column) for one in headers}
    found = [
        *headers,
        *(crimes[:1] if has_victim else []),
        *(one for one in by_content if (one.kind, one.column) not in told),
    ]
    return list(dict.fromkeys(found))


def _normalised(name: str) -> str:
    """A header as words: NHSNumber, nhs_number and "NHS Number" are one."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", apart.lower().replace("'s", "s")).split())


class _Column:
    """What the cells of one column come to."""

    def __init__(self) -> None:
        self.cells = self.postcode_cells = self.sampled = self.dates = 0
        self.numbers: dict[str, bool] = {}  # ten digits: whether they were written in groups
        self.postcodes: set[str] = set()
        self.values: set[str] = set()
        self.days: set[dt.date] = set()
        self.says_postcode = False

    def see(self, cell: str, number: int) -> None:
        """Take one cell that is not blank, of the row of that number."""
        self.cells += 1
        if number < HEADERS and len(cell) < 80 and _POSTCODE_HEADER.search(_normalised(cell)):
            self.says_postcode = True
        if len(cell) >= len("E11AA"):
            self._see_codes(cell)
        if 0 < number < LOOKED_AT:
            self.sampled += 1
            if len(cell) < 80:
                self.values.add(cell.strip())
            if cell[:1].isdigit() and (day := _day(cell.strip())):
                self.dates += 1
                self.days.add(day)

    def _see_codes(self, cell: str) -> None:
        if len(cell) >= len("9434765919") and len(self.numbers) < MOST_DISTINCT:
            for one in _TEN_DIGITS.finditer(cell):
                self.numbers[one[0].replace(" ", "").replace("-", "")] = one[1] is not None
        codes = [one[0] for one in _UNIT_POSTCODE.finditer(cell) if one[1].upper() in _AREAS]
        if codes:
            self.postcode_cells += 1
            if len(self.postcodes) < MOST_DISTINCT:
                self.postcodes.update(code.replace(" ", "").upper() for code in codes)

    def kinds(self) -> list[str]:
        """The kinds of identifiers of which enough of the cells are."""
        tests = {
            NHS_NUMBER: self._are_nhs_numbers,
            POSTCODE: self._are_postcodes,
            NAME: self._are_names,
            BIRTH: self._are_births,
        }
        return [kind for kind, is_so in tests.items() if is_so()]

    def _are_nhs_numbers(self) -> bool:
        valid = [number for number in self.numbers if is_nhs_number(number)]
        # Codes of SNOMED CT have a check digit of their own, which one NHS number in ten has by chance.
        if not valid or 2 * len(valid) <= len(self.numbers) or all(map(is_verhoeff, self.numbers)):
            return False
        return len(valid) > 1 or self.numbers[valid[0]]

    def _are_postcodes(self) -> bool:
        if self.says_postcode:
            return bool(self.postcodes)
        return len(self.postcodes) > 1 and self.postcode_cells >= LEAST_POSTCODES * self.cells

    def _are_names(self) -> bool:
        titled = [value for value in self.values if _TITLED.fullmatch(value)]
        named = [value for value in self.values if value not in titled and _is_name(value)]
        enough = len(titled) > 1 or len(titled) + len(named) >= FEWEST_NAMES
        return enough and len(titled) + len(named) >= LEAST_NAMES * len(self.values)

    def _are_births(self) -> bool:
        if len(self.days) < FEWEST_DATES or self.dates < LEAST_DATES * self.sampled:
            return False
        # The first of each month is when a period begins.
        is_by_day = len({day.day for day in self.days}) >= FEWEST_DATES - 1
        return is_by_day and max(self.days).year - min(self.days).year >= YEARS_OF_A_LIFE


def _is_name(value: str) -> bool:
    """Whether a cell is a forename, alone or with up to three words more, in either order."""
    if not _WORDS.fullmatch(value):
        return False
    words = [word.strip(",.").casefold() for word in value.split()]
    return words[0] in FORENAMES or ("," in value and words[-1] in FORENAMES)


def _day(text: str) -> dt.date | None:
    found = _A_DATE.fullmatch(text)
    if found is None:
        return None
    for form in _DATES:
        try:
            return dt.datetime.strptime(found["day"], form).date()
        except ValueError:
            continue
    return None
