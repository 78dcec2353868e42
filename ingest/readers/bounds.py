"""How large the parts of a file may be. They are asked for before anything is made of them, so that what a file takes is bounded by its bytes.

Beside each bound stands the largest of the files that publishers have published.
"""

from __future__ import annotations

import csv
import io
import mmap
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

# Bytes of a line, and characters of a row that quotes spread over several lines: 1,581; so of a field: 329.
LINE = 128 * 1024
LINES = 2_000_000  # of a text, those that hold nothing among them: most of a million
CELLS = 40_000_000  # of a file with a column a month: 20 million
COLUMNS = 2_000  # of a header, and that a sheet may have cells in: 171
MEMBERS = 4_000  # of an archive: 92
SHEETS = 500  # of a workbook, and relations of one: 23 and 27
STRINGS = 2_000_000  # that a workbook shares: 10,043
DIRECTORY = 1024**2  # bytes of the list of members at an archive's end: 9,000

TOO_LONG = f"a row is longer than {LINE:,} characters"


def rows_of(text: TextIO, separator: str = ",") -> Iterator[list[str]]:
    """The rows of delimited text, none of them longer than a line may be, and no more lines than a text may have.

    Raises:
        csv.Error: a row is no row, or too long.
    """
    room, number = LINE, 0

    def lines() -> Iterator[str]:
        nonlocal room, number
        while line := text.readline(LINE + 1):
            number += 1
            room -= len(line)
            if room < 0:
                raise csv.Error(TOO_LONG)
            if number > LINES:
                raise csv.Error(f"a file has {LINES:,} lines at most")
            yield line

    try:
        for row in csv.reader(lines(), strict=True, delimiter=separator):
            room = LINE
            yield row
    except csv.Error as error:
        raise csv.Error(f"{error}, on line {number}") from None


def has_long_line(file: Path) -> bool:
    """Whether a line of a file is longer than a line may be. It leaps from line end to line end as far as a line may reach."""
    with file.open("rb") as handle:
        if not os.fstat(handle.fileno()).st_size:
            return False
        with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as body:
            start = 0
            while len(body) - start > LINE:
                end = body.rfind(b"\n", start, start + LINE)
                if end < 0:
                    end = body.rfind(b"\r", start, start + LINE - 1)  # not the half of an end that is too far
                if end < 0:
                    return True
                start = end + 1
    return False


class _Directory(io.FileIO):
    """A file of which nobody reads more than DIRECTORY bytes at once: an archive's list of members is read in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY:
            raise zipfile.BadZipFile(f"its list of members has {size:,} bytes, and one may have {DIRECTORY:,}")
        return super().read(size)


def members_of(file: Path) -> list[zipfile.ZipInfo]:
    """The members of an archive, as its directory lists them.

    Raises:
        zipfile.BadZipFile: it is none, or has more members than a real one.
    """
    with _Directory(file) as handle, zipfile.ZipFile(handle) as archive:
        members = archive.infolist()
    if len(members) > MEMBERS:
        raise zipfile.BadZipFile(f"it has {len(members):,} members, and one may have {MEMBERS:,}")
    return members


def check_sizes(file: Path) -> None:
    """See that each member of an archive unpacks to as many bytes as the directory says: by that they are judged.

    Raises:
        zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError: a member is damaged, or goes on beyond that.
    """
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            said = member.file_size
            member.file_size += 1  # asked for one byte more than there should be
            with archive.open(member) as stream:
                found = 0
                while block := stream.read(1024 * 1024):
                    found += len(block)
            if found != said:
                raise zipfile.BadZipFile(f"a member has more bytes than the {said:,} that its directory says")
