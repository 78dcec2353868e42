"""Bytes to text, and the signs that a body is not the file it should be."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable

from ingest.readers.faults import Fault, file_fault

ZIP = b"PK\x03\x04"
UTF_8 = "utf-8-sig"
SAVE_AS = "save its sheet as CSV (in Excel: File, Save As, 'CSV UTF-8 (Comma delimited)')"
_MARKS = {
    ZIP: "a zip archive (or a workbook)",
    b"\xd0\xcf\x11\xe0": "an old or encrypted Office file",
    b"\x1f\x8b": "packed with gzip",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"SQLite format 3": "a SQLite database",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
}


def encoding_of(first: bytes) -> str:
    """The encoding that the first bytes of a text say: UTF-16 where they mark it, else UTF-8, marked or not."""
    return "utf-16" if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else UTF_8


def is_text(beginning: bytes) -> bool:
    """Whether the beginning of a file is text in the encoding that it says; a character that is cut at its end is none of its faults."""
    try:
        codecs.getincrementaldecoder(encoding_of(beginning[:4]))().decode(beginning)
    except UnicodeDecodeError:
        return False
    return True


def separator_of(line: str, names: Iterable[str]) -> str:
    """What separates the fields of a text: the comma, unless a tab or a semicolon alone gives a header with names that we know.

    Args:
        line: its first line.
        names: the headers that are declared.
    """
    known = set(map(folded, names))

    def found(separator: str) -> int:
        try:
            return sum(folded(name) in known for name in next(csv.reader([line], delimiter=separator)))
        except (csv.Error, StopIteration):
            return 0

    return "," if found(",") else next((separator for separator in "\t;" if found(separator)), ",")


def not_delimited_text(first: bytes, *, may_be_workbook: bool = False) -> Fault | None:
    """What a body really is, when its first bytes say that it is no delimited text.

    Args:
        first: the first bytes of the body (512 are enough).
        may_be_workbook: whether a workbook, which is a zip archive, is as good.
    """
    if may_be_workbook and first.startswith(ZIP):
        return None
    for mark, what in _MARKS.items():
        if first.startswith(mark):
            way_out = f": unpack it, or {SAVE_AS}, and land that" if mark == ZIP else ""
            return file_fault("NOT_THE_FILE", f"is {what}, not delimited text in UTF-8{way_out}")
    encoding = encoding_of(first)
    if encoding == UTF_8 and b"\0" in first[:4]:
        reason = f"holds NUL bytes (it may be UTF-16), and is not delimited text in UTF-8: {SAVE_AS}, and land that"
        return file_fault("ENCODING_UNKNOWN", reason)
    start = first.decode(encoding, "ignore").lstrip()[:64].lower().encode()
    if not start:
        return file_fault("NO_ROWS", "is empty")
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return file_fault("NOT_THE_FILE", "is an HTML or XML page, not delimited text")
    if start.startswith((b"{", b"[")):
        return file_fault("NOT_THE_FILE", "is JSON, not delimited text")
    return None


def decode(body: bytes) -> str | Fault:
    """A body as text: UTF-8, with or without a byte order mark, or UTF-16 with one; without NUL.

    Returns:
        The text, or what keeps it from being one, with the line where that is.
    """
    try:
        text = body.decode(encoding_of(body[:4]))
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        name = error.encoding.upper().removesuffix("LE").removesuffix("BE")
        return file_fault("ENCODING_UNKNOWN", f"is not {name}: byte {body[error.start]:#04x} on line {line}")
    if "\0" in text:
        return file_fault(
            "ENCODING_UNKNOWN", f"holds a NUL byte on line {text.count(chr(10), 0, text.index(chr(0))) + 1}"
        )
    return text


def folded(label: str) -> str:
    """A label as it is compared: trimmed, runs of white space made one space, case folded."""
    return " ".join(label.split()).casefold()
