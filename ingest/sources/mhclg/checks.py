"""Indices of Deprivation: every LSOA of London is in each edition, those of 2011 or those of 2021."""

from __future__ import annotations

from ingest.checks.values_kept import check_values_kept
from ingest.delivery import Delivery, Labels, seed
from ingest.readers.faults import some_of

# The stand-in has the places of the other stand-ins alone, a few dozen.
LSOAS_OF_A_STAND_IN = 1_000
# A corrected edition moves few of the ranks by half.
MAY_DIFFER = 0.01


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
    check_values_kept(delivery, ["lsoa_code"], "imd_rank", may_differ=MAY_DIFFER)
    return {}
