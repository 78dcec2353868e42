"""What anyone sees tells no suppressed count: every value of 1 to 7 that is kept back could be one of five at the least."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.attack import CITY, attack
from tests.open_layer import known_of_london, read_open
from warehouse.platform.connection import ANALYST, OPEN, PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import disclosure, rights

HALVES, WITHIN = known_of_london()
AREAS = [*HALVES, CITY]
RULE = "suppress_1_to_7_round_5"
# A whole, two parts of it, and one that lies in nothing.
ASSAULTS, WOMEN, TEENS, ANIMALS = (
    f"safestats_las_{name}" for name in ("assaults", "assaults_on_women", "assaults_on_teens", "animal_injuries")
)


def of(measure: str, area: str) -> tuple[str, str, str, str, str, str]:
    return measure, "2026-01-01", area, "all", "all", "all"


# Counts of the 33 areas, by measure.
Month = dict[str, list[int]]


@pytest.fixture
def marts(warehouse: Settings) -> Iterator[Callable[[list[Month]], None]]:
    """Fills the marts, as far as the open layer reads them, with months of counts and the totals of each, and publishes that layer."""
    with connect(warehouse, PUBLISHER) as connection:
        connection.execute(
            """create table marts.dim_area as select * from (values {}) as a (area_code, area_name, area_type, ons_inner_outer, is_in_london_32);
               create table marts.dim_data_kind as select 'synthetic' as data_kind;
               create table marts.dim_source as select 'safestats' as source, 'x' as dataset, '{}' as publish_rule;
               create table marts.dim_measure (
                   measure_code text, measure_name text, source text, unit text, publish_rule text, caveat text, licence text, attribution text
               );
               create table marts.fct_measure (
                   area_code text, period_kind text, period_start_date date, period_end_date date, measure_code text, sex text,
                   age_band text, ethnicity text, numerator numeric, denominator numeric, value numeric, value_note text,
                   is_provisional boolean
               )""".format(
                ", ".join(
                    [f"('{area}', '', 'borough', '{half.lower()}', true)" for area, half in HALVES.items()]
                    + [f"('{CITY}', '', 'city_of_london', null, false)"]
                    + [
                        f"('{name}', '', 'aggregate', null, false)"
                        for name in ("INNER", "OUTER", "LONDON_32", "LONDON_33", "LONDON_PUBLISHED", "UNALLOCATED")
                    ]
                ),
                RULE,
            ).encode()
        )

        def fill(months: list[Month]) -> None:
            figures: list[tuple[object, ...]] = []
            for number, month in enumerate(months):
                for measure, counts in month.items():
                    by_area = dict(zip(AREAS, counts, strict=True))
                    for half in ("INNER", "OUTER"):
                        by_area[half] = sum(by_area[area] for area in HALVES if HALVES[area] == half)
                    by_area["LONDON_32"] = by_area["INNER"] + by_area["OUTER"]
                    by_area["LONDON_33"] = by_area["LONDON_32"] + by_area[CITY]
                    figures += [(area, number, measure, count) for area, count in by_area.items()]
                    figures.append(("LONDON_PUBLISHED", number, f"{measure}_london", by_area["LONDON_33"]))
            with connection.cursor() as cursor:
                cursor.execute("truncate marts.fct_measure, marts.dim_measure")
                with cursor.copy(
                    "copy marts.fct_measure (area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity, numerator, value) from stdin"
                ) as copy:
                    for area, number, measure, count in figures:
                        month_start = f"{2010 + int(str(number)) // 12}-{int(str(number)) % 12 + 1:02}-01"
                        copy.write_row((area, "month", month_start, measure, "all", "all", "all", count, count))
                cursor.execute(
                    f"insert into marts.dim_measure (measure_code, source, publish_rule) select distinct measure_code, 'safestats', '{RULE}' from marts.fct_measure".encode()
                )
            disclosure.publish(connection)
            rights.keep(connection)
            connection.commit()

        yield fill


def drawn(months: int, seed: int) -> list[Month]:
    """Months as they come: an area's own rate, rare to common, women and teens a share of the assaults that is now none and now all."""
    draw = random.Random(seed)  # noqa: S311 - the same draw each time, of nothing secret

    def month() -> Month:
        rate, spread = draw.choice([0.3, 1, 2, 3, 5, 8, 20]), draw.choice([0.2, 1.0])

        def count(of: float) -> int:
            return sum(draw.random() < of / 40 for _ in range(40)) if of < 40 else round(of)

        assaults = [count(rate * draw.uniform(1 - spread, 1 + spread)) for _ in AREAS]
        assaults[-1] = draw.choice([0, 1, 2, 4, 7, 9])

        def part(share: float) -> list[int]:
            return [sum(draw.random() < share for _ in range(n)) for n in assaults]

        return {
            ASSAULTS: assaults,
            WOMEN: part(draw.choice([0.1, 0.5, 0.9, 0.98])),
            TEENS: part(draw.choice([0.02, 0.3, 1])),
            ANIMALS: [count(rate / 3) for _ in AREAS],
        }

    return [month() for _ in range(months)]


