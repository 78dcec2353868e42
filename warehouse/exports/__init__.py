"""Exports: marts as files for spreadsheets and programs, whole or not at all, read by a reader's role and streamed in flat memory."""

from warehouse.exports.exporting import FORMATS, Written, export

__all__ = ["FORMATS", "Written", "export"]
