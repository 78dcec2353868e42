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
# is a rule it stays here. So would a total: 7 suppressed boroughs of a half that is 7 are each 1, four of 28 are each 7. NHS
# Digital asks for no second suppression below the nation (its methodology of September 2018); this goes further,
# because London's boroughs are few. A total is withheld where its k suppressed parts, each 1 to 7, sum to less than 2k or
# more than 6k: any other sum leaves every part at least two values, however well its total is known.
_TEXT = """
    with ruled as (
        select source, min(publish_rule) as publish_rule from marts.dim_source
        group by source having count(distinct publish_rule) = 1
    ),
    -- Each suppressed part with the totals that its sum decides about. The halves stand or fall together, for London less one is
    -- the other; the region falls with the 32 boroughs, for less the City it is they, and for the City, for less them it is that. A
    -- total of London that the publisher prints beside its boroughs is the region under a measure of its own name.
    part as (
        select
            t.area_code, f.period_kind, f.period_start_date, t.measure_code, t.sex, t.age_band, t.ethnicity, t.margin, f.value
        from marts.fct_measure as f
        inner join marts.dim_area as a on f.area_code = a.area_code
        inner join marts.dim_measure as m on f.measure_code = m.measure_code
        inner join ruled as r on m.source = r.source and m.publish_rule = r.publish_rule
        cross join lateral (
            values
            ('INNER', f.measure_code, a.ons_inner_outer, f.sex, f.age_band, f.ethnicity),
            ('OUTER', f.measure_code, a.ons_inner_outer, f.sex, f.age_band, f.ethnicity),
            ('LONDON_32', f.measure_code, case when a.is_in_london_32 then '32' end, f.sex, f.age_band, f.ethnicity),
            ('LONDON_33', f.measure_code, case when a.is_in_london_32 then '32' end, f.sex, f.age_band, f.ethnicity),
            ('LONDON_33', f.measure_code, case when a.area_type = 'city_of_london' then 'city' end, f.sex, f.age_band, f.ethnicity),
            ('LONDON_PUBLISHED', f.measure_code || '_london', case when a.is_in_london_32 then '32' end, f.sex, f.age_band, f.ethnicity),
            (
                'LONDON_PUBLISHED', f.measure_code || '_london', case when a.area_type = 'city_of_london' then 'city' end,
                f.sex, f.age_band, f.ethnicity
            ),
            (f.area_code, f.measure_code, case when f.sex <> 'all' then 'sex' end, 'all', f.age_band, f.ethnicity),
            (f.area_code, f.measure_code, case when f.age_band <> 'all' then 'age' end, f.sex, 'all', f.ethnicity),
            (f.area_code, f.measure_code, case when f.ethnicity <> 'all' then 'ethnicity' end, f.sex, f.age_band, 'all')
        ) as t (area_code, measure_code, margin, sex, age_band, ethnicity)
        where r.publish_rule = 'suppress_1_to_7_round_5' and t.margin is not null and f.value between 1 and 7
    ),
    telling as (
        select distinct area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity
        from (
            select area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity
            from part
            group by area_code, period_kind, period_start_date, measure_code, sex, age_band, ethnicity, margin
            having sum(value) < 2 * count(*) or sum(value) > 6 * count(*)
        ) as one_margin
    )
    select
        f.area_code, a.area_name, f.period_kind, f.period_start_date, f.period_end_date, f.measure_code, m.measure_name, m.unit,
        f.sex, f.age_band, f.ethnicity,
        case
            when r.publish_rule = 'open' then f.value
            when f.denominator is null and f.value = f.numerator and t.area_code is null
                then marts_open.publishable(f.value, r.publish_rule)
        end as value,
        r.publish_rule is distinct from 'open' and f.value is not null
            and (f.denominator is not null or f.value is distinct from f.numerator or t.area_code is not null
                 or marts_open.publishable(f.value, r.publish_rule) is null) as is_suppressed,
        coalesce(r.publish_rule, 'none') as publish_rule,
        f.value_note, f.is_provisional, m.caveat, m.licence, m.attribution
    from marts.fct_measure as f
    inner join marts.dim_area as a on f.area_code = a.area_code
    inner join marts.dim_measure as m on f.measure_code = m.measure_code
    left join ruled as r on m.source = r.source and m.publish_rule = r.publish_rule
    left join telling as t
        on f.area_code = t.area_code and f.period_kind = t.period_kind and f.period_start_date = t.period_start_date
        and f.measure_code = t.measure_code and f.sex = t.sex and f.age_band = t.age_band and f.ethnicity = t.ethnicity
"""
_COMMENT = (
    "Grain: one row per area, period, measure, sex, age band and ethnicity of the current release, for anyone: counts as "
    "their owners' rules let them out. Sums of rounded counts differ from rounded sums, and are not meant to agree. Under "
    "suppress_1_to_7_round_5 (NHS Digital's rule for counts of health below the nation, methodology of September 2018) a total, of "
    "areas (INNER, OUTER, LONDON_32, LONDON_33) or of sex, age band or ethnicity (all), is suppressed too where it would let a "
    "suppressed part be worked out: where its k suppressed parts sum to less than 2k or more than 6k. INNER and OUTER are then "
    "suppressed together, and LONDON_33 with LONDON_32, since each with the total of both would tell the other; so is the total that "
    "a publisher prints for London itself (LONDON_PUBLISHED, measures that end in _london). Of health counts that lie within one "
    "another of the same rows the whole alone is let out, the others not at all (rule none). The row does not "
    "say for which of the two reasons. This project's rule, beyond NHS Digital's, which asks for no second suppression."
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
