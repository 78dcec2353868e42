"""One load of one landed file in a process of its own: prints seconds of the load and peak memory, as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from ingest import landing
from ingest.declaration import Source
from ingest.load import load
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import settings


def main() -> None:
    """Arguments: the declaration as JSON, the path of the landed file below landing."""
    source = Source.model_validate_json(sys.argv[1])
    chosen = settings()
    landed = landing.find(chosen.landing, sys.argv[2])
    with connect(chosen, LOADER, autocommit=True) as connection:
        started = time.perf_counter()
        done = load(connection, source, "street", landed, chosen.now(), Path(chosen.landing))
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "rows": done.rows, "peak_mib": peak}))


if __name__ == "__main__":
    main()
