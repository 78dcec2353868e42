"""SafeStats: every sheet of the ambulance workbook has the 32 boroughs and the City."""

from __future__ import annotations

from ingest.delivery import Delivery, Labels, area_names, borough_names, seed
from ingest.readers.text import folded

CITY = "E09000001"


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    if delivery.name != "ambulance_borough":
        return {}
    code_of = {
        folded(row["published_name"]): row["area_code"] for row in seed("area_aliases") if row["source"] == "safestats"
    }
    wanted = {*borough_names(), CITY}
    for sheet, labels in delivery.rows("select sheet, array_agg(distinct borough_name) from delivered group by sheet"):
        lacks = wanted - {code_of.get(folded(label)) for label in labels}
        if lacks:
            raise delivery.refuse(
                "AREAS_MISSING",
                f"has {len(wanted) - len(lacks)} of 33 areas in the sheet {sheet!r}: it lacks {area_names(sorted(lacks))}",
            )
    return {}
