"""Indices of Deprivation: every LSOA of London is in each edition, those of 2011 or those of 2021."""

from __future__ import annotations

from psycopg import sql

from ingest.checks.labels_agree import check_labels_kept
from ingest.checks.values_kept import MAY_MOVE, check_values_kept
from ingest.delivery import Delivery, Labels, seed
from ingest.editions import Edition
from ingest.readers.faults import some_of

# The stand-in has the places of the other stand-ins alone, a few dozen.
LSOAS_OF_A_STAND_IN = 1_000
# A corrected edition moves few of the ranks by half.
MAY_DIFFER = 0.01


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`: a corrected edition has every LSOA of the one before, under its own name."""
    lacks = delivery.rows(
        "select lsoa_code from {table} where _load_id = {before} except select lsoa_code from delivered order by 1",
        table=delivery.table,
        before=sql.Literal(edition.load_id),
    )
    # A real one is held to the list of LSOAs (`check`).
    if lacks and delivery.done.rows < LSOAS_OF_A_STAND_IN:
        raise delivery.refuse(
            "AREAS_MISSING",
            f"lacks {len(lacks):,} LSOAs that load {edition.load_id} has: {some_of([code for (code,) in lacks])}",
        )
    check_labels_kept(delivery, edition, "lsoa_name", "lsoa_code", enough=1)
    return []


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    census = "is_lsoa_2011" if delivery.name == "imd_2019" else "is_lsoa_2021"
    wanted = {row["lsoa_code"] for row in seed("lsoa_borough") if row[census] == "true"}
    lacks = wanted - {code for (code,) in delivery.rows("select lsoa_code from delivered")}
    if lacks and not (delivery.is_synthetic and delivery.done.rows < LSOAS_OF_A_STAND_IN):
        raise delivery.refuse(
            "AREAS_MISSING",
            f"has {len(wanted) - len(lacks):,} of London's {len(wanted):,} LSOAs: it lacks {some_of(sorted(lacks))}",
        )
    check_values_kept(delivery, ["lsoa_code"], "imd_rank", may_differ=MAY_DIFFER, may_move=MAY_MOVE)
    return {}
