"""Great Expectations' own Data Docs of the newest verdict: suite, check, verdict and counts, and no value of a row.

They are made after the verdict and of it alone: what a page says is what `ops.quality_result` says.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from expectations import engine
from expectations.scope import Result

FOLDER = "quality"  # below the home
INDEX = "index.html"
NO_EXPECTATION = (
    "unexpected_rows_expectation"  # what a check is shown as that has none, such as whether a suite is whole
)


def page(home: Path) -> Path:
    """The page to begin with; it is there once a verdict was given."""
    return home / FOLDER / INDEX


def write(home: Path, name: str, results: Sequence[Result], judged_at: dt.datetime) -> Path:
    """Write the pages of a verdict, in the place of those of the one before.

    Args:
        home: the folder they are put below.
        name: of the verdict, such as release-12-passed.
        results: every result of it.
        judged_at: when it was given.

    Returns:
        The page to begin with.

    Raises:
        Exception: whatever the library or the disk raises; the pages of the verdict before stand then.
    """
    fresh, pages = home / f"{FOLDER}.new", home / FOLDER
    shutil.rmtree(fresh, ignore_errors=True)
    with engine.quietly():
        import great_expectations as gx
        from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        context = gx.get_context(mode="ephemeral")
        context.add_data_docs_site(FOLDER, _site(fresh))
        run = RunIdentifier(run_name=name, run_time=judged_at)
        for room, found in groupby(sorted(results, key=_room), key=_room):
            shown = [_shown(result) for result in found]
            whole = ExpectationSuiteValidationResult(
                suite_name=room,
                success=all(one.success for one in shown),
                results=shown,
                statistics=_statistics(shown),
                meta={"run_id": run},
            )
            context.validation_results_store.set(
                ValidationResultIdentifier(ExpectationSuiteIdentifier(room), run, room), whole
            )
        context.build_data_docs([FOLDER])
    shutil.rmtree(pages, ignore_errors=True)
    fresh.replace(pages)
    return page(home)


def _room(result: Result) -> str:
    """The page of a result: a source's delivery, the marts, or the gate itself."""
    kind, *rest = result.suite.split("/")
    return f"{kind}-{rest[0]}" if kind == "landing" else kind


def _shown(result: Result) -> Any:
    """A result as the library keeps one: the claim, its severity, how it ended, and how many rows break it."""
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    claim = f"{result.suite}: {result.check.replace('_', ' ')} ({result.severity})"
    rows = "" if result.unexpected_count is None else f", {result.unexpected_count:,} rows break it"
    return ExpectationValidationResult(
        success=result.outcome == "passed",
        expectation_config=ExpectationConfiguration(
            # The page shows the claim in the place of what the type would say.
            type="unexpected_rows_expectation",
            kwargs={"unexpected_rows_query": "{batch}"},
            description=claim,
            severity=result.severity,
        ),
        result={"observed_value": f"{result.outcome}{rows}"},
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def _statistics(shown: Sequence[Any]) -> dict[str, float]:
    successes = sum(one.success for one in shown)
    return {
        "evaluated_expectations": len(shown),
        "successful_expectations": successes,
        "unsuccessful_expectations": len(shown) - successes,
        "success_percent": 100 * successes / len(shown),
    }


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "site_section_builders": {"expectations": "None", "profiling": "None"},
    }
