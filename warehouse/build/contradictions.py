"""What contradicts a load: what its own new periods were found to be, the months before and after it, or another feed that counts the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

from ingest.checks import MONTHS_BESIDE, few, many
from ingest.declaration import CountedIn, read_sources
from ingest.errors import Wrong
from warehouse.build.loads import Load


def found(loads: Sequence[Load]) -> dict[int, Wrong]:
    """Why loads are not to be built, by load."""
    doubts = [(load.load_id, load.doubt["code"], load.doubt["reason"]) for load in loads if load.doubt]
    doubted = {load_id: Wrong(code, reason) for load_id, code, reason in doubts}
    return doubted | beside_other_months(loads) | beside_another_feed(loads)


def beside_other_months(loads: Sequence[Load]) -> dict[int, Wrong]:
    """Why loads are no whole month beside the months before and after it, by load."""
    monthly = {(s.source, name) for s in read_sources().values() for name, d in s.datasets.items() if d.part_is_month}
    series: dict[tuple[str, str, str], dict[int, Load]] = {}
    for load in loads:
        if (load.source, load.dataset) in monthly:
            months = series.setdefault((load.source, load.dataset, load.part[7:]), {})
            other = months.get(load.month)
            if other is None or other.state == "set_aside":  # of two about one month the one that stands
                months[load.month] = load
    reasons = {}
    for months in series.values():
        for month, load in months.items():
            beside = [
                months[other]
                for other in range(month - MONTHS_BESIDE, month + MONTHS_BESIDE + 1)
                if other != month and other in months
            ]
            rows = [one.rows_loaded for one in beside]
            reason = few("rows", load.rows_loaded, rows, is_of_london=load.part.endswith("metropolitan"))
            reason = reason or many("rows", load.rows_loaded, rows)
            for label, count in load.label_counts.items():
                reason = reason or few(
                    f"rows of {label}", count, [n for one in beside if (n := one.label_counts.get(label))]
                )
            if reason:
                reasons[load.load_id] = Wrong("MONTH_NOT_WHOLE", reason)
    return reasons


def beside_another_feed(loads: Sequence[Load]) -> dict[int, Wrong]:
    """Why loads are not whole beside another feed that counts the same (`counted_in` of their dataset), by load.

    Stand-in publishers give each feed a size of its own, so invented files say nothing here.
    """
    declared = {(s.source, name): d for s in read_sources().values() for name, d in s.datasets.items() if d.counted_in}
    theirs = {}
    reasons = {}
    for load in loads:
        dataset = declared.get((load.source, load.dataset))
        rule = dataset.counted_in if dataset else None
        if dataset is None or rule is None or load.is_synthetic or re.fullmatch(rule.only_parts, load.part) is None:
            continue
        if rule not in theirs:
            theirs[rule] = _counted(loads, rule)
        own = load.by_month(rule.label_here)
        if dataset.part_is_month:  # the few rows of other months are late entries
            own = {month: count for month, count in own.items() if month == load.part[:7]}
        if dataset.layout.first_month_may_be_partial and own:
            del own[min(own)]
        if reason := _less(own, theirs[rule], rule):
            reasons[load.load_id] = Wrong("LESS_THAN_ANOTHER_FEED", reason)
    return reasons


def _counted(loads: Sequence[Load], rule: CountedIn) -> dict[str, float]:
    """What the feed that a rule names counts in each month, by the newest release that has it."""
    found: dict[str, tuple[tuple[dt.date, dt.datetime, int], float]] = {}
    for load in loads:
        if (
            load.source != rule.source
            or load.dataset not in rule.datasets
            or load.state != "loaded"
            or load.is_synthetic
        ):
            continue
        age = (load.release_date, load.landed_at, load.load_id)
        for month, count in load.by_month(rule.label_there).items():
            if month not in found or age > found[month][0]:
                found[month] = (age, count)
    return {month: count for month, (_, count) in found.items()}


def _less(own: Mapping[str, float], theirs: Mapping[str, float], rule: CountedIn) -> str | None:
    """Why what a load counts is less than its share of what another feed does, in words."""
    months = sorted(own.keys() & theirs.keys())
    groups = [months] if rule.together else [[month] for month in months]
    for group in groups:
        here, there = (sum(feed[month] for month in group) for feed in (own, theirs))
        if there >= rule.enough and here < rule.least_share * there:
            when = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
            return f"has {here:,.0f} in {when}, less than {rule.least_share:.0%} of the {there:,.0f} {rule.counts}: rows are missing"
    return None