def worst() -> list[Month]:
    """The months in which figures tell the most of one another."""

    def where(*counts: int, rest: int = 0, city: int = 0) -> list[int]:
        return [*counts, *[rest] * (32 - len(counts)), city]

    wholes = [
        where(rest=0, city=1),
        where(rest=1, city=1),
        where(rest=6, city=0),
        where(rest=10, city=2),
        where(rest=12, city=4),
        where(rest=13, city=7),
        where(4, rest=0),
        where(7, 7, rest=8),
        where(1, 1, 1, rest=12, city=3),
        where(4, 4, 4, 4, 4, rest=12),
        where(0, 0, 0, 0, 0, 3, rest=9, city=3),
        where(7, 7, 1, 1, 7, 1, rest=12, city=3),
    ]
    parts: list[Callable[[int, int], int]] = [
        lambda n, at: n,  # the part is the whole
        lambda n, at: 0 if at in (0, 3) else n,  # but in two boroughs, where the rest of the whole is all of it
        lambda n, at: 0 if at == 32 else max(0, n - at % 2),
        lambda n, at: min(n, 7),
        lambda n, at: min(n, 1) if at % 3 else n,
    ]
    return [
        {ASSAULTS: whole, WOMEN: [parts[(row + turn) % 5](n, at) for at, n in enumerate(whole)]}
        for row, whole in enumerate(wholes)
        for turn in range(3)
    ]


def rows_of(warehouse: Settings) -> list[tuple[object, ...]]:
    with connect(warehouse, OPEN) as connection:
        return read_open(connection)


@pytest.mark.parametrize(
    ("months", "cells", "withheld"),
    [(drawn(6, seed=1), 531, 52), (worst(), 882, 141)],
    ids=["months as they come", "the worst months"],
)
def test_no_suppressed_count_is_left_with_fewer_than_five_values(
    warehouse: Settings, marts: Callable[[list[Month]], None], months: list[Month], cells: int, withheld: int
) -> None:
    marts(months)
    shown = rows_of(warehouse)
    report = attack(shown, HALVES, WITHIN)
    print(report)
    assert (report.too_narrow, report.contradictions) == ({}, 0)
    # There is something to attack, and no more is withheld than it takes.
    assert (len(report.cells), sum(not str(row[2]).startswith("E09") and bool(row[7]) for row in shown)) == (
        cells,
        withheld,
    )


@pytest.mark.parametrize("seed", [2, 3])
def test_releases_beside_each_other_tell_no_suppressed_count(
    warehouse: Settings, marts: Callable[[list[Month]], None], seed: int
) -> None:
    months = drawn(3, seed)
    kept: list[list[tuple[object, ...]]] = []
    draw = random.Random(seed)  # noqa: S311 - the same draw each time, of nothing secret
    for _ in range(3):
        marts(months)
        kept.append(rows_of(warehouse))
        for month in months:
            # By so many that anyone sees it: who takes other counts for the same is wrong, and learns nothing.
            place, more = draw.randrange(33), draw.choice([0, 9, 14])
            for counts in month.values():
                counts[place] += more
    now, *earlier = reversed(kept)
    report = attack(now, HALVES, WITHIN, earlier=earlier)
    print(report)
    assert (report.too_narrow, report.contradictions) == ({}, 0)
    assert any(key[5] == "all#2" for key in report.cells)


def test_a_total_is_told_of_one_version_of_its_counts(
    warehouse: Settings, marts: Callable[[list[Month]], None]
) -> None:
    def told() -> dict[str, object]:
        return {str(row[2]): row[6] for row in rows_of(warehouse) if str(row[2]) in ("LONDON_32", "OUTER", "INNER")}

    first = [4, 4, 4, *[12] * 29, 0]
    revised = [12, *first[1:]]
    marts([{ANIMALS: first}])
    as_first_told = told()
    assert None not in as_first_told.values()
    marts([{ANIMALS: revised}])
    assert told() == {"LONDON_32": None, "OUTER": None, "INNER": None}
    marts([{ANIMALS: first}])
    assert told() == as_first_told


