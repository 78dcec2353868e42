"""The last layer: what anyone may see of the marts, each count as its owner's rule lets it out.

A view over the marts of the current release, so that it can be neither older nor newer than they are. It is written by the
publisher, whose rights it has: who reads it sees nothing else of the marts. Which totals it withholds is chosen once a release, in the
transaction that publishes it (or rolls back to it). tests/attack.py tries to work out what is suppressed, and knows nothing of this file.
"""

from __future__ import annotations

import csv

import psycopg
from psycopg import sql

from ingest.declaration import SEEDS
from warehouse.publish import mart_schema

OPEN = "marts_open"
VIEW = "measure"
READ = ("fct_measure", "dim_area", "dim_measure", "dim_source")  # of schema marts

_RULED = """
        select source, min(publish_rule) as publish_rule from marts.dim_source
        group by source having count(distinct publish_rule) = 1
"""
# Only a count can be ruled. What is derived from counts (a rate, a share) would let them be worked out again, a window of months the
# month that it has and the next one has not, a split its sisters: under this rule months of no sex, age or ethnicity are let out, and
# a rule for anything else has to come with it.
_TEXT = """
    with ruled as ({ruled})
    select
        f.area_code, a.area_name, f.period_kind, f.period_start_date, f.period_end_date, f.measure_code, m.measure_name, m.unit,
        f.sex, f.age_band, f.ethnicity,
        case
            when r.publish_rule = 'open' then f.value
            when k.is_let_out then marts_open.publishable(f.value, r.publish_rule)
        end as value,
        r.publish_rule is distinct from 'open' and f.value is not null
            and (not k.is_let_out or marts_open.publishable(f.value, r.publish_rule) is null) as is_suppressed,
        coalesce(r.publish_rule, 'none') as publish_rule,
        f.value_note, f.is_provisional, m.caveat, m.licence, m.attribution
    from marts.fct_measure as f
    inner join marts.dim_area as a on f.area_code = a.area_code
    inner join marts.dim_measure as m on f.measure_code = m.measure_code
    left join ruled as r on m.source = r.source and m.publish_rule = r.publish_rule
    left join marts_open.withheld_total as w
        on f.area_code = w.area_code and f.period_start_date = w.period_start_date and f.measure_code = w.measure_code
    cross join lateral (
        select
            f.denominator is null and f.value is not distinct from f.numerator and f.period_kind = 'month'
            and f.sex = 'all' and f.age_band = 'all' and f.ethnicity = 'all'
            -- A total of 0 is that of parts which are told as 0 anyway.
            and (w.area_code is null or f.value = 0) as is_let_out
    ) as k
"""
# A total would let its suppressed parts be worked out: 7 suppressed boroughs of a half that is 7 are each 1. NHS Digital asks for no
# second suppression below the nation (its methodology of September 2018); this goes further, because London's boroughs are few. What is
# enough for one sum is said beside marts_open.tells_a_part; here is which sums there are.
_WITHHELD = """
    with ruled as ({ruled}),
    -- One row per count of an area and month, with the least and the most that its own row tells of it.
    counted as (
        select
            f.measure_code, f.period_start_date as month, f.area_code, f.value, f.value between 1 and 7 as is_small,
            case when f.value = 0 then 0 when f.value <= 7 then 1 else round(f.value / 5) * 5 - 2 end as lowest,
            case when f.value = 0 then 0 when f.value <= 7 then 7 else round(f.value / 5) * 5 + 2 end as highest,
            array_remove(array[
                upper(a.ons_inner_outer), case when a.is_in_london_32 then 'LONDON_32' end,
                case when a.is_in_london_32 or a.area_type = 'city_of_london' then 'LONDON_33' end
            ], null) as totals
        from marts.fct_measure as f
        inner join marts.dim_area as a on f.area_code = a.area_code
        inner join marts.dim_measure as m on f.measure_code = m.measure_code
        inner join ruled as r on m.source = r.source and m.publish_rule = r.publish_rule
        where r.publish_rule = 'suppress_1_to_7_round_5' and f.period_kind = 'month' and f.value is not null
            and f.sex = 'all' and f.age_band = 'all' and f.ethnicity = 'all'
    ),
    -- One row per total of areas: whether it tells none of its own parts, were it known to the unit.
    total as (
        select
            parts.measure_code, parts.month, parts.area_code, whole.value, parts.small,
            whole.value = 0
            or whole.value >= 8 and not marts_open.tells_a_part(parts.small, parts.lowest, whole.value, parts.highest) as is_safe
        from (
            select
                c.measure_code, c.month, t.area_code, count(*) filter (where c.is_small) as small,
                sum(c.lowest) as lowest, sum(c.highest) as highest
            from counted as c
            cross join lateral unnest(c.totals) as t (area_code)
            group by c.measure_code, c.month, t.area_code
        ) as parts
        inner join counted as whole using (measure_code, month, area_code)
    ),
    -- One row per measure and month: which totals may be told. The halves stand or fall together, for London less one is the other. London
    -- is told once where the City is suppressed, for London with it less London without it is the City.
    chosen as (
        select
            measure_code, month,
            coalesce(bool_and(is_safe) filter (where area_code in ('INNER', 'OUTER')), false) as halves,
            coalesce(bool_and(is_safe) filter (where area_code = 'LONDON_32'), false) as without_city,
            case
                when bool_and(is_safe) filter (where area_code = 'LONDON_32')
                    then max(small) filter (where area_code = 'LONDON_33') = max(small) filter (where area_code = 'LONDON_32')
                else coalesce(bool_and(is_safe) filter (where area_code = 'LONDON_33'), false)
            end as with_city
        from total
        group by measure_code, month
    ),
    -- One row per part of another measure and total of areas where the rest of the whole (the whole less the part) would tell an area of
    -- which one of them is suppressed and the other is not: the part's total is then withheld.
    rest as (
        select left_over.measure_code, left_over.month, left_over.area_code
        from (
            select
                p.measure_code, p.whole_code, c.month, t.area_code, count(*) filter (where w.is_small <> c.is_small) as small,
                sum(greatest(w.lowest - c.highest, 0)) as lowest, sum(w.highest - c.lowest) as highest
            from (values {pairs}) as p (whole_code, measure_code)
            inner join counted as c on p.measure_code = c.measure_code
            inner join counted as w on p.whole_code = w.measure_code and c.month = w.month and c.area_code = w.area_code
            cross join lateral unnest(c.totals) as t (area_code)
            group by p.measure_code, p.whole_code, c.month, t.area_code
        ) as left_over
        inner join total as part using (measure_code, month, area_code)
        inner join total as whole
            on left_over.whole_code = whole.measure_code and left_over.month = whole.month and left_over.area_code = whole.area_code
        where marts_open.tells_a_part(left_over.small, left_over.lowest, whole.value - part.value, left_over.highest)
        group by left_over.measure_code, left_over.month, left_over.area_code
    )
    select c.measure_code || t.suffix as measure_code, c.month as period_start_date, t.area_code
    from chosen as c
    left join (select measure_code, month, array_agg(area_code) as areas from rest group by measure_code, month) as r
        using (measure_code, month)
    cross join lateral (
        values
        ('', 'INNER', c.halves and not coalesce(r.areas && array['INNER', 'OUTER', 'LONDON_32'], false)),
        ('', 'OUTER', c.halves and not coalesce(r.areas && array['INNER', 'OUTER', 'LONDON_32'], false)),
        ('', 'LONDON_32', c.without_city and not coalesce('LONDON_32' = any(r.areas), false)),
        ('', 'LONDON_33', c.with_city and not coalesce('LONDON_33' = any(r.areas), false)),
        -- What the publisher itself prints for London is the region, under a measure of its own name.
        ('_london', 'LONDON_PUBLISHED', c.with_city and not coalesce('LONDON_33' = any(r.areas), false))
    ) as t (suffix, area_code, is_told)
    where t.is_told is not true
"""
_COMMENT = (
    "Grain: one row per area, period, measure, sex, age band and ethnicity of the current release, for anyone: counts as "
    "their owners' rules let them out. Sums of rounded counts differ from rounded sums, and are not meant to agree. Under "
    "suppress_1_to_7_round_5 (NHS Digital's rule for counts of health below the nation, methodology of September 2018) a total of "
    "areas (INNER, OUTER, LONDON_32, LONDON_33) is suppressed too where it, or its difference from another total or from the total of "
    "a measure that holds this one, would leave a suppressed count fewer than five of the values 1 to 7. INNER and OUTER are then "
    "suppressed together; LONDON_33 is suppressed where the City is and LONDON_32 is not; so is the total that a publisher prints for "
    "London itself (LONDON_PUBLISHED, measures that end in _london). Only months, and no counts by sex, age or ethnicity, are let out "
    "under this rule. Of health counts that lie within one another of the same rows the whole alone is let out, the others not at all "
    "(rule none). The row does not say for which of the reasons. This project's rule, beyond NHS Digital's, which asks for no second "
    "suppression."
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
    "is_suppressed": "Whether there is a value that the rule keeps back, for itself or for a part of it; which, is not said. Unit "
    "truth. Source this project.",
    "publish_rule": "The owner's rule: open, or suppress_1_to_7_round_5 (0 stays, 1 to 7 are suppressed and totals that "
    "would tell them, others are rounded to the nearest 5). Unit code. Source marts.dim_source.",
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
    if not mart_schema.read_tables(connection, mart_schema.MARTS).keys() >= set(READ):
        return
    new, view = sql.Identifier(OPEN, f"{VIEW}_new"), sql.Identifier(OPEN, VIEW)
    _withhold(connection)
    connection.execute(sql.SQL("create view {} as ").format(new) + sql.SQL(_TEXT).format(ruled=sql.SQL(_RULED)))
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


def _withhold(connection: psycopg.Connection) -> None:
    """Choose the totals that are withheld, by the marts as they stand, and note where that has changed."""
    # Of what a query makes on its way nothing is known beforehand: planned row by row, this takes minutes.
    connection.execute("set local enable_nestloop = off")
    connection.execute(
        sql.SQL(
            """with chosen as materialized ({}),
               gone as (
                   delete from marts_open.withheld_total as w where not exists (
                       select from chosen as c
                       where (c.measure_code, c.period_start_date, c.area_code) = (w.measure_code, w.period_start_date, w.area_code)
                   )
               )
               insert into marts_open.withheld_total (measure_code, period_start_date, area_code)
               select measure_code, period_start_date, area_code from chosen on conflict do nothing"""
        ).format(sql.SQL(_WITHHELD).format(ruled=sql.SQL(_RULED), pairs=_pairs()))
    )
    connection.execute("set local enable_nestloop = default")


def _pairs() -> sql.Composed:
    """Each whole and part of the seed measure_part, as rows of SQL.

    From the code, not from a mart: a rollback brings back what older marts said, and the rule must hold of those as well.
    """
    with (SEEDS / "measure_part.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["measure_code"], row["part_measure_code"]) for row in csv.DictReader(file)]
    return sql.SQL(", ").join(sql.SQL("({}, {})").format(*map(sql.Literal, pair)) for pair in pairs)


def withdraw(connection: psycopg.Connection) -> None:
    """Take the view away before a table that it reads is; `publish` writes it again."""
    connection.execute(sql.SQL("drop view if exists {}").format(sql.Identifier(OPEN, VIEW)))
