"""The page of every publisher's edition that the release stands on: what a figure's editions lead to."""

from __future__ import annotations

from typing import Any

from warehouse.site import formats
from warehouse.site.model import LONDON
from warehouse.site.reading import Reader
from warehouse.site.rendering import Page

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
