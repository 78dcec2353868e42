"""One run of a DAG in this process, by Airflow's own `dag.test()`: what `vru nightly` starts where no scheduler is up.

    python dags/run_in_process.py nightly 2026-01-01T00:00:00+00:00 '{"sources": null}'

The first argument is the DAG, the second the run's moment, from which its id follows (`manual__<moment>`), the third its configuration. The exit status is 0
when the run ended green. It stops when its standard input is closed, so that it never outlives who started it.

Against `airflow dags test` it saves two thirds of the time before the first task: the DAG folder is read once, and the
in-process API serves the version that its only client, this very release, speaks.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from typing import Any

# Loading Airflow makes a million objects that stay; looking through them for cycles again and again costs a second or two.
gc.set_threshold(100_000, 50, 100)


def stop_with_parent() -> None:
    """End this process as soon as the one that started it is gone."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)
        # Waiting for a database, Python does not hear signals.
        time.sleep(5)
        os._exit(143)

    threading.Thread(target=wait, daemon=True, name="parent").start()


def serve_newest_api_only() -> None:
    """Leave out the older versions of the API between task and scheduler, which take four seconds to generate.

    They exist for workers of older releases. In one process there is none: client and server are the same installation.
    """
    from airflow.api_fastapi.execution_api import app as execution_api

    def newest(lifespan: Any = execution_api.lifespan) -> Any:
        from airflow.api_fastapi.common.exceptions import init_error_handlers
        from airflow.api_fastapi.execution_api.routes import execution_api_router
        from fastapi import FastAPI

        app = FastAPI(lifespan=lifespan)
        app.include_router(execution_api_router)
        init_error_handlers(app)
        return app

    execution_api.create_task_execution_api_app = newest


def main(dag_id: str, moment: str, configuration: str) -> bool:
    """Run the DAG once; returns whether it ended green."""
    import importlib

    from airflow.sdk import timezone

    dag = importlib.import_module(dag_id).dag
    serve_newest_api_only()
    at = timezone.parse(moment)
    run = dag.test(run_after=at, logical_date=at, run_conf=json.loads(configuration))
    return bool(run.state == "success")


if __name__ == "__main__":
    stop_with_parent()
    is_green = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking thousands of modules down in order takes a second and changes nothing: everything is committed.
    os._exit(0 if is_green else 1)
