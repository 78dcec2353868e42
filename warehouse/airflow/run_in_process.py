"""One run of a DAG in this process, by Airflow's own `dag.test()`: what `vru nightly` starts where no scheduler is up.

    python -m warehouse.airflow.run_in_process nightly 2026-01-01T00:00:00+00:00 '{"sources": null}'

The first argument is the DAG, the second the run's moment, from which its id follows (`manual__<moment>`), the third its configuration. The exit status is 0
when the run ended green. It stops when its standard input is closed, so that it never outlives who started it.

Against `airflow dags test` it saves two thirds of the time before the first task: the DAG folder is read once, and the
in-process API serves the version that its only client, this very release, speaks.
"""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time

from warehouse.airflow.internals import serve_newest_api_only
from warehouse.airflow.program import DAGS, EXECUTION_API

# Loading Airflow makes a million objects that stay; looking through them for cycles again and again costs a second or two.
gc.set_threshold(100_000, 50, 100)


def stop_with_parent() -> None:
    """End this process as soon as the one that started it is gone."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # waits until it is closed: nobody writes
        os.kill(os.getpid(), signal.SIGTERM)
        # Waiting for a database, Python does not hear signals.
        time.sleep(5)
        os._exit(143)

    threading.Thread(target=wait, daemon=True, name="parent").start()


def main(dag_id: str, moment: str, configuration: str) -> bool:
    """Run the DAG once; returns whether it ended green."""
    os.environ[EXECUTION_API] = ""
    sys.path.insert(0, str(DAGS))
    dag = importlib.import_module(dag_id).dag
    serve_newest_api_only()
    at = dt.datetime.fromisoformat(moment)
    run = dag.test(run_after=at, logical_date=at, run_conf=json.loads(configuration))
    return bool(run.state == "success")


if __name__ == "__main__":
    stop_with_parent()
    is_green = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking thousands of modules down in order takes a second and changes nothing: everything is committed.
    os._exit(0 if is_green else 1)
