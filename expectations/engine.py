"""Running checks through Great Expectations: queries and tables in the database, figures in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import logging
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from expectations.answers import Observation, read_answer, sayable
from expectations.every_suite import AskedOfAll
from expectations.figures import Figure, Key, NoFigure, in_months
from expectations.suite import Check, Suite
from warehouse.platform import session
from warehouse.platform.connection import GATE, parameters
from warehouse.platform.settings import Settings

# Nothing of a row may come back: rows may be personal.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
# Of a figure, which is in memory, it may say which rows.
IN_MEMORY = {"result_format": "COMPLETE", "partial_unexpected_count": 0, "include_unexpected_rows": False}

# Where queries are asked: one row a candidate.
ANY_TABLE = "ops.candidate"

_Asked = list[tuple[Key, Any]]  # expectations, each of a suite and check


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
        # It stands in the queue alone, so the other cores wait.
        "max_parallel_workers_per_gather": "2",
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
def quietly() -> Iterator[None]:
    """Use the library without analytics, warnings or a log: its log quotes values, and what matters comes back in the answer."""
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


class _Later(types.ModuleType):
    """A module that is imported where something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        sys.modules.pop(self.__name__, None)
        return getattr(importlib.import_module(self.__name__), name)


def _put_off(package: str, module: str = "") -> None:
    """Let Great Expectations import a module without its being read: what it imports for three expectations costs as much as all the rest."""
    name = f"{package}.{module}" if module else package
    if name not in sys.modules:
        sys.modules[name] = _Later(name)
        if module:
            setattr(importlib.import_module(package), module, sys.modules[name])


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

    meta = {
        "suite": suite.name,
        "check": check.name,
        "may_be_all_null": bool(check.columns & set(suite.may_be_all_null)),
    }
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


def load_library() -> None:
    """Import Great Expectations, the longest part of a gate on small data: where something else is to be waited for, do it meanwhile."""
    with quietly():
        _put_off("scipy", "stats")
        _put_off("altair")
        import great_expectations  # noqa: F401 - loaded while the figures are asked, used after


def run(
    url: str,
    work: Sequence[tuple[Suite, tuple[Check, ...]]],
    asked: Callable[[], tuple[Mapping[Key, Figure | Exception], Iterable[AskedOfAll]]],
) -> dict[Key, Observation]:
    """Run checks and say what each found.

    Args:
        url: as connection_url makes it.
        work: suites, each with the checks to run: on its table, or on a figure.
        asked: gives, once the tables are judged, the figures that checks are of, by suite and definition (or why there is none), and the
            checks of several suites, each a row or more of one figure. They may be asked of the database meanwhile.

    Returns:
        By suite and check name. A check that cannot be run or does not come back is there as crashed.
    """
    observations: dict[Key, Observation] = {}
    load_library()
    with quietly():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        # One asset for every figure: each that is added writes all of the context's configuration anew.
        memory = (
            context.data_sources.add_pandas("memory")
            .add_dataframe_asset("figures")
            .add_batch_definition_whole_dataframe("whole")
        )
        warehouse = context.data_sources.add_postgres("warehouse", connection_string=url)
        # A query names its tables itself: all of them are asked as if of one table, which costs one validation and not one a suite.
        of_tables: dict[str, _Asked] = {}
        for suite, checks in work:
            for check in checks:
                if check.of is None:
                    table = suite.target if check.unexpected_rows is None else ANY_TABLE
                    _add(of_tables.setdefault(table, []), observations, suite, check)
        try:
            for table, asked_of in of_tables.items():
                if asked_of:
                    observations |= _answers(asked_of, partial(_table, warehouse, table), RESULT_FORMAT)
            figures, unasked = asked()
            of_figures: dict[Key, _Asked] = {}
            for suite, checks in work:
                for check in checks:
                    if check.of is not None:
                        figure = figures.get((suite.name, check.of), NoFigure(f"there is no figure {check.of}"))
                        _add(of_figures.setdefault((suite.name, check.of), []), observations, suite, check, figure)
            for of, asked_of in of_figures.items():
                found = figures.get(of)
                if asked_of and isinstance(found, Figure):
                    observations |= _answers(asked_of, partial(_frame, memory, found), IN_MEMORY, found)
            for one in unasked:
                observations |= _answers_by_suite(memory, one)
        finally:
            # It leaves two connections open otherwise.
            warehouse.get_engine().dispose()
            engine = warehouse.get_execution_engine()
            engine.close()
            engine.engine.dispose()
    return observations


