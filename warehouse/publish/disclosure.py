"""The last layer: what anyone may see of the marts, each count as its owner's rule lets it out.

What it says is written in dbt's models of folder models/open, where it is linted, described and proved by unit tests. A build makes
them views of the candidate. The publisher takes their text to where the release stands, and not the views: a rollback brings back marts
of which no candidate is there, and the rule of this code must hold of those as well.

`marts_open.measure` is a view over the marts of the current release, so that it can be neither older nor newer than they are. It has
the publisher's rights: who reads it sees nothing else of the marts. Which totals it withholds is chosen once a release, in the transaction
that publishes it or rolls back to it, and stored: worked out by each reader it would take seconds, and it is nobody else's to see.
tests/attack.py tries to work out what is suppressed, and knows nothing of this file.
"""

from __future__ import annotations

import csv
import re

import psycopg
import yaml
from psycopg import sql

from ingest.declaration import SEEDS
from warehouse.publish import mart_schema
from warehouse.publish.plans import no_nested_loops

OPEN = "marts_open"
VIEW = "measure"
READ = ("fct_measure", "dim_area", "dim_measure", "dim_source", "dim_data_kind")  # of schema marts

MODELS = SEEDS.parent / "models" / "open"
VIEW_MODEL, WITHHELD_MODEL, REVISED_MODEL, COUNTS_MODEL = (
    "open_measure",
    "open_withheld_total",
    "open_revised_total",
    "open_month_counts",
)
# Models that stand in marts_open as tables, kept by the publisher.
KEPT = {WITHHELD_MODEL: "withheld_total", "open_first_told": "first_told"}
_REF = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")


def publish(connection: psycopg.Connection) -> None:
    """Write the view where it is not there, or is not what it should be; in the publishing transaction, when the marts stand.

    Where the marts it reads are not all there, there is no view either.
    """
    if not mart_schema.read_tables(connection, mart_schema.MARTS).keys() >= set(READ):
        return
    _withhold(connection)
    replace_view(connection, VIEW, text_of(connection, VIEW_MODEL))
    described = yaml.safe_load((MODELS / f"{VIEW_MODEL}.yml").read_text(encoding="utf-8"))["models"][0]
    told = {
        column[
            "name"
        ]: f"{column['description']} Unit {column['config']['meta']['unit']}. Source {column['config']['meta']['source']}."
        for column in described["columns"]
    }
    describe(connection, VIEW, described["description"], told)


def replace_view(connection: psycopg.Connection, name: str, text: sql.Composable) -> None:
    """Write a view of marts_open where it is not there, or reads otherwise; anyone and the analysts may read it."""
    new, view = sql.Identifier(OPEN, f"{name}_new"), sql.Identifier(OPEN, name)
    connection.execute(sql.SQL("create view {} as ").format(new) + text)
    same = connection.execute(
        "select pg_get_viewdef(to_regclass(%s)) is not distinct from pg_get_viewdef(to_regclass(%s))",
        [f"{OPEN}.{name}", f"{OPEN}.{name}_new"],
    ).fetchone()
    if same and same[0]:
        connection.execute(sql.SQL("drop view {}").format(new))
    else:
        connection.execute(sql.SQL("drop view if exists {}").format(view))
        connection.execute(sql.SQL("alter view {} rename to {}").format(new, sql.Identifier(name)))


def text_of(connection: psycopg.Connection, model: str) -> sql.SQL:
    """A model's text, each ref of it turned to where a release stands.

    Raises:
        RuntimeError: the model holds more of dbt's language than refs.
    """

    def stands_at(found: re.Match[str]) -> str:
        name = found[1]
        if name in READ:
            return f"{mart_schema.MARTS}.{name}"
        if name in KEPT:
            return f"{OPEN}.{KEPT[name]}"
        if name == "measure_part":
            return _measure_parts(connection)
        return f"({text_of(connection, name).as_string(connection)})"

    text = _REF.sub(stands_at, (MODELS / f"{model}.sql").read_text(encoding="utf-8"))
    if "{" in text:
        raise RuntimeError(f"{MODELS / f'{model}.sql'}: the publisher understands ref() and no other template")
    return sql.SQL(text)


