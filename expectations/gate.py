"""The gate: is this candidate fit to publish? It fails closed; what it cannot judge it blocks."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from expectations import engine
from expectations.engine import Observation, Outcome
from expectations.suite import SUITES, Check, Severity, Suite, read_suites
from ingest.errors import Refusal
from warehouse.platform.connection import GATE, connect
from warehouse.platform.settings import Settings

# How many areas and months a check names, in the ledger and in the one sentence that goes into an alert.
NAMED_IN_DETAIL = 200
NAMED_IN_REASON = 24
NAMED_IN_WARNING = 5
ROWS_READ_FOR_NAMES = 5000

# Columns whose text may be repeated; the text of any other column may be personal.
PLACES = (
    "area_code",
    "month",
    "month_header",
    "source",
    "dataset",
    "load_id",
    "row_number",
    "table_name",
    "column_name",
)
ROWS_OF_TARGET = 0.9


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


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the gate decided about a candidate, and why."""

    candidate_id: str
    release_id: int
    verdict: Literal["passed", "warned", "blocked"]
    reason: str
    judged_at: dt.datetime
    results: tuple[Result, ...]

    @property
    def may_be_published(self) -> bool:
        return self.verdict != "blocked"


@dataclasses.dataclass(frozen=True)
class _Candidate:
    candidate_id: str
    code_version: str
    data_kind: str
    is_whole: bool


def judge(settings: Settings, candidate_id: str, *, suites: Path = SUITES) -> Verdict:
    """Judge a candidate by every suite, and record each result and then the verdict.

    Args:
        settings: whose warehouse.
        candidate_id: the build that stands in schema candidate, which must be the newest and stay so.
        suites: the folder of suites.

    Returns:
        The verdict, as recorded: rows in ops.quality_result, and one in ops.release (judged, or held where blocked).

    Raises:
        Refusal: when no such candidate was ever built, or the warehouse cannot be reached; nothing is recorded then, and
            without a recorded verdict nothing is published.
    """
    with connect(settings, GATE, autocommit=True) as connection:
        candidate = _find_candidate(connection, candidate_id)
        for name, value in engine.session_settings(candidate_id).items():
            connection.execute("select set_config(%s, %s, false)", [name, value])
        results = _judge_still(settings, connection, candidate, suites)
        verdict, reason = decide(results)
        judged_at = settings.now()
        connection.execute("set default_transaction_read_only to off")
        _record_results(connection, candidate_id, results, judged_at)
        release_id = _record_release(connection, candidate, verdict, reason, judged_at)
    return Verdict(candidate_id, release_id, verdict, reason, judged_at, results)


def decide(results: Sequence[Result]) -> tuple[Literal["passed", "warned", "blocked"], str]:
    """The verdict on a list of results, and the reason in words.

    No result at all blocks: nothing was judged.
    """
    if not results:
        return "blocked", "nothing was checked"
    blocking = [result for result in results if result.blocks]
    warning = [result for result in results if result.outcome == "failed" and result.severity == "warning"]
    sentences = [_sentence(result) for result in [*blocking, *warning]]
    if blocking:
        return "blocked", "; ".join(sentences)
    return ("warned", "; ".join(sentences)) if warning else ("passed", f"all {len(results)} checks passed")


def _sentence(result: Result) -> str:
    kind = "crashed" if result.outcome == "crashed" else "failed" if result.severity == "critical" else "warned"
    limit = NAMED_IN_REASON if result.blocks else NAMED_IN_WARNING
    detail = _list(result.named, limit) if result.named else result.detail
    return f"{result.check} ({result.suite}) {kind}" + (f": {detail}" if detail else "")


def _find_candidate(connection: psycopg.Connection, candidate_id: str) -> _Candidate:
    row = connection.execute(
        "select candidate_id, code_version, data_kind, built_at is not null from ops.candidate where candidate_id = %s",
        [candidate_id],
    ).fetchone()
    if row is None:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"there is no candidate {candidate_id!r} to judge",
            kept="nothing was recorded and the marts are as they were",
            next_step="build one with `vru build`",
        )
    return _Candidate(*row)


