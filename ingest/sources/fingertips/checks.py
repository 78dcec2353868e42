"""Fingertips: whether a file is of the indicator its name says, and has every borough where its publisher gives boroughs."""

from __future__ import annotations

import re

from ingest.checks import NEXT_NAME, Delivery, Labels, borough_names, named
from ingest.readers.faults import NEXT_DAMAGED

# Of a group with fewer boroughs nobody asked for all of them: a file of a few areas is one by hand.
BOROUGHS_OF_A_WHOLE_GROUP = 16


def check(delivery: Delivery) -> Labels:
    """As ingest.checks.check."""
    if delivery.name != "data":
        return {}
    said = re.match(r"indicator_(\d+)(.*)", delivery.part)
    if said and said[2]:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS", f"has a name that says more than its indicator ({said[2]})", NEXT_NAME
        )
    groups = delivery.rows(
        """select indicator_id, sex, age, time_period, array_agg(distinct ltrim(area_code, 'n')) filter (where area_code ~ '^n?E09')
           from delivered where category_type = '' group by 1, 2, 3, 4, time_period_sortable order by 1, 2, 3, time_period_sortable"""
    )
    if said:
        others = sorted({indicator for indicator, *_ in groups} - {said[1]})
        if others:
            raise delivery.refuse(
                "NAME_DIFFERS_FROM_ROWS",
                f"is of indicator {said[1]} by its name, and has rows of {', '.join(others[:5])}",
                NEXT_NAME,
            )
    keeps = delivery.dataset.keeps
    assert keeps is not None  # noqa: S101 - declared so
    wanted = set(borough_names())
    lacking = [(group, wanted - set(areas or ())) for *group, areas in groups]
    lacking = [(group, lacks) for group, lacks in lacking if len(wanted - lacks) >= BOROUGHS_OF_A_WHOLE_GROUP]
    gone = sum(len(lacks) for _, lacks in lacking)
    if gone > keeps.at_most_lost * len(wanted) * len(lacking):
        (indicator, sex, age, period), lacks = next(one for one in lacking if one[1])
        raise delivery.refuse(
            "AREAS_MISSING",
            f"lacks {gone:,} of the {len(wanted) * len(lacking):,} rows that {len(lacking)} groups of 32 boroughs have: indicator "
            f"{indicator}, {sex}, {age}, {period} lacks {named(sorted(lacks))}",
            NEXT_DAMAGED,
        )
    return {}
