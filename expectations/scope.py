"""Which suites are in force for a candidate, and whether everything that would be published is judged by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import psycopg
from psycopg import sql

from expectations.answers import Outcome
from expectations.naming import listed
from expectations.suite import Check, Severity, Suite

# How many areas and months a check names, in the ledger.
NAMED_IN_DETAIL = 200


@dataclasses.dataclass(frozen=True)
class Result:
    """One check of one suite: as it stands in ops.quality_result."""

    suite: str
    check: str
    severity: Severity
    outcome: Outcome
    unexpected_count: int | None
    detail: str
    named: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether it keeps the candidate from being published: a check that crashed says nothing, whatever its severity."""
        return self.outcome == "crashed" or (self.outcome == "failed" and self.severity == "critical")


def completeness_of_suites(connection: psycopg.Connection, candidate_id: str, suites: Sequence[Suite]) -> list[Result]:
    """Whether everything that would be published is judged by something."""
    tables = [
        name
        for (name,) in connection.execute(
            # A view is computed from tables that are judged, by a formula that its unit tests prove; it may have a suite and needs none.
            """select relname from pg_class where relnamespace = 'candidate'::regnamespace and relkind in ('r', 'm', 'p')
               order by relname"""
        )
    ]
    judged = {suite.target for suite in suites if suite.kind == "marts"}
    without = [table for table in tables if f"candidate.{table}" not in judged]
    sources = [
        name
        for (name,) in connection.execute(
            """select distinct l.source from ops.candidate_load as c inner join ops.load as l on l.load_id = c.load_id
               where c.candidate_id = %s order by l.source""",
            [candidate_id],
        )
    ]
    delivered = {suite.source for suite in suites if suite.kind == "landing"}
    unjudged = [source for source in sources if source not in delivered]

    def result(check: str, problems: list[str], nothing: str) -> Result:
        detail = listed(problems, NAMED_IN_DETAIL) or nothing
        return Result(
            "gate", check, "critical", "failed" if detail else "passed", len(problems) or None, detail, tuple(problems)
        )

    return [
        result(
            "every_mart_has_a_suite",
            [f"candidate.{table} (add expectations/marts/{table}.yml)" for table in without],
            "" if tables else "schema candidate holds no table",
        ),
        result(
            "every_source_has_a_suite",
            [f"{source} (add a suite to expectations/landing/{source}/)" for source in unjudged],
            "" if sources else "the candidate was built from no load",
        ),
    ]


def size_of(suite: Suite) -> Result:
    """A suite that lost checks would pass the more easily the more it lost."""
    count = len(suite.checks)
    if count >= suite.minimum_checks:
        return Result(suite.name, "the_suite_is_whole", "critical", "passed", None, "")
    detail = f"it holds {count} checks and must hold {suite.minimum_checks}"
    return Result(suite.name, "the_suite_is_whole", "critical", "failed", None, detail)


def applies(connection: psycopg.Connection, candidate_id: str, suite: Suite) -> bool:
    """Whether a suite is in force: one of a source, or of one dataset of it, is where the candidate uses any of that."""
    if suite.may_be_empty_because:
        published = suite.target.replace("candidate.", "marts.", 1)
        return _has_rows(connection, suite.target) or _has_rows(connection, published)
    if suite.rows_come_from:
        # Of a view one row may cost as much as all of them, so the ledger is asked first.
        return _uses(connection, candidate_id, suite.rows_come_from) or _has_rows(connection, suite.target)
    if suite.rows_are_due_where is not None:
        query = suite.query(suite.rows_are_due_where)
        return _has_rows(connection, suite.target) or connection.execute(query.encode()).fetchone() is not None
    if suite.kind != "landing":
        return True
    of = [suite.dataset] if suite.dataset else list(suite.datasets)
    return (
        connection.execute(
            """select 1 from ops.candidate_load as c inner join ops.load as l on l.load_id = c.load_id
               where c.candidate_id = %s and l.source = %s and (%s::text[] = '{}' or l.dataset = any(%s)) limit 1""",
            [candidate_id, suite.source, of, of],
        ).fetchone()
        is not None
    )


def _uses(connection: psycopg.Connection, candidate_id: str, datasets: Sequence[str]) -> bool:
    query = """select 1 from ops.candidate_load as c inner join ops.load as l on l.load_id = c.load_id
               where c.candidate_id = %s and l.source || '.' || l.dataset = any(%s) limit 1"""
    return connection.execute(query, [candidate_id, list(datasets)]).fetchone() is not None


def _has_rows(connection: psycopg.Connection, table: str) -> bool:
    if not exists(connection, table):
        return False
    query = sql.SQL("select 1 from {} limit 1").format(sql.Identifier(*table.split(".")))
    return connection.execute(query).fetchone() is not None


def nothing_to_compare_with(suite: Suite, check: Check) -> Result:
    detail = f"nothing to compare with: {check.requires} is not published yet"
    return Result(suite.name, check.name, check.severity, "passed", None, detail)


def exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])