def _judge_still(
    settings: Settings, connection: psycopg.Connection, candidate: _Candidate, folder: Path
) -> tuple[Result, ...]:
    """Every result, and one more that says whether the candidate stood still while it was looked at.

    Great Expectations asks one statement at a time, so what it looks at must be the same from the first to the last.
    """
    before = _identity(connection)
    if before[0] != candidate.candidate_id:
        return (_stood_still(f"the newest candidate is {before[0]}, so schema candidate no longer holds this one"),)
    if not candidate.is_whole:
        return (_stood_still("its build has not come to an end"),)
    results = _judge_suites(settings, connection, candidate.candidate_id, folder)
    if _identity(connection) != before:
        return (*results, _stood_still("schema candidate was built again while it was being judged"))
    return (*results, Result("gate", "the_candidate_stood_still", "critical", "passed", None, ""))


def _stood_still(detail: str) -> Result:
    return Result("gate", "the_candidate_stood_still", "critical", "crashed", None, detail)


def _identity(connection: psycopg.Connection) -> tuple[object, ...]:
    """The newest candidate, and which tables stand in its schema: one that was built or filled again is another."""
    newest = connection.execute(
        "select candidate_id from ops.candidate order by begun_at desc, candidate_id desc limit 1"
    ).fetchone()
    tables = connection.execute(
        """select relname, oid, pg_relation_filenode(oid) from pg_class
           where relnamespace = 'candidate'::regnamespace and relkind in ('r', 'v', 'm', 'p') order by relname"""
    ).fetchall()
    return (newest[0] if newest else None, *tables)


def _judge_suites(
    settings: Settings, connection: psycopg.Connection, candidate_id: str, folder: Path
) -> tuple[Result, ...]:
    try:
        suites = read_suites(folder)
    except Refusal as refusal:
        return (Result("gate", "the_suites_can_be_read", "critical", "crashed", None, str(refusal)),)
    results = list(_completeness_of_suites(connection, candidate_id, suites))
    in_force = [suite for suite in suites if _applies(connection, candidate_id, suite)]
    work: list[tuple[Suite, tuple[Check, ...]]] = []
    for suite in in_force:
        results.append(_size_of(suite))
        checks = (*_checks_every_suite_gets(connection, suite), *suite.checks)
        waiting = [check for check in checks if check.requires and not _exists(connection, check.requires)]
        results += [_nothing_to_compare_with(suite, check) for check in waiting]
        work.append((suite, tuple(check for check in checks if check not in waiting)))
    if work:
        try:
            observations = engine.run(engine.connection_url(settings, candidate_id), work)
        except Exception as error:  # noqa: BLE001  (no check ran; any reason for that blocks)
            detail = f"Great Expectations did not run ({type(error).__name__})"
            results.append(Result("gate", "every_check_was_run", "critical", "crashed", None, detail))
            observations = {}
        names = _area_names(connection)
        for suite, checks in work:
            for check in checks:
                found = observations.get((suite.name, check.name), Observation("crashed", remark="no answer came back"))
                results.append(_result(connection, suite, check, found, names))
    return tuple(results)


