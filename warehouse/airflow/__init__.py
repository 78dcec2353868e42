"""Running Airflow as a program beside us: its environment, its database, its runs and processes. Nothing here imports Airflow."""

from warehouse.airflow.processes import down, execute, up
from warehouse.airflow.program import environment, migrate, prune
from warehouse.airflow.records import failed_runs, newest_night_cut_off, no_run, scheduler_state
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
]
