"""The gate: is this candidate fit to publish? It fails closed; what it cannot judge it blocks."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import psycopg

from expectations import data_docs, engine, every_suite, figures
from expectations.answers import Observation
from expectations.findings import area_names, as_named, known_rows_of, names_of
from expectations.naming import Row, entries, listed
from expectations.scope import (
    NAMED_IN_DETAIL,
    Result,
    applies,
    completeness_of_suites,
    exists,
    nothing_to_compare_with,
    size_of,
)
from expectations.suite import SUITES, Check, Suite, read_suites
from ingest.errors import Refusal
from warehouse.platform.connection import GATE, connect
from warehouse.platform.settings import Settings

LOG = logging.getLogger(__name__)

# How many areas and months a check names in the one sentence that goes into an alert.
NAMED_IN_REASON = 24
NAMED_IN_WARNING = 5


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
        Refusal: when no such candidate was ever built, when it was published and its rows were let go since, or the warehouse cannot be reached; nothing is recorded then, and
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
    _write_pages(settings, f"release-{release_id}-{verdict}", results, judged_at)
    return Verdict(candidate_id, release_id, verdict, reason, judged_at, results)


def _write_pages(settings: Settings, name: str, results: Sequence[Result], judged_at: dt.datetime) -> None:
    """Write the verdict's Data Docs. They are for reading, so nothing that goes wrong with them stops a night."""
    try:
        data_docs.write(settings.home, name, results, judged_at)
    except Exception as error:  # noqa: BLE001 - as said
        LOG.warning("the pages of the verdict could not be written (%s)", type(error).__name__)


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
    detail = listed(result.named, limit) if result.named else result.detail
    return f"{result.check} ({result.suite}) {kind}" + (f": {detail}" if detail else "")


def _find_candidate(connection: psycopg.Connection, candidate_id: str) -> _Candidate:
    row = connection.execute(
        """select candidate_id, code_version, data_kind, built_at is not null, emptied_at is not null
           from ops.candidate where candidate_id = %s""",
        [candidate_id],
    ).fetchone()
    if row is None:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"there is no candidate {candidate_id!r} to judge",
            kept="nothing was recorded and the marts are as they were",
            next_step="build one with `vru build`",
        )
    *found, is_emptied = row
    if is_emptied:
        raise Refusal(
            "CANDIDATE_NOT_PUBLISHABLE",
            f"candidate {candidate_id} was published, and its rows stand in the marts alone",
            kept="its verdict and the marts as they are",
            next_step="build one with `vru build`",
        )
    return _Candidate(*found)


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
    results = list(completeness_of_suites(connection, candidate_id, suites))
    work, waiting = _in_force(connection, candidate_id, suites)
    results += [size_of(suite) for suite, _ in work]
    results += [nothing_to_compare_with(suite, check) for suite, check in waiting]
    if work:
        with concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="figures") as pool:
            # The database is asked for the figures while the library is read and judges the tables: either takes seconds.
            asking = pool.submit(_ask, connection, work)
            try:
                url = engine.connection_url(settings, candidate_id)
                observations = engine.run(url, work, asking.result)
            except Exception as error:  # noqa: BLE001  (no check ran; any reason for that blocks)
                detail = f"Great Expectations did not run ({type(error).__name__})"
                results.append(Result("gate", "every_check_was_run", "critical", "crashed", None, detail))
                observations = {}
        of_figures, asked_of_all = asking.result()
        names = area_names(connection)
        for suite, checks in work:
            for check in (*(one.check for one in asked_of_all if suite.name in {*one.suites, *one.crashed}), *checks):
                found = observations.get((suite.name, check.name), Observation("crashed", remark="no answer came back"))
                figure = of_figures.get((suite.name, check.of or ""))
                known = known_rows_of(suite, check, figure) if isinstance(figure, figures.Figure) else []
                results.append(_result(connection, suite, check, found, names, known))
    return tuple(results)


_Work = list[tuple[Suite, tuple[Check, ...]]]


def _in_force(
    connection: psycopg.Connection, candidate_id: str, suites: Sequence[Suite]
) -> tuple[_Work, list[tuple[Suite, Check]]]:
    """Which checks are to be run, and those that have nothing published to compare with yet."""
    work: _Work = []
    waiting: list[tuple[Suite, Check]] = []
    for suite in suites:
        if applies(connection, candidate_id, suite):
            wait = [check for check in suite.checks if check.requires and not exists(connection, check.requires)]
            waiting += [(suite, check) for check in wait]
            work.append((suite, tuple(check for check in suite.checks if check not in wait)))
    return work, waiting


def _ask(
    connection: psycopg.Connection, work: _Work
) -> tuple[dict[figures.Key, figures.Figure | Exception], tuple[every_suite.AskedOfAll, ...]]:
    """What the checks look at in memory."""
    return figures.ask_all(connection, work), every_suite.ask(connection, [suite for suite, _ in work])


def _result(
    connection: psycopg.Connection,
    suite: Suite,
    check: Check,
    found: Observation,
    names: dict[str, str],
    known_rows: Sequence[Row],
) -> Result:
    """A result with the areas and months it is about. Names are asked for only where something is wrong or mentioned."""
    outcome, remarks = found.outcome, [found.remark] if found.remark else []
    named: tuple[str, ...] = ()
    if outcome == "failed" and found.rows:
        named, remarks = entries(as_named(suite, check, found.rows), names), []
    elif outcome == "failed" and check.unexpected_rows is not None:
        try:
            named = names_of(connection, suite, check.unexpected_rows, names)
        except psycopg.Error as error:
            remarks.append(f"where could not be named ({type(error).__name__})")
    if named:
        remarks.append(listed(named, NAMED_IN_DETAIL))
    if known_rows and outcome != "crashed":
        remarks.append(f"known: {listed(entries(known_rows, names), NAMED_IN_DETAIL)}")
    if check.mentions is not None and outcome != "crashed":
        try:
            known = names_of(connection, suite, check.mentions, names)
        except psycopg.Error as error:
            outcome = "crashed"
            remarks.append(f"what is known could not be read ({type(error).__name__})")
        else:
            if known:
                remarks.append(f"known: {listed(known, NAMED_IN_DETAIL)}")
    return Result(
        suite.name, check.name, check.severity, outcome, found.unexpected_count, "; ".join(remarks), tuple(named)
    )


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