def _completeness_of_suites(connection: psycopg.Connection, candidate_id: str, suites: Sequence[Suite]) -> list[Result]:
    """Whether everything that would be published is judged by something."""
    tables = [
        name
        for (name,) in connection.execute(
            """select relname from pg_class where relnamespace = 'candidate'::regnamespace and relkind in ('r', 'v', 'm', 'p')
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
        detail = _list(problems, NAMED_IN_DETAIL) or nothing
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


def _size_of(suite: Suite) -> Result:
    """A suite that lost checks would pass the more easily the more it lost."""
    count = len(suite.checks)
    if count >= suite.minimum_checks:
        return Result(suite.name, "the_suite_is_whole", "critical", "passed", None, "")
    detail = f"it holds {count} checks and must hold {suite.minimum_checks}"
    return Result(suite.name, "the_suite_is_whole", "critical", "failed", None, detail)


def _applies(connection: psycopg.Connection, candidate_id: str, suite: Suite) -> bool:
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
    if not _exists(connection, table):
        return False
    query = sql.SQL("select 1 from {} limit 1").format(sql.Identifier(*table.split(".")))
    return connection.execute(query).fetchone() is not None


def _nothing_to_compare_with(suite: Suite, check: Check) -> Result:
    detail = f"nothing to compare with: {check.requires} is not published yet"
    return Result(suite.name, check.name, check.severity, "passed", None, detail)


def _exists(connection: psycopg.Connection, table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return bool(row and row[0])


def _checks_every_suite_gets(connection: psycopg.Connection, suite: Suite) -> tuple[Check, ...]:
    """What Great Expectations passes: a table without rows, a column without values, a table cut down."""
    rows = sql.SQL(suite.unasked_of or "{batch}")
    # A view computes every row that is counted; one is enough to know.
    empty = sql.SQL("select 0 as rows_found where not exists (select 1 from {})").format(rows).as_string(connection)
    checks = [Check(name="the_table_has_rows", severity="critical", unexpected_rows=empty)]
    columns = connection.execute(
        """select attname from pg_attribute
           where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and not attnotnull order by attnum""",
        [suite.target],
    )
    judged = [name for (name,) in columns if name not in suite.may_be_all_null]
    # A mart's columns are judged by the mart's own suite, once.
    if judged and (suite.kind == "marts" or not suite.target.startswith("candidate.")):
        checks.append(Check(name="no_column_is_all_null", severity="critical", unexpected_rows=_all_null(rows, judged)))
    published = suite.target.replace("candidate.", "marts.", 1)
    if suite.kind == "marts" and suite.rows_may_fall_because is None:
        compared = sql.SQL(
            "select c.found, p.published from (select count(*) as found from {{batch}}) as c"
            " cross join (select count(*) as published from {}) as p where c.found < {} * p.published"
        ).format(sql.Identifier(*published.split(".")), sql.Literal(ROWS_OF_TARGET))
        checks.append(
            Check(
                name="rows_are_at_least_90_percent_of_what_is_published",
                severity="critical",
                unexpected_rows=compared.as_string(connection),
                requires=published,
            )
        )
    return tuple(checks)


def _all_null(rows: sql.SQL, columns: Sequence[str]) -> str:
    """A query for the columns without a value in rows; one pass, for a view computes every row that is counted."""
    counts = sql.SQL(", ").join(sql.SQL("count({})").format(sql.Identifier(name)) for name in columns)
    names = sql.SQL(", ").join(sql.Identifier(str(number)) for number in range(len(columns)))
    values = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(sql.Literal(name), sql.Identifier(str(number)))
        for number, name in enumerate(columns)
    )
    query = sql.SQL(
        "select v.column_name from (select count(*), {} from {}) as n (rows_found, {})"
        " cross join lateral (values {}) as v (column_name, found) where n.rows_found > 0 and v.found = 0"
    )
    return query.format(counts, rows, names, values).as_string(None)


def _result(
    connection: psycopg.Connection, suite: Suite, check: Check, found: Observation, names: dict[str, str]
) -> Result:
    """A result with the areas and months it is about. Names are asked for only where something is wrong or mentioned."""
    outcome, remarks = found.outcome, [found.remark] if found.remark else []
    named: tuple[str, ...] = ()
    if outcome == "failed" and check.unexpected_rows is not None:
        try:
            named = _names_of(connection, suite, check.unexpected_rows, names)
        except psycopg.Error as error:
            remarks.append(f"where could not be named ({type(error).__name__})")
    if named:
        remarks.append(_list(named, NAMED_IN_DETAIL))
    if check.mentions is not None and outcome != "crashed":
        try:
            known = _names_of(connection, suite, check.mentions, names)
        except psycopg.Error as error:
            outcome = "crashed"
            remarks.append(f"what is known could not be read ({type(error).__name__})")
        else:
            if known:
                remarks.append(f"known: {_list(known, NAMED_IN_DETAIL)}")
    return Result(
        suite.name, check.name, check.severity, outcome, found.unexpected_count, "; ".join(remarks), tuple(named)
    )


def _names_of(connection: psycopg.Connection, suite: Suite, query: str, names: dict[str, str]) -> tuple[str, ...]:
    """What the rows of a query are about, in words, one entry an area and month with its measures."""
    with connection.cursor(row_factory=dict_row) as cursor:
        # A suite is ours, versioned and read strictly; nothing of a publisher's is in its text.
        cursor.execute(f"select * from ({suite.query(query)}) as found limit {ROWS_READ_FOR_NAMES}")  # noqa: S608
        rows = cursor.fetchall()
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        place = " ".join(_word(column, row[column], names) for column in PLACES if row.get(column) is not None)
        groups.setdefault(place, []).append(row)
    return tuple(_entry(place, group) for place, group in groups.items())


def _entry(place: str, rows: list[dict[str, Any]]) -> str:
    measures = list(dict.fromkeys(row["measure_code"] for row in rows if row.get("measure_code")))
    words = [place] if place else []
    if measures:
        words.append(_list(measures, 3))
    if len(rows) == 1:
        figures = [
            f"{column.replace('_', ' ')} {_figure(value)}"
            for column, value in rows[0].items()
            if column not in (*PLACES, "measure_code")
            and (value is None or (isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)))
        ]
        if figures:
            words.append(f"({', '.join(figures)})" if words else ", ".join(figures))
    return " ".join(words)


def _word(column: str, value: object, names: dict[str, str]) -> str:
    if column == "area_code":
        return names.get(str(value), str(value))
    if column == "month" and isinstance(value, dt.date):
        return f"{value:%Y-%m}"
    return (
        f"{column.removesuffix('_id').replace('_', ' ')} {value}" if column in {"load_id", "row_number"} else str(value)
    )


def _figure(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    return str(value.normalize()) if isinstance(value, Decimal) and value.is_finite() else str(value)


def _list(words: Sequence[str], limit: int) -> str:
    shown = ", ".join(words[:limit])
    return f"{shown} and {len(words) - limit} more" if len(words) > limit else shown


def _area_names(connection: psycopg.Connection) -> dict[str, str]:
    """Names of areas by code; none where the candidate has no dim_area, and codes stand in their place."""
    try:
        return dict(connection.execute("select area_code, area_name from candidate.dim_area").fetchall())
    except psycopg.Error:
        return {}


def _record_results(
    connection: psycopg.Connection, candidate_id: str, results: Sequence[Result], judged_at: dt.datetime
) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            """insert into ops.quality_result
                   (candidate_id, suite, check_name, severity, outcome, unexpected_count, detail, checked_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                (candidate_id, r.suite, r.check, r.severity, r.outcome, r.unexpected_count, r.detail, judged_at)
                for r in results
            ],
        )


def _record_release(
    connection: psycopg.Connection, candidate: _Candidate, verdict: str, reason: str, judged_at: dt.datetime
) -> int:
    row = connection.execute(
        """insert into ops.release (candidate_id, verdict, verdict_reason, state, judged_at, code_version, data_kind)
           values (%s, %s, %s, %s, %s, %s, %s) returning release_id""",
        [
            candidate.candidate_id,
            verdict,
            reason,
            "held" if verdict == "blocked" else "judged",
            judged_at,
            candidate.code_version,
            candidate.data_kind,
        ],
    ).fetchone()
    if row is None:
        raise RuntimeError("the verdict was not recorded")
    return int(row[0])