def _add(
    asked: _Asked,
    observations: dict[Key, Observation],
    suite: Suite,
    check: Check,
    figure: Figure | Exception | None = None,
) -> None:
    """Make the expectation of a check and put it with the others of its table or figure."""
    key = (suite.name, check.name)
    # Whatever is raised here, and the library raises anything, means that a check did not run: never that it passed.
    try:
        expectation = _expectation(suite, check)
        if isinstance(figure, Exception):
            raise figure
    except Exception as error:  # noqa: BLE001 - a crash, never a pass
        observations[key] = Observation("crashed", remark=sayable(error))
    else:
        asked.append((key, expectation))


def _table(warehouse: Any, target: str) -> Any:
    schema, table = target.split(".")
    asset = warehouse.add_table_asset(name=target, table_name=table, schema_name=schema)
    return asset.add_batch_definition_whole_table(target).get_batch()


def _frame(memory: Any, figure: Figure) -> Any:
    """A figure in memory. Numbers are floats: counts are exact to 9 quadrillion, and both sides of a comparison are rounded alike."""
    import pandas as pd  # type: ignore[import-untyped] # it carries no types

    def column(name: str) -> Any:
        values = [in_months(row[name]) for row in figure.rows]
        return pd.Series(values, dtype="float64" if name in figure.numbers else "object")

    frame = pd.DataFrame({name: column(name) for name in figure.columns})
    return memory.get_batch({"dataframe": frame})


def _answers(
    asked: _Asked, batch: Callable[[], Any], result_format: Mapping[str, Any], figure: Figure | None = None
) -> dict[Key, Observation]:
    """What expectations found in a table or a figure; all of them crashed where the library could not ask."""
    import great_expectations as gx

    try:
        suite = gx.ExpectationSuite(name=" ".join(asked[0][0]), expectations=[expectation for _, expectation in asked])
        answers = batch().validate(suite, result_format=dict(result_format)).results
    except Exception as error:  # noqa: BLE001 - a crash, never a pass
        return {key: Observation("crashed", remark=sayable(error)) for key, _ in asked}
    observations = {}
    for answer in answers:
        meta = answer.expectation_config.meta
        found = read_answer(
            answer.expectation_config.type,
            answer.success,
            answer.result,
            answer.exception_info,
            may_be_all_null=meta["may_be_all_null"],
            may_be_empty=figure is not None,
        )
        if figure is not None and found.outcome == "failed":
            places = answer.result.get("unexpected_index_list") or []
            found = dataclasses.replace(found, rows=tuple(figure.rows[place] for place in places))
        observations[meta["suite"], meta["check"]] = found
    return observations


def _answers_by_suite(memory: Any, one: AskedOfAll) -> dict[Key, Observation]:
    """What a check that all suites share found, by suite."""
    check = one.check
    observations = {
        (suite, check.name): Observation("crashed", remark=sayable(error)) for suite, error in one.crashed.items()
    }
    if not one.figure.rows:
        return observations
    together = Suite(name="every suite", describes="", target="ops.candidate", minimum_checks=1, checks=(check,))
    key = (together.name, check.name)
    found = _answers([(key, _expectation(together, check))], partial(_frame, memory, one.figure), IN_MEMORY, one.figure)
    answer = found.get(key, Observation("crashed", remark="no answer came back"))
    broken = {id(row) for row in answer.rows}
    for suite in dict.fromkeys(one.suites):
        rows = tuple(
            row for row, of in zip(one.figure.rows, one.suites, strict=True) if of == suite and id(row) in broken
        )
        if answer.outcome == "crashed" or (answer.outcome == "failed" and not broken):
            observations[suite, check.name] = Observation("crashed", remark=answer.remark or "it does not say where")
        else:
            observations[suite, check.name] = Observation("failed" if rows else "passed", len(rows), rows=rows)
    return observations
