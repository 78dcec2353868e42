"""What every step needs: the settings of the home it works in, and a note of what goes wrong for the run's one alert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from ingest.errors import Refusal, kind_and_place
from warehouse import alerts
from warehouse.platform import session
from warehouse.platform import settings as home
from warehouse.platform.settings import Settings

BY_HAND = "build-"  # how the id of a run begins that a person started at a terminal


def settings() -> Settings:
    """The settings of the home that this process works in. Steps ask here alone, so a test can put another home in its place."""
    return home.settings()


def in_words(error: BaseException) -> str:
    """What may be told of an exception that nobody foresaw: its kind and place, and its first line where that speaks of the database's server or
    of the disk. Of what was in a file or a row, its text may hold some.
    """
    if isinstance(error, psycopg.OperationalError):
        return f"{kind_and_place(error)}: {next(iter(str(error).splitlines()), '')}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind_and_place(error)}: {error.strerror}"
    return kind_and_place(error)


@contextmanager
def noted(run_id: str, step: str, subject: str) -> Iterator[None]:
    """Record what goes wrong in a step for the run's one alert; then let it go on up.

    Raises:
        Refusal: as the step; and in place of what nobody foresaw, whose own text and causes Airflow would write into its log.
    """
    if not run_id.startswith(BY_HAND):
        session.at_work(f"a night's {step}")
    try:
        yield
    except Refusal as refusal:
        alerts.record_problem(settings(), run_id, step, subject, refusal.code, str(refusal))
        raise
    except Exception as error:  # noqa: BLE001 - it goes on up, without what its text may hold
        told = in_words(error)
        alerts.record_problem(settings(), run_id, step, subject, "UNFORESEEN", told)
        raise Refusal(
            "UNFORESEEN", told, where=subject, kept="what stood before it", next_step="report this sentence"
        ) from None
