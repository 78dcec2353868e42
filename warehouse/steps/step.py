"""What every step needs: the settings of the home it works in, and a note of what goes wrong for the run's one alert."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingest.errors import Refusal
from warehouse import alerts
from warehouse.platform import session
from warehouse.platform import settings as home
from warehouse.platform.settings import Settings

BY_HAND = "build-"  # how the id of a run begins that a person started at a terminal


def settings() -> Settings:
    """The settings of the home that this process works in. Steps ask here alone, so a test can put another home in its place."""
    return home.settings()


def in_words(error: BaseException) -> str:
    """What an exception that nobody foresaw says: its kind and its first line."""
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


@contextmanager
def noted(run_id: str, step: str, subject: str) -> Iterator[None]:
    """Record what goes wrong in a step for the run's one alert; then let it go on up."""
    if not run_id.startswith(BY_HAND):
        session.at_work(f"a night's {step}")
    try:
        yield
    except Refusal as refusal:
        alerts.record_problem(settings(), run_id, step, subject, refusal.code, str(refusal))
        raise
    except Exception as error:
        alerts.record_problem(
            settings(),
            run_id,
            step,
            subject,
            "UNFORESEEN",
            in_words(error),
        )
        raise