def test_a_revision_without_a_small_count_is_told_with_its_totals(
    warehouse: Settings, marts: Callable[[list[Month]], None]
) -> None:
    marts([{ANIMALS: [12] * 33}])
    marts([{ANIMALS: [22, *[12] * 32]}])
    assert [row[6] for row in rows_of(warehouse) if row[2] == "LONDON_32"] == [395]


def test_a_total_that_is_withheld_changes_with_the_marts(
    warehouse: Settings, marts: Callable[[list[Month]], None]
) -> None:
    few, none = [4, *[0] * 31, 0], [12, *[0] * 31, 0]

    def told() -> dict[str, object]:
        return {str(row[2]): row[6] for row in rows_of(warehouse) if str(row[2]) in ("LONDON_32", "OUTER", "INNER")}

    marts([{ANIMALS: [n + 12 * (at == 1) for at, n in enumerate(few)]}])
    assert told() == {"LONDON_32": None, "OUTER": None, "INNER": 0}
    marts([{ANIMALS: none}])
    assert told() == {"LONDON_32": 10, "OUTER": 10, "INNER": 0}


@pytest.mark.parametrize(
    "told_apart",
    [
        "sex = 'female'",
        "age_band = '0-24'",
        "ethnicity = 'black'",
        "period_kind = 'rolling_12_months'",
        "denominator = 100",
    ],
)
def test_what_no_rule_is_made_for_is_not_let_out(
    warehouse: Settings, marts: Callable[[list[Month]], None], told_apart: str
) -> None:
    marts([{ANIMALS: [20] * 33}])
    with connect(warehouse, PUBLISHER) as connection:
        connection.execute(f"update marts.fct_measure set {told_apart} where area_code = '{CITY}'".encode())
    with connect(warehouse, OPEN) as connection:
        assert connection.execute(
            "select count(value), bool_and(is_suppressed) from marts_open.measure where area_code = %s", [CITY]
        ).fetchone() == (0, True)


def test_nobody_sees_why_a_total_is_suppressed(warehouse: Settings) -> None:
    for role in (OPEN, ANALYST):
        with connect(warehouse, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select from marts_open.withheld_total")


def test_the_view_is_described_with_unit_and_source_as_its_model_is(
    warehouse: Settings, marts: Callable[[list[Month]], None]
) -> None:
    marts([{ANIMALS: [20] * 33}])
    with connect(warehouse, ANALYST) as connection:
        told = dict(
            connection.execute(
                """select coalesce(a.attname, ''), d.description from pg_description as d
                   left join pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0
                   where d.objoid = 'marts_open.measure'::regclass and d.classoid = 'pg_class'::regclass"""
            ).fetchall()
        )
        columns = {
            name
            for (name,) in connection.execute(
                "select attname from pg_attribute where attrelid = 'marts_open.measure'::regclass and attnum > 0"
            )
        }
    assert told.keys() == {"", *columns}
    assert told[""].startswith(
        "Grain: one row per area, period, measure, sex, age band and ethnicity of the current release"
    )
    assert told["value"] == (
        "The value as its owner's rule lets it out; null where suppressed, and where there is none. "
        "Unit that of the measure. Source marts.fct_measure."
    )


def test_a_view_that_another_version_wrote_gives_way(warehouse: Settings, marts: Callable[[list[Month]], None]) -> None:
    marts([{ANIMALS: [20] * 33}])
    shown = rows_of(warehouse)
    with connect(warehouse, PUBLISHER) as connection:
        connection.execute("drop view marts_open.measure")
        connection.execute("create view marts_open.measure as select area_code from marts.fct_measure")
        disclosure.publish(connection)
        rights.keep(connection)
        connection.commit()
    assert rows_of(warehouse) == shown


def test_the_publisher_takes_no_template_that_it_does_not_understand(
    warehouse: Settings, marts: Callable[[list[Month]], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marts([{ANIMALS: [20] * 33}])
    shown = rows_of(warehouse)
    shutil.copytree(disclosure.MODELS, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "open_measure.sql").open("a", encoding="utf-8") as file:
        file.write("{% if true %} where true {% endif %}")
    monkeypatch.setattr(disclosure, "MODELS", tmp_path)
    with connect(warehouse, PUBLISHER) as connection, pytest.raises(RuntimeError, match="no other template"):
        disclosure.publish(connection)
    assert rows_of(warehouse) == shown
