"""What is asked of every suite: its table has rows, no column is without a value, a mart is not cut down.

Great Expectations passes each of these in other words: an empty table, and a column without values, break no rule of theirs.
They are asked of all suites together, one row a suite, so that they cost three expectations and not a hundred.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from expectations.figures import Figure
from expectations.suite import Check, Suite

ROWS_OF_PUBLISHED = 0.9

HAS_ROWS = Check(
    name="the_table_has_rows",
    severity="critical",
    expectation="ExpectColumnValuesToBeBetween",
    arguments={"column": "found", "min_value": 1},
)
HAS_VALUES = Check(
    name="no_column_is_all_null",
    severity="critical",
    expectation="ExpectColumnValuesToBeInSet",
    arguments={"column": "has_value", "value_set": [True]},
)
IS_NOT_CUT = Check(
    name="rows_are_at_least_90_percent_of_what_is_published",
    severity="critical",
    expectation="ExpectColumnValuesToBeBetween",
    arguments={"column": "share", "min_value": ROWS_OF_PUBLISHED},
)


@dataclasses.dataclass(frozen=True)
class AskedOfAll:
    """One check of several suites.

    Attributes:
        suites: the suite that each row of the figure is about.
        crashed: why it could not be asked, by suite.
    """

    check: Check
    figure: Figure
    suites: tuple[str, ...]
    crashed: dict[str, Exception]


class _Rows:
    """Rows of a figure as they are gathered, suite by suite."""

    def __init__(self, check: Check, columns: tuple[str, ...], numbers: Iterable[str], flags: Iterable[str]) -> None:
        self.check, self.columns, self.numbers, self.flags = check, columns, frozenset(numbers), frozenset(flags)
        self.rows: list[dict[str, object]] = []
        self.suites: list[str] = []
        self.crashed: dict[str, Exception] = {}

    def add(self, suite: Suite, **row: object) -> None:
        self.rows.append(row)
        self.suites.append(suite.name)

    def done(self) -> AskedOfAll:
        figure = Figure(self.columns, self.numbers, self.flags, tuple(self.rows))
        return AskedOfAll(self.check, figure, tuple(self.suites), self.crashed)


def ask(connection: psycopg.Connection, suites: Sequence[Suite]) -> tuple[AskedOfAll, ...]:
    """The checks that every one of these suites gets, with what they look at."""
    has_rows = _Rows(HAS_ROWS, ("table_name", "found"), ["found"], [])
    has_values = _Rows(HAS_VALUES, ("column_name", "has_value"), [], ["has_value"])
    is_not_cut = _Rows(IS_NOT_CUT, ("found", "published", "share"), ["found", "published", "share"], [])
    for suite in suites:
        published = suite.target.replace("candidate.", "marts.", 1)
        compares = suite.kind == "marts" and suite.rows_may_fall_because is None and _exists(connection, published)
        try:
            found, values = _look(connection, suite, whole=compares)
            has_rows.add(suite, table_name=suite.target, found=found)
            for column, has_value in values if found else ():
                has_values.add(suite, column_name=column, has_value=has_value)
            if compares:
                row = connection.execute(
                    sql.SQL("select count(*) from {}").format(sql.Identifier(*published.split(".")))
                ).fetchone()
                before = int(row[0]) if row else 0
                is_not_cut.add(suite, found=found, published=before, share=found / before if before else 1.0)
        except psycopg.Error as error:
            has_rows.crashed[suite.name] = error
    return has_rows.done(), has_values.done(), is_not_cut.done()


def _exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def _look(connection: psycopg.Connection, suite: Suite, *, whole: bool) -> tuple[int, list[tuple[str, bool]]]:
    """How many rows a suite looks at (1 for any, where nobody needs more), and whether each column that may not be empty has a value."""
    columns = _columns(connection, suite)
    if suite.unasked_of is not None:  # of a view, in one pass: it computes every row that it gives
        given = [sql.SQL("count({}) > 0").format(sql.Identifier(name)) for name in columns]
        query = sql.SQL("select {} from {}").format(
            sql.SQL(", ").join([sql.SQL("count(*)"), *given]), sql.SQL(suite.unasked_of)
        )
    else:  # of a table, up to the first value
        count = (
            "select count(*) from {batch}" if whole else "select count(*) from (select from {batch} limit 1) as first"
        )
        one = sql.SQL("exists (select from {{batch}} where {} is not null)")
        given = [one.format(sql.Identifier(name)) for name in columns]
        query = sql.SQL("select {}").format(sql.SQL(", ").join([sql.SQL(f"({count})"), *given]))
    row = connection.execute(suite.query(query.as_string(connection)).encode()).fetchone() or (0,)
    return int(row[0]), list(zip(columns, row[1:], strict=True))


def _columns(connection: psycopg.Connection, suite: Suite) -> list[str]:
    """The columns of a suite's table that may not be without a value, and which the table itself does not see to."""
    if suite.kind != "marts" and suite.target.startswith("candidate."):
        return []  # a mart's columns are judged by the mart's own suite, once
    return [
        name
        for (name,) in connection.execute(
            """select attname from pg_attribute
               where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and not attnotnull order by attnum""",
            [suite.target],
        )
        if name not in suite.may_be_all_null
    ]
