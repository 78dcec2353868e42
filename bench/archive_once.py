"""One night of police.uk's street files in a process of its own: prints seconds of fetch and of load, rows and peak memory, as JSON."""

from __future__ import annotations

import json
import resource
import time

from warehouse import steps


def main() -> None:
    """Fetch and load what is new."""
    started = time.perf_counter()
    landed = steps.fetch("bench", "police_uk", "street")
    fetched = time.perf_counter()
    done = steps.load("bench", "police_uk", "street", landed)
    loaded = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"fetch": fetched - started, "load": loaded - fetched, "rows": done["rows"], "peak_mib": peak}))


if __name__ == "__main__":
    main()
