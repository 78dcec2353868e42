"""What has to be said above every page: invented data, stale or held data."""

from __future__ import annotations

from ingest.landing import SYNTHETIC
from warehouse.site.reading import Reader

SYNTHETIC_TEXT = "Invented by the stand-in publishers, for no decision whatever. Every figure on this page is made up."
SHOWN = 4  # datasets by name


def of(reader: Reader) -> list[dict[str, str]]:
    """The banners of an edition, the gravest first: kind, label and text of each."""
    found = []
    if reader.release.data_kind == SYNTHETIC:
        found.append({"kind": "synthetic", "label": "Synthetic data.", "text": SYNTHETIC_TEXT})
    for state, label, text in (
        (
            "stale",
            "Some data are out of date.",
            "Their publishers have not been read, or have published nothing newer, for longer than they should:",
        ),
        (
            "held",
            "Some data are held back.",
            "Newer files were judged unfit, or the marts were rolled back; what stands is older:",
        ),
    ):
        titles = list(dict.fromkeys(row["title"] for row in reader.rows("status") if row["state"] == state))
        if titles:
            more = f" and {len(titles) - SHOWN} more" if len(titles) > SHOWN else ""
            found.append({"kind": state, "label": label, "text": f"{text} {'; '.join(titles[:SHOWN])}{more}."})
    return found
