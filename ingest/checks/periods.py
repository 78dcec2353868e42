"""Whether a new period follows the one before: for files with a row for each figure. What does not is doubted, not refused: a person may say
that it is true, so the load stands in the ledger with the doubt, and no build takes it (`warehouse/build/set_aside.py`)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from psycopg import sql

from ingest.checks.steps import Cell, Departure, departures, exchanged, newest_new
from ingest.delivery import Delivery, borough_names
from ingest.errors import Wrong

# So far back it is asked what a series has done before.
YEARS_LOOKED_BACK = {"monthly": 2, "quarterly": 4}
YEARS_OF_A_YEARLY = 6
NAMED = 5
UNSAID = ("", "Value")  # of what says which series a figure is of

Key = tuple[str, ...]
Figures = dict[Key, dict[str, dict[str, Cell]]]  # by series, period and area


def doubt_new_periods(
    delivery: Delivery, series: Mapping[str, str], *,
    area: str, area_name: str, period: str, order: Callable[[str], str], value: str, size: str,
    split: Sequence[str] = (), where: str = "true",
) -> Wrong | None:  # fmt: skip
    """Why figures of periods that do not stand yet are unlike those of the period before; None where they follow it.

    Args:
        series: what says together which series a figure is of, each under its name, in SQL that gives its code and, after a tab, its label.
        area, area_name: which area a figure is of, in SQL.
        period: which period, in SQL that gives it, or what sorts it and after a tab its label.
        order: what sorts the names of periods.
        value: the figure, in SQL.
        size: how many it is of, in SQL; null where nobody knows.
        split: the names in `series` of which members may have changed places (sexes).
        where: which rows are compared, in SQL.
    """
    figures: Figures = defaultdict(lambda: defaultdict(dict))
    labels: dict[tuple[int, str], str] = {}
    names = borough_names()
    shown: dict[str, str] = {}
    own: dict[Key, set[str]] = defaultdict(set)
    stands: dict[Key, set[str]] = defaultdict(set)
    place: dict[str, str] = {}
    loads = _standing(delivery)
    for load_id, area_code, name, when, figure, count, *keys in delivery.cursor.execute(
        sql.SQL(
            """select _load_id, {area}, {name}, {period}, {value}, {size}, {series} from {table}
               where (_load_id = {load} or _load_id = any({loads})) and {where} order by _load_id = {load}, _load_id"""
        ).format(
            area=sql.SQL(area),
            name=sql.SQL(area_name),
            period=sql.SQL(period),
            value=sql.SQL(f"({value})::float8"),
            size=sql.SQL(f"({size})::float8"),
            series=sql.SQL(", ").join(sql.SQL(expression) for expression in series.values()),
            table=delivery.table,
            load=sql.Literal(delivery.load_id),
            loads=sql.Literal(loads),
            where=sql.SQL(where),
        )
    ):
        if when not in place:
            place[when] = order(when)
        key = tuple(one.partition("\t")[0] for one in keys)
        labels.update(((n, code), label) for n, one in enumerate(keys) for code, _, label in [one.partition("\t")])
        now = place[when]
        shown[now] = when.rpartition("\t")[2]
        names.setdefault(area_code, name)
        (own if load_id == delivery.load_id else stands)[key].add(now)
        if figure is not None:
            figures[key][now][area_code] = Cell(figure, count)
    new = {key: list(newest_new(figures[key], frozenset(stands[key]))) for key in own if key in figures}
    new = {key: [one for one in periods if one in own[key]] for key, periods in new.items()}
    wrong = [*_departures(figures, new), *_exchanges(figures, new, [list(series).index(name) for name in split])]
    if not wrong:
        return None
    said = [_in_words(one, key, other, figures, labels, names, shown) for key, other, one in wrong]
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return Wrong(
        "PERIOD_UNLIKE_THE_LAST", f"has figures unlike those of the period before: {'; '.join(said[:NAMED])}{more}"
    )


def _standing(delivery: Delivery) -> list[int]:
    """The loads that may hold the periods before, without those that are doubted themselves. Where the ledger does not know what periods a
    file is about, that is the newest of its part."""
    first, last = delivery.done.first, delivery.done.last
    years = YEARS_LOOKED_BACK.get(delivery.dataset.cadence, YEARS_OF_A_YEARLY)
    found = delivery.cursor.execute(
        """select l.load_id, l.part, l.first_period, l.last_period from ops.load as l
           where l.source = %s and l.dataset = %s and l.state = 'loaded' and l.load_id <> %s
               and (l.doubt = '{}' or exists (
                   select from ops.acceptance as a where a.source = l.source and a.dataset = l.dataset and a.sha256 = l.sha256
               ))
           order by l.release_date, l.landed_at, l.load_id""",
        [delivery.source.source, delivery.name, delivery.load_id],
    ).fetchall()
    if first is None or last is None:
        return [load_id for load_id, part, *_ in found if part == delivery.part][-1:]
    begin = first - dt.timedelta(days=366 * years)
    return [load_id for load_id, _, opens, ends in found if opens and ends and ends >= begin and opens <= last]


def _departures(figures: Figures, new: Mapping[Key, Sequence[str]]) -> Iterator[tuple[Key, Key | None, Departure]]:
    for key, periods in sorted(new.items()):
        for period in periods:
            for one in departures(figures[key], period):
                yield key, None, one


def _exchanges(
    figures: Figures, new: Mapping[Key, Sequence[str]], places: Sequence[int]
) -> Iterator[tuple[Key, Key | None, Departure]]:
    for place in places:
        groups: dict[Key, list[Key]] = defaultdict(list)
        for key in sorted(new):
            groups[(*key[:place], *key[place + 1 :])].append(key)
        for members in groups.values():
            for number, key in enumerate(members):
                for other in members[number + 1 :]:
                    for period in new[key]:
                        for one in exchanged(figures[key], figures[other], period):
                            yield key, other, one


def _in_words(
    one: Departure, key: Key, other: Key | None, figures: Figures, labels: Mapping[tuple[int, str], str],
    names: Mapping[str, str], shown: Mapping[str, str],
) -> str:  # fmt: skip
    mine, theirs = ([labels[one] or one[1] for one in enumerate(of)] for of in (key, other or key))
    about = " / ".join(a for a, b in zip(mine, theirs, strict=True) if a == b and a not in UNSAID)
    now, then = shown[one.period], shown[one.before]
    if other is not None:
        ((one_of, other_of),) = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != b]
        of = f"in {names[one.area]}" if one.area else f"in {one.areas} areas"
        return f"{about}: {one_of} and {other_of} have changed places {of} in {now}, against {then} and before"
    if not one.area:
        return f"{about}: {one.areas} areas have {one.times:,.3g} times in {now} what they had in {then}"
    has, had = (figures[key][period][one.area].value for period in (one.period, one.before))
    return f"{about}: {names[one.area]} has {has:,.10g} in {now} and had {had:,.10g} in {then}"
