"""What anyone may read of counts that a rule keeps back, and what anyone knows of London: what an attack begins with (tests/attack.py)."""

from __future__ import annotations

import csv

import psycopg

from ingest.declaration import SEEDS

# Relations of marts_open that this attack reads. One more, and it must be taught what that tells.
# Of measures that anyone may have whole: rows as the marts have them, which must be of no other measure.
WHOLE = (
    "bi_rolling_12",
    "rpt_borough_comparison",
    "rpt_control_chart",
    "rpt_deprivation",
    "rpt_driver_comparison",
    "series_break",
    "series_break_month",
)
# Number, time and kind of the release; how new each dataset is; what a measure means, an area, a question: no count.
NO_COUNT = ("publication", "data_status", "dim_area", "dim_measure", "rpt_gap")
KNOWN = {"measure", *WHOLE, *NO_COUNT}


def read_open(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """Everything marts_open shows of counts that a rule keeps back, as `attack` wants it.

    Raises:
        AssertionError: where it shows anything this attack does not know of.
    """
    relations = {
        name
        for (name,) in connection.execute(
            """select relname from pg_class where relnamespace = 'marts_open'::regnamespace and has_any_column_privilege(oid, 'select')
                 and relkind in ('r', 'v', 'm', 'p', 'f')"""
        )
    }
    assert "measure" in relations <= KNOWN, (
        f"marts_open holds {sorted(relations)}: teach tests/attack.py what the new ones tell"
    )
    for relation in relations & {*WHOLE}:
        ((kept_back,),) = connection.execute(
            f"""select array_agg(distinct measure_code) from marts_open.{relation} where measure_code in (
                    select measure_code from marts_open.measure where publish_rule <> 'open')""".encode()
        ).fetchall()
        assert not kept_back, f"marts_open.{relation} shows {kept_back}, which their owner keeps back in part"
    ((other_kinds,),) = connection.execute(
        "select count(*) from marts_open.measure where publish_rule <> 'open' and period_kind <> 'month' and value is not null"
    ).fetchall()
    assert not other_kinds, "marts_open.measure shows windows of months: teach tests/attack.py what two of them tell"
    return connection.execute(
        """select measure_code, period_start_date, area_code, sex, age_band, ethnicity, value::bigint, is_suppressed, publish_rule
           from marts_open.measure where publish_rule <> 'open' and period_kind = 'month'"""
    ).fetchall()


def known_of_london() -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The half of each borough, and each measure with those it holds: what the publishers' own pages say."""
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        halves = {row["borough_code"]: row["ons_inner_outer"].upper() for row in csv.DictReader(file)}
    with (SEEDS / "measure_part.csv").open(encoding="utf-8", newline="") as file:
        within = [(row["measure_code"], row["part_measure_code"]) for row in csv.DictReader(file)]
    return halves, within
