"""The last layer: what anyone may see of the marts, each count as its owner's rule lets it out.

A view over the marts of the current release, so that it can be neither older nor newer than they are. It is written by the
publisher, whose rights it has: who reads it sees nothing else of the marts.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from warehouse import shape

OPEN = "marts_open"
VIEW = "measure"
READ = ("fct_measure", "dim_area", "dim_measure", "dim_source")  # of schema marts

# Only a count can be ruled. What is derived from counts (a rate, a share) would let them be worked out again, so where there
# is a rule it stays here. A total is ruled by itself: it does not tell what its parts were.
_TEXT = """
    with ruled as (
        select source, min(publish_rule) as publish_rule from marts.dim_source
        group by source having count(distinct publish_rule) = 1
    )
    select
        f.area_code, a.area_name, f.period_kind, f.period_start_date, f.period_end_date, f.measure_code, m.measure_name, m.unit,
        f.sex, f.age_band, f.ethnicity,
        case
            when r.publish_rule = 'open' then f.value
            when f.denominator is null and f.value = f.numerator then marts_open.publishable(f.value, r.publish_rule)
        end as value,
        r.publish_rule is distinct from 'open' and f.value is not null
            and (f.denominator is not null or f.value is distinct from f.numerator
                 or marts_open.publishable(f.value, r.publish_rule) is null) as is_suppressed,
        coalesce(r.publish_rule, 'none') as publish_rule,
        f.value_note, f.is_provisional, m.caveat, m.licence, m.attribution
    from marts.fct_measure as f
    inner join marts.dim_area as a on f.area_code = a.area_code
    inner join marts.dim_measure as m on f.measure_code = m.measure_code
    left join ruled as r on m.source = r.source
"""
_COMMENT = (
    "Grain: one row per area, period, measure, sex, age band and ethnicity of the current release, for anyone: counts as "
    "their owners' rules let them out. Sums of rounded counts differ from rounded sums, and are not meant to agree."
)
_COLUMNS = {
    "area_code": "Area of dim_area. Unit code. Source marts.fct_measure.",
    "area_name": "Name of the area. Unit text. Source marts.dim_area.",
    "period_kind": "Kind of period (month, financial_year, ...). Unit code. Source marts.fct_measure.",
    "period_start_date": "First day of the period. Unit date. Source marts.fct_measure.",
    "period_end_date": "Last day of the period. Unit date. Source marts.fct_measure.",
    "measure_code": "Measure of dim_measure. Unit code. Source marts.fct_measure.",
    "measure_name": "Name of the measure. Unit text. Source marts.dim_measure.",
    "unit": "What the value counts or is in. Unit text. Source marts.dim_measure.",
    "sex": "Sex, or all. Unit code. Source marts.fct_measure.",
    "age_band": "Age band, or all. Unit code. Source marts.fct_measure.",
    "ethnicity": "Ethnicity, or all. Unit code. Source marts.fct_measure.",
    "value": "The value as its owner's rule lets it out; null where suppressed, and where there is none. Unit that of the "
    "measure. Source marts.fct_measure.",
    "is_suppressed": "Whether there is a value that the rule keeps back. Unit truth. Source this project.",
    "publish_rule": "The owner's rule: open, or suppress_1_to_7_round_5 (0 stays, 1 to 7 are suppressed, others are rounded to "
    "the nearest 5). Unit code. Source marts.dim_source.",
    "value_note": "What its publisher says of the value. Unit text. Source marts.fct_measure.",
    "is_provisional": "Whether it will be revised. Unit truth. Source marts.fct_measure.",
    "caveat": "What to know before using the measure. Unit text. Source marts.dim_measure.",
    "licence": "Licence of the data. Unit text. Source marts.dim_measure.",
    "attribution": "What to print beside it. Unit text. Source marts.dim_measure.",
}


def publish(connection: psycopg.Connection) -> None:
    """Write the view where it is not there, or is not what it should be; in the publishing transaction, when the marts stand.

    Where the marts it reads are not all there, there is no view either.
    """
    if not shape.read_tables(connection, shape.MARTS).keys() >= set(READ):
        return
    new, view = sql.Identifier(OPEN, f"{VIEW}_new"), sql.Identifier(OPEN, VIEW)
    connection.execute(sql.SQL("create view {} as ").format(new) + sql.SQL(_TEXT))
    same = connection.execute(
        "select pg_get_viewdef(to_regclass(%s)) is not distinct from pg_get_viewdef(to_regclass(%s))",
        [f"{OPEN}.{VIEW}", f"{OPEN}.{VIEW}_new"],
    ).fetchone()
    if same and same[0]:
        connection.execute(sql.SQL("drop view {}").format(new))
        return
    connection.execute(sql.SQL("drop view if exists {}").format(view))
    connection.execute(sql.SQL("alter view {} rename to {}").format(new, sql.Identifier(VIEW)))
    connection.execute(sql.SQL("comment on view {} is {}").format(view, sql.Literal(_COMMENT)))
    for name, comment in _COLUMNS.items():
        connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(view, sql.Identifier(name), sql.Literal(comment))
        )
    connection.execute(sql.SQL("grant select on {} to vru_open, vru_analyst").format(view))


def withdraw(connection: psycopg.Connection) -> None:
    """Take the view away before a table that it reads is; `publish` writes it again."""
    connection.execute(sql.SQL("drop view if exists {}").format(sql.Identifier(OPEN, VIEW)))
