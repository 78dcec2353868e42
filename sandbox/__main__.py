"""`python -m sandbox`: serve the stand-in publishers until SIGTERM or SIGINT."""

import argparse
import json
import signal
import sys
import threading
from datetime import date
from pathlib import Path

import sandbox
from sandbox.safestats.inbox import fill

DELIVERED_EVERY = 3600.0  # seconds: publishers that follow the calendar deliver the next month by themselves


def main(arguments: list[str] | None = None) -> int:
    """Prints one JSON line with `base_url` once the server answers, then serves; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=sandbox.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="an IPv4 loopback address (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--today", type=date.fromisoformat, help="the publishers' day; default: follows the calendar")
    parser.add_argument("--seed", type=int, default=1, help="which invented world (default 1)")
    parser.add_argument(
        "--inbox", type=Path, help="inbox of a home of synthetic data: deliver there what no publisher serves"
    )
    parser.add_argument(
        "--while-stdin-is-open", action="store_true", help="end with whoever started it, however that ends"
    )
    told = parser.parse_args(arguments)

    # Before the server starts: a signal that comes with the first breath still ends it in order.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if told.while_stdin_is_open:
        threading.Thread(target=_at_end_of_input, args=[stop], daemon=True).start()
    try:
        with sandbox.serve(today=told.today, seed=told.seed, host=told.host, port=told.port) as publisher:
            ready = {"base_url": publisher.base_url, "today": publisher.today.isoformat(), "seed": told.seed}
            if told.inbox is not None:
                fill(told.inbox, today=publisher.today, seed=told.seed)
            print(json.dumps(ready), flush=True)
            while not stop.wait(DELIVERED_EVERY):
                if told.inbox is not None:
                    fill(told.inbox, today=publisher.today, seed=told.seed)
    except (ValueError, OSError) as error:
        print(f"The stand-in publishers did not start: {error}", file=sys.stderr)
        return 1
    return 0


def _at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
