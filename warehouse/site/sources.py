"""What figures lead to: the page of every publisher's edition that the release stands on, and that of every measure."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import LONDON, Column, Figure
from warehouse.site.reading import Reader
from warehouse.site.rendering import Page
from warehouse.site.shown import show

HEADINGS = (
    "Edition",
    "Dataset",
    "Publisher",
    "Released",
    "Part",
    "Fetched",
    "Rows",
    "Set aside",
    "Address",
    "SHA-256",
    "Licence and attribution",
)

MEASURES = Figure(
    "measures", "measures", lambda rows, area: f"{len(rows)} measures, and what each counts", "Definition, caveat and licence of every measure of the marts",
    (
        Column("measure_name", "Measure"), Column("definition", "Definition", "long"), Column("caveat", "Caveat", "long"), Column("proxy_of", "Stands in for"),
        Column("unit", "Unit"), Column("attribution", "Attribution", "long"), Column("licence", "Licence"), Column("measure_code", "Code"),
    ),
)  # fmt: skip


def measures_page(reader: Reader, given: dict[str, Any]) -> Page:
    """The page of measures, whose file of rows the descriptions of all figures name."""
    context = {
        **given,
        "heading": "Measures",
        "area_label": "",
        "asks": "What do the figures count?",
        "paragraphs": [],
        "tables": [],
    }
    return Page("measures.html", "plain.html.j2", LONDON, context, (show(reader, MEASURES, LONDON),))


def sources_page(reader: Reader, given: dict[str, Any]) -> Page:
    """The page of editions."""
    rows = [
        {
            "id": f"e-{row['sha256'][:8]}",
            "cells": [
                row["source_release"], row["title"], row["publisher"], formats.day(row["release_date"]) if row["release_date"] else formats.MISSING,
                row["part"] or "whole", formats.moment(row["fetched_at"]), formats.count(row["row_count"]),
                formats.count(row["quarantined_row_count"] or 0), row["address"] or "landed by hand", row["sha256"], f"{row['attribution']} {row['licence']}",
            ],
        }
        for row in reader.rows("editions")
    ]  # fmt: skip
    seen: set[str] = set()
    for row in rows:
        row["id"] = "" if row["id"] in seen else row["id"]
        seen.add(str(row["id"]))
    listed = {
        "title": f"{len(rows)} editions",
        "subtitle": "Each file as it was published, with the hash of its bytes. Its hash begins with the digits that a figure's edition gives.",
        "columns": HEADINGS,
        "rows": rows,
        "nothing": "no edition is in this release",
    }
    context = {
        **given, "heading": "Sources", "area_label": "", "asks": "Which files do the figures come from?", "paragraphs": [], "tables": [listed],
    }  # fmt: skip
    return Page("editions.html", "plain.html.j2", LONDON, context)
