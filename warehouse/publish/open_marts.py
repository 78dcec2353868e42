"""Marts of which anyone may see rows as they are: those of measures whose owner lets everything out.

`marts_open.measure` has each count as its owner's rule lets it out (disclosure.py). What is worked out of counts can be let out only where the counts
themselves are: rates, limits, ranks and charts of measures under the rule `open`, of a source with that one rule. A rule for anything else lets no row
of its measures out here. Each of these views has the name and columns of its mart, so that a query of the one is a query of the other.

A mart that is a view reads with its reader's rights, who has none: its text stands in the open view, which has the publisher's.
"""

from __future__ import annotations

import re

import psycopg
from psycopg import sql

from warehouse.publish import disclosure, mart_schema, views

# Of each, whether its rows are of a measure. Of those that are not: what a measure means, an area, a question; no count.
PASSED_ON = {
    "bi_rolling_12": True,
    "dim_area": False,
    "dim_measure": False,
    "rpt_borough_comparison": True,
    "rpt_control_chart": True,
    "rpt_deprivation": True,
    "rpt_driver_comparison": True,
    "rpt_gap": False,
    "series_break": True,
    "series_break_month": True,
}
RULE_MODEL = "open_source_rule"
_MART = re.compile(rf"\b{mart_schema.MARTS}\.(\w+)( [a-z_]\w*)?")


def publish(connection: psycopg.Connection) -> None:
    """Write the views where one is not there, or is not what it should be; in the publishing transaction, when marts and `marts_open.measure` stand."""
    tables = mart_schema.read_tables(connection, mart_schema.MARTS)
    viewed = views.read_views(connection, mart_schema.MARTS)
    if not tables.keys() >= {*disclosure.READ}:
        return
    rule = disclosure.text_of(connection, RULE_MODEL).as_string(connection)
    for name, is_of_measures in PASSED_ON.items():
        mart = tables.get(name) or viewed.get(name)
        if mart is None:
            continue
        columns = [column for column in mart.columns if column.name != mart_schema.VALID_FROM]
        only = (
            f""" where passed.measure_code in (
                select measure.measure_code from marts.dim_measure as measure inner join ({rule}) as ruled
                on measure.source = ruled.source and measure.publish_rule = ruled.publish_rule where ruled.publish_rule = 'open')"""  # noqa: S608 - constants
            if is_of_measures
            else ""
        )
        listed = sql.SQL(", ").join(sql.Identifier("passed", column.name) for column in columns)
        text = sql.SQL("select {} from {} as passed{}").format(listed, sql.SQL(_rows_of(name, viewed)), sql.SQL(only))
        disclosure.replace_view(connection, name, text)
        disclosure.describe(
            connection, name, mart.comment or "", {column.name: column.comment or "" for column in columns}
        )


def _rows_of(name: str, viewed: dict[str, views.View]) -> str:
    """A mart in a from clause: a table by its name, a view by its text, and so the views that it reads."""
    if name not in viewed:
        return f"{mart_schema.MARTS}.{name}"

    def read(found: re.Match[str]) -> str:
        if found[1] not in viewed:
            return found[0]
        return f"{_rows_of(found[1], viewed)}{found[2] or f' {found[1]}'}"

    return f"({_MART.sub(read, viewed[name].text).rstrip(';')})"
