"""Building the candidate of what stands, without the loads that are set aside; each of those is a problem of the run."""

from __future__ import annotations

from ingest import queue, raw
from warehouse import alerts
from warehouse.build import culprits, set_aside, transform
from warehouse.build.loads import Load
from warehouse.platform import readers
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings

STEP = "set aside"  # of a run's problems


def build(settings: Settings, run_id: str, *, unless_current: bool = False, whole: bool = False) -> str | None:
    """Build the candidate of what stands, without the loads that are set aside now; each of those is a problem of the run.

    Args, Returns: as transform.build.

    Raises:
        Refusal: as transform.build; where the build fails whatever is left out, with the files that are new since the last good one.
    """
    with connect(settings, LOADER, autocommit=True) as connection, queue.lock_exclusive(connection):
        readers.end_overdue_and_say_so(connection)
        # Of these a candidate was built that the one to come takes the place of.
        for source, by_dataset in raw.left_behind(connection).items():
            for dataset, load_ids in by_dataset.items():
                raw.take_out_for_good(connection, source, dataset, load_ids)
        for load in set_aside.judge_within(settings, connection):
            _tell(settings, run_id, load)
        try:
            return transform.build(settings, unless_current=unless_current, whole=whole)
        except transform.BuildFailed as failed:
            candidate, to_blame = culprits.build_without(settings, connection, failed)
    for load in to_blame:
        _tell(settings, run_id, load)
    return candidate


def _tell(settings: Settings, run_id: str, load: Load) -> None:
    alerts.record_problem(
        settings,
        run_id,
        STEP,
        load.label,
        load.code or "MONTH_NOT_WHOLE",
        f"load {load.load_id} {load.reason}",
    )
