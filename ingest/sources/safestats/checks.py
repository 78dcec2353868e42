"""SafeStats: every sheet of the ambulance workbook has the 32 boroughs and the City; events stay where and what they were."""

from __future__ import annotations

from ingest.checks.labels_agree import check_code_and_name_agree
from ingest.checks.rows_kept import MAY_GROW, check_not_doubled, check_rows_kept
from ingest.checks.shares import doubt_new_shares
from ingest.delivery import Delivery, Labels, area_names, borough_names, seed
from ingest.editions import Edition
from ingest.errors import Wrong
from ingest.readers.text import folded
from ingest.readers.times import day_of

CITY = "E09000001"
CELLS_BY = {name: name for name in ("sheet", "borough_name", "month_header")}
# A whole month of events goes on to its last days; of so many, none after the 20th is a month cut in order of time.
EVENTS_WITH_LAST_DAYS, LAST_DAYS = 100, 20
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


def doubt(delivery: Delivery, _: Edition | None) -> Wrong | None:
    """See `ingest.checks`: each borough and category has its share of a new month."""
    if not delivery.dataset.part_is_month:
        return None
    return doubt_new_shares(delivery, {"borough": "borough_name", "category": "category"}) or _ends_early(delivery)


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


def _ends_early(delivery: Delivery) -> Wrong | None:
    """Why a month of events is cut short: it ends before its last days, and a month before it stands. A month that fills up comes again."""
    period = delivery.dataset.layout.period
    assert period is not None  # noqa: S101 - declared so
    month = delivery.part[:7]
    days = {day_of(text, period) for (text,) in delivery.rows("select distinct event_date from delivered")}
    last = max((day.day for day in days if day and f"{day:%Y-%m}" == month), default=0)
    if delivery.done.rows < EVENTS_WITH_LAST_DAYS or last >= LAST_DAYS:
        return None
    earlier = delivery.cursor.execute(
        "select 1 from ops.load where source = %s and dataset = %s and state = 'loaded' and left(part, 7) < %s limit 1",
        [delivery.source.source, delivery.name, month],
    ).fetchone()
    reason = f"has {delivery.done.rows:,} events and none after day {last} of {month}: it is cut short"
    return Wrong("MONTH_NOT_WHOLE", reason) if earlier else None
