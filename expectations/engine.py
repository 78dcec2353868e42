"""Running checks through Great Expectations, and reading from its answers what they do not say by themselves.

What it answers and what that means differ: an empty table and an all-null column succeed, a failed warning and a check
that crashed both come back as success False, and a check may not come back at all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Literal
from urllib.parse import quote, urlencode

from expectations.suite import Check, Suite
from warehouse.platform import session
from warehouse.platform.connection import GATE, parameters
from warehouse.platform.settings import Settings

Outcome = Literal["passed", "failed", "crashed"]

# Nothing of a row may come back: rows may be personal.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}

# Where queries are asked: one row a candidate.
ANY_TABLE = "ops.candidate"

# Errors whose text names tables, columns and functions only. The text of any other may quote a value.
_SAYABLE = ("UndefinedTable", "UndefinedColumn", "UndefinedFunction", "SyntaxError", "InsufficientPrivilege")


@dataclasses.dataclass(frozen=True)
class Observation:
    """What one check found: its outcome, how many rows break it (where it counts rows), and a remark without values."""

    outcome: Outcome
    unexpected_count: int | None = None
    remark: str = ""


def session_settings(candidate_id: str) -> dict[str, str]:
    """What every session of the gate sets.

    Checks look at whole tables, and the planner has no idea how large the parts are that a check puts together. On the real
    files it chose a nested loop that ran for minutes, a merge join on one key of three and the sorting of a million rows;
    by hashing each takes a second.
    """
    return {
        "vru.candidate_id": candidate_id,
        "default_transaction_read_only": "on",
        "enable_nestloop": "off",
        "enable_mergejoin": "off",
        "enable_sort": "off",
        "work_mem": "128MB",
        "jit": "off",
    }


def connection_url(settings: Settings, candidate_id: str) -> str:
    """The URL Great Expectations connects by: as vru_gate, unable to write, and told which candidate is judged.

    It refuses a URL without a host, and a socket folder is none: libpq takes the folder from the query instead.
    """
    found = parameters(settings, GATE)
    user, secret, database = (quote(found.pop(key), safe="") for key in ("user", "password", "dbname"))
    host, port = found.pop("host"), found.pop("port")
    more = session_settings(candidate_id) | {"client_connection_check_interval": "1s"}
    if settings.today is not None:
        more["vru.today"] = settings.today.isoformat()
    options = session.as_options(more)
    found["options"] = f"{found['options']} {options}" if found.get("options") else options
    found["application_name"] = "vru gate"
    if host.startswith("/"):
        return f"postgresql+psycopg2://{user}:{secret}@localhost/{database}?" + urlencode(
            {"host": host, "port": port, **found}, quote_via=quote
        )
    return f"postgresql+psycopg2://{user}:{secret}@{host}:{port}/{database}?{urlencode(found, quote_via=quote)}"


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without analytics, warnings or a log: its log quotes values, and what matters comes back in the answer."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logger = logging.getLogger("great_expectations")
    goes_on, nowhere = logger.propagate, logging.NullHandler()
    logger.propagate = False
    logger.addHandler(nowhere)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.removeHandler(nowhere)
        logger.propagate = goes_on


@cache
def _rows_that_break_it() -> type[Any]:
    """UnexpectedRowsExpectation that counts and fetches nothing.

    The original runs its query twice and brings rows out of the database, which nobody here may see or needs.
    """
    from great_expectations.expectations import UnexpectedRowsExpectation

    class RowsThatBreakIt(UnexpectedRowsExpectation):  # type: ignore[misc]
        metric_dependencies = ("unexpected_rows_query.row_count",)

        def _validate(
            self, metrics: Mapping[str, Any], runtime_configuration: object = None, execution_engine: object = None
        ) -> dict[str, Any]:
            count = metrics["unexpected_rows_query.row_count"]
            return {"success": count == 0, "result": {"observed_value": count}}

    return RowsThatBreakIt


def _expectation(suite: Suite, check: Check) -> Any:
    """The Great Expectations object of a check."""
    import great_expectations.expectations as library

    columns = {check.arguments.get(name) for name in ("column", "column_A", "column_B")}
    meta = {"suite": suite.name, "check": check.name, "may_be_all_null": bool(columns & set(suite.may_be_all_null))}
    marks = {"meta": meta, "severity": check.severity}
    if check.unexpected_rows is not None:
        # What it puts in for {batch} is a table's name, a subquery or a subquery with an alias, depending on whether the word
        # join occurs. We put the name in; it gets its {batch} in a remark, without which it prints a complaint.
        query = f"{suite.query(check.unexpected_rows)}\n/* {{batch}} */"
        return _rows_that_break_it()(unexpected_rows_query=query, **marks)
    found = getattr(library, check.expectation or "", None)
    if found is None:
        raise LookupError(f"Great Expectations has no {check.expectation}")
    return found(**check.arguments_in_full, **marks)


def run(url: str, work: Iterable[tuple[Suite, tuple[Check, ...]]]) -> dict[tuple[str, str], Observation]:
    """Run checks and say what each found.

    Args:
        url: as connection_url makes it.
        work: suites, each with the checks to run on its table (its own, and those every suite gets).

    Returns:
        By suite and check name. A check that cannot be run or does not come back is there as crashed.
    """
    observations: dict[tuple[str, str], Observation] = {}
    with _quietly():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        warehouse = context.data_sources.add_postgres("warehouse", connection_string=url)
        # A query names its tables itself: all of them are asked as if of one table, which costs one validation and not one a suite.
        together: dict[str, list[tuple[tuple[str, str], Any]]] = {}
        # Whatever is raised here, and the library raises anything, means that a check did not run: never that it passed.
        for suite, checks in work:
            for check in checks:
                key = (suite.name, check.name)
                try:
                    expectation = _expectation(suite, check)
                except Exception as error:  # noqa: BLE001 - a crash, never a pass
                    observations[key] = Observation("crashed", remark=_sayable(error))
                else:
                    table = suite.target if check.unexpected_rows is None else ANY_TABLE
                    together.setdefault(table, []).append((key, expectation))
        try:
            for table, asked in together.items():
                observations |= _ask(gx, warehouse, table, asked)
        finally:
            # It leaves two connections open otherwise.
            warehouse.get_engine().dispose()
            engine = warehouse.get_execution_engine()
            engine.close()
            engine.engine.dispose()
    return observations


def _ask(
    gx: Any, warehouse: Any, target: str, asked: list[tuple[tuple[str, str], Any]]
) -> dict[tuple[str, str], Observation]:
    """What expectations found in a table; all of them crashed where the library could not ask."""
    schema, table = target.split(".")
    try:
        asset = warehouse.add_table_asset(name=target, table_name=table, schema_name=schema)
        suite = gx.ExpectationSuite(name=target, expectations=[expectation for _, expectation in asked])
        batch = asset.add_batch_definition_whole_table(target).get_batch()
        answers = batch.validate(suite, result_format=RESULT_FORMAT).results
    except Exception as error:  # noqa: BLE001 - a crash, never a pass
        return {key: Observation("crashed", remark=_sayable(error)) for key, _ in asked}
    observations = {}
    for answer in answers:
        meta = answer.expectation_config.meta
        observations[meta["suite"], meta["check"]] = read_answer(
            answer.expectation_config.type,
            answer.success,
            answer.result,
            answer.exception_info,
            may_be_all_null=meta["may_be_all_null"],
        )
    return observations


def read_answer(
    kind: str, success: object, result: object, exception_info: object, *, may_be_all_null: bool = False
) -> Observation:
    """What an answer of Great Expectations means.

    Args:
        kind: the expectation's type, such as expect_column_values_to_be_in_set.
        success: its word for it.
        result: its figures.
        exception_info: one record, or one per metric that crashed.
        may_be_all_null: whether the column may be without a value, so that there may be none to check.
    """
    crash = _crash(exception_info)
    if crash is not None:
        return Observation("crashed", remark=_sayable_text(crash))
    if success is not True and success is not False:
        return Observation("crashed", remark="it came back neither passed nor failed")
    if not isinstance(result, Mapping) or not result:
        return Observation("crashed", remark="it came back without figures")
    if any(isinstance(value, float) and math.isnan(value) for value in result.values()):
        return Observation("crashed", remark="it came back with a figure that is not a number")
    if "element_count" in result:
        return _read_column_answer(kind, success, result, may_be_all_null)
    observed = result.get("observed_value")
    if observed is None and isinstance(result.get("missing_count"), int):
        # A comparison of sets: its values are withheld by the result format, its counts are not.
        missing, unexpected = result["missing_count"], result.get("unexpected_count") or 0
        if (missing + unexpected == 0) is not success:
            return Observation("crashed", remark="it came back with counts that contradict it")
        remark = "" if success else f"{missing} values missing, {unexpected} not expected"
        return Observation("passed" if success else "failed", missing + unexpected, remark)
    if observed is None:
        return Observation("crashed", remark="it came back without an observed value")
    if kind == "rows_that_break_it":
        if (
            not isinstance(observed, int)
            or isinstance(observed, bool)
            or observed < 0
            or (observed == 0) is not success
        ):
            return Observation("crashed", remark="it came back with a count that is none")
        return Observation("passed" if success else "failed", observed)
    remark = f"found {observed}" if isinstance(observed, (int, float)) and not success else ""
    return Observation("passed" if success else "failed", remark=remark)


def _read_column_answer(kind: str, success: bool, result: Mapping[str, Any], may_be_all_null: bool) -> Observation:
    elements, missing = result["element_count"], result.get("missing_count") or 0
    if not elements or (missing == elements and "null" not in kind and not may_be_all_null):
        return Observation("failed", remark="there was no value to check")
    unexpected = result.get("unexpected_count")
    if unexpected is None:
        return Observation("crashed", remark="it came back without a count")
    remark = "" if success else f"{unexpected} of {elements} rows"
    return Observation("passed" if success else "failed", unexpected, remark)


def _crash(exception_info: object) -> str | None:
    if not exception_info:
        return None
    if not isinstance(exception_info, Mapping):
        return "unknown"
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    for record in records:
        if not isinstance(record, Mapping) or record.get("raised_exception") is not False:
            return str(record.get("exception_message") if isinstance(record, Mapping) else record)
    return None


def _sayable(error: BaseException) -> str:
    return _sayable_text(str(error), type(error).__name__)


def _sayable_text(message: str, kind: str = "") -> str:
    """What may be said of an error: its kind, and its first line where that cannot hold a value from a row."""
    match = re.search(r"\(psycopg2\.errors\.(\w+)\) ([^\n]*)", message)
    if match is not None:
        return f"{match[1]}: {match[2]}" if match[1] in _SAYABLE else match[1]
    match = re.search(r"The column \"?\w+\"? in BatchData does not exist", message)
    if match is not None:
        return match[0]
    if kind in {"LookupError", "ValidationError"}:
        return f"{kind}: {' '.join(message.split())[:200]}"
    return kind or "the error's text is withheld, it may quote a row"
