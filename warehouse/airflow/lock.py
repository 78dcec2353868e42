"""The lock that keeps a home's runs apart."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import IO

from ingest.errors import Refusal
from warehouse.airflow import internals
from warehouse.platform import session
from warehouse.platform.settings import Settings


@contextlib.contextmanager
def only_runner(settings: Settings) -> Iterator[IO[str]]:
    """Hold the home's lock on running nights. A run in a process of its own holds it with us until it has ended.

    Raises:
        Refusal: when a run of this home is under way; names the command that holds it.
    """
    file = settings.home / "airflow" / "nightly.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise Refusal(
                "RUN_UNDER_WAY",
                f"a nightly run of this home is under way, or a build: `{lock.read() or 'unknown'}`",
                kept="nothing was started",
                next_step="wait until it has ended",
            ) from None
        lock.truncate(0)
        lock.write(session.name())
        lock.flush()
        yield lock


@contextlib.contextmanager
def no_run(settings: Settings) -> Iterator[None]:
    """Hold off runs of this home, whose build, gate and publish belong together: a build between them would spoil both.

    Raises:
        Refusal: when a run is under way.
    """
    with only_runner(settings):
        if internals.is_scheduled_run_under_way(settings) and internals.is_scheduler_alive(settings):
            raise Refusal(
                "RUN_UNDER_WAY",
                "a run of this home is under way on its scheduler",
                kept="nothing was started",
                next_step="wait until it has ended; it publishes what is loaded",
            )
        yield
