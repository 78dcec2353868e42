"""Running Airflow as a program beside us: its environment, its database, its runs and processes. Nothing here imports Airflow."""

from warehouse.airflow.internals import failed_runs, scheduler_state
from warehouse.airflow.interrupted import newest_night_cut_off
from warehouse.airflow.lock import no_run
from warehouse.airflow.notes import write_note
from warehouse.airflow.processes import down, execute, up
from warehouse.airflow.program import environment, migrate, prune
from warehouse.airflow.run import run_nightly

__all__ = [
    "down",
    "environment",
    "execute",
    "failed_runs",
    "migrate",
    "newest_night_cut_off",
    "no_run",
    "prune",
    "run_nightly",
    "scheduler_state",
    "up",
    "write_note",
]