def _measure_parts(connection: psycopg.Connection) -> str:
    """Each whole and part of the seed measure_part, as a table of SQL.

    From the code, not from a mart: a rollback brings back what older marts said, and the rule must hold of those as well.
    """
    with (SEEDS / "measure_part.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["measure_code"], row["part_measure_code"]) for row in csv.DictReader(file)]
    rows = sql.SQL(", ").join(sql.SQL("({}, {})").format(*map(sql.Literal, pair)) for pair in pairs)
    return f"(select * from (values {rows.as_string(connection)}) as pair (measure_code, part_measure_code))"  # noqa: S608 - literals, quoted


def _withhold(connection: psycopg.Connection) -> None:
    """Choose the totals that are withheld, by the marts as they stand and by what was told before, and note where that has changed."""
    # Of what a query makes on its way nothing is known beforehand.
    with no_nested_loops(connection):
        connection.execute(
            sql.SQL(
                """with chosen as materialized (
                       select * from ({}) as by_this_release union select * from ({}) as by_earlier_ones
                   ),
                   gone as (
                       delete from marts_open.withheld_total as w where not exists (
                           select from chosen as c
                           where (c.measure_code, c.period_start_date, c.area_code) = (w.measure_code, w.period_start_date, w.area_code)
                       )
                   )
                   insert into marts_open.withheld_total (measure_code, period_start_date, area_code)
                   select measure_code, period_start_date, area_code from chosen on conflict do nothing"""
            ).format(text_of(connection, WITHHELD_MODEL), text_of(connection, REVISED_MODEL))
        )
        connection.execute(
            sql.SQL(
                """insert into marts_open.first_told (measure_code, period_start_date, counts_hash, has_small)
                   select measure_code, period_start_date, counts_hash, has_small from ({}) as c
                   where exists (
                       select from (values ('INNER'), ('OUTER'), ('LONDON_32'), ('LONDON_33')) as total (area_code)
                       where not exists (
                           select from marts_open.withheld_total as w
                           where (w.measure_code, w.period_start_date, w.area_code) = (c.measure_code, c.period_start_date, total.area_code)
                       )
                   ) on conflict do nothing"""
            ).format(text_of(connection, COUNTS_MODEL))
        )


def describe(connection: psycopg.Connection, name: str, description: str, columns: dict[str, str]) -> None:
    """Give a view of marts_open and its columns, in their order, these descriptions where they have others."""
    view = sql.Identifier(OPEN, name)
    comments = [(0, sql.SQL("view {}").format(view), description)]
    for number, (column, told) in enumerate(columns.items(), start=1):
        comments.append((number, sql.SQL("column {}.{}").format(view, sql.Identifier(column)), told))
    there: dict[int, str] = dict(
        connection.execute(
            "select objsubid, description from pg_description where classoid = 'pg_class'::regclass and objoid = to_regclass(%s)",
            [f"{OPEN}.{name}"],
        ).fetchall()
    )
    for number, target, text in comments:
        if there.get(number, "") != text:
            connection.execute(sql.SQL("comment on {} is {}").format(target, sql.Literal(text)))


def withdraw(connection: psycopg.Connection) -> None:
    """Take the publisher's views away before a table that they read is; publishing writes them again."""
    written = connection.execute(
        """select relname from pg_class inner join pg_roles on pg_roles.oid = relowner
           where relnamespace = %s::regnamespace and relkind = 'v' and rolname = current_user""",
        [OPEN],
    ).fetchall()
    for (name,) in written:
        connection.execute(sql.SQL("drop view {}").format(sql.Identifier(OPEN, name)))
