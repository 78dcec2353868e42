"""SafeStats: every sheet of the ambulance workbook has the 32 boroughs and the City; events stay where and what they were."""

from __future__ import annotations

from ingest.checks.labels_agree import check_code_and_name_agree
from ingest.checks.rows_kept import MAY_GROW, check_not_doubled, check_rows_kept
from ingest.delivery import Delivery, Labels, area_names, borough_names, seed
from ingest.editions import Edition
from ingest.readers.text import folded

CITY = "E09000001"
CELLS_BY = {name: name for name in ("sheet", "borough_name", "month_header")}
KEPT_BY = {name: name for name in ("event_date", "borough_name", "category")}


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`: a month fills up, and few of its events are taken back or moved."""
    if delivery.dataset.part_is_month:
        check_not_doubled(delivery, edition, number=["event_id"], area="borough_name")
        # What has no borough yet may be placed.
        check_rows_kept(delivery, edition, KEPT_BY, where="borough_name <> ''")
    elif delivery.name == "ambulance_borough":
        check_rows_kept(delivery, edition, CELLS_BY, value="cell", may_grow=MAY_GROW)
    return []


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    if delivery.dataset.part_is_month:
        check_code_and_name_agree(delivery, "lsoa_code", "borough_name")
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
