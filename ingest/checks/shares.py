"""Whether a new month has its rows where the months before had them: for files with a row for each event, a month each. What has not is
doubted (`periods`): boroughs that have changed places, a month that is all of one kind."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from psycopg import sql

from ingest.checks.periods import NAMED
from ingest.delivery import Delivery
from ingest.errors import Wrong

MONTHS_BEFORE, MONTHS_TO_JUDGE_BY = 12, 2
# Of so many rows of a month a share says something; a label of so many is not there or gone by chance.
ENOUGH_OF_A_MONTH, ENOUGH_OF_A_LABEL = 100, 50
# By so much a share may move, and so many times what it has moved before: alone, and where another has moved to its place.
ALONE, EXCHANGED, TIMES_ITS_OWN = math.log(3), math.log(1.3), 2

Month = Mapping[str, int]  # rows by label


def doubt_new_shares(delivery: Delivery, by: Mapping[str, str]) -> Wrong | None:
    """Why a month that does not stand yet is unlike the months before it; None where it is like them.

    Args:
        by: what rows are told by (borough, kind of crime), each under its name, in SQL.
    """
    month, rest = delivery.part[:7], delivery.part[7:]
    loads = delivery.cursor.execute(
        """select l.load_id, left(l.part, 7) from ops.load as l
           where l.source = %s and l.dataset = %s and l.state = 'loaded' and l.load_id <> %s and substr(l.part, 8) = %s
               and left(l.part, 7) <= %s
               and (l.doubt = '{}' or exists (
                   select from ops.acceptance as a where a.source = l.source and a.dataset = l.dataset and a.sha256 = l.sha256
               ))
           order by 2 desc, l.release_date desc, l.load_id desc""",
        [delivery.source.source, delivery.name, delivery.load_id, rest, month],
    ).fetchall()
    newest = dict(reversed([(when, load_id) for load_id, when in loads]))
    if month in newest:
        return None  # the edition of it that stands is what it is held against
    before = dict(sorted(newest.items())[-MONTHS_BEFORE:])
    if len(before) < MONTHS_TO_JUDGE_BY:
        return None
    wrong = []
    for name, expression in by.items():
        counts: dict[int, Counter[str]] = defaultdict(Counter)
        for load_id, label, rows in delivery.cursor.execute(
            sql.SQL(
                "select _load_id, {label}, count(*) from {table} where _load_id = any({loads}) group by 1, 2"
            ).format(
                label=sql.SQL(expression),
                table=delivery.table,
                loads=sql.Literal([delivery.load_id, *before.values()]),
            )
        ):
            counts[load_id][(label or "").strip()] += rows
        wrong += list(moved(name, counts[delivery.load_id], [counts[load_id] for load_id in before.values()]))
    if not wrong:
        return None
    more = f"; and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    return Wrong(
        "PERIOD_UNLIKE_THE_LAST",
        f"has in {month} other shares than the months before: {'; '.join(wrong[:NAMED])}{more}",
    )


def moved(name: str, now: Month, before: Sequence[Month]) -> Iterator[str]:
    """Which labels have another share of a month than of each of the months before, in words; blank labels count in the whole alone."""
    whole = sum(now.values())
    before = [month for month in before if sum(month.values()) >= ENOUGH_OF_A_MONTH]
    if whole < ENOUGH_OF_A_MONTH or len(before) < MONTHS_TO_JUDGE_BY:
        return
    usual, wide, share = {}, {}, {}
    for label in sorted({*now, *(label for month in before for label in month)} - {""}):
        shares = [max(month.get(label, 0), 0.5) / sum(month.values()) for month in before]
        usual[label] = statistics.median(shares)
        wide[label] = TIMES_ITS_OWN * max(abs(math.log(one / usual[label])) for one in shares)
        share[label] = max(now.get(label, 0), 0.5) / whole
    by = {
        label: math.log(share[label] / usual[label])
        for label in usual
        if max(now.get(label, 0), usual[label] * whole) >= ENOUGH_OF_A_LABEL
    }
    for label, step in by.items():
        if abs(step) > max(ALONE, wide[label]):
            yield f"{name} {label} has {now.get(label, 0):,} of {whole:,} rows, {share[label]:.0%}, and had {usual[label]:.0%}"
        elif other := next((one for one in by if _in_its_place(label, one, by, wide, share, usual)), None):
            yield (
                f"{name} {label} has the share of {other} and {other} that of {label}: {share[label]:.1%} and {share[other]:.1%}, and had "
                f"{usual[label]:.1%} and {usual[other]:.1%}"
            )


def _in_its_place(
    one: str, other: str, by: Mapping[str, float], wide: Mapping[str, float],
    share: Mapping[str, float], usual: Mapping[str, float],
) -> bool:  # fmt: skip
    """Whether two labels have changed places: both have moved, each to where the other was."""
    if one >= other or by[one] * by[other] >= 0:
        return False
    return all(
        abs(by[a]) > max(EXCHANGED, wide[a]) and abs(math.log(share[a] / usual[b])) < min(EXCHANGED, abs(by[a])) / 2
        for a, b in ((one, other), (other, one))
    )
