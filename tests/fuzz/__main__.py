"""`make fuzz`: other bodies each time, for so many seconds (FUZZ). What a reader does not survive is written to build/fuzz/ and ends it with 1."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.readers import FORMS, bodies, hold

SECONDS = float(os.environ.get("FUZZ") or 300)
HANGS_AFTER = 30  # seconds


def _hangs(*_: object) -> None:
    raise TimeoutError(f"a file took more than {HANGS_AFTER} s")


def main() -> int:
    """Fuzz each form in turn until the time is over. Returns 1 where a body was not held."""
    signal.signal(signal.SIGALRM, _hangs)
    ends = time.monotonic() + SECONDS
    became: dict[str, Counter[str]] = {form: Counter() for form in FORMS}
    failed = 0
    start = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    round_number = 0
    with tempfile.TemporaryDirectory() as folder:
        for form, (good, _) in FORMS.items():
            hold(form, good, Path(folder) / "file")  # what it takes to load the readers is no file's fault
        while time.monotonic() < ends:
            for form in FORMS:
                failed += _one_round(form, start + round_number, became[form], Path(folder) / "file")
                if time.monotonic() > ends:
                    break
            round_number += 1
    print(f"seed {start}, {round_number} rounds, {SECONDS:.0f} s")
    for form, counts in became.items():
        print(
            f"{form}: {sum(counts.values()):,} bodies; "
            + ", ".join(f"{code} {n:,}" for code, n in counts.most_common())
        )
    print(f"{failed} not held" + (", see build/fuzz" if failed else ""))
    return int(failed > 0)


def _one_round(form: str, number: int, became: Counter[str], file: Path) -> int:
    @seed(number)
    @settings(
        max_examples=200, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(bodies(form))
    def holds(body: bytes) -> None:
        signal.alarm(HANGS_AFTER)
        try:
            became[hold(form, body, file)] += 1
        finally:
            signal.alarm(0)

    try:
        holds()
    except BaseException as error:  # a reader written in Rust gives up with what is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        kept = Path("build/fuzz") / f"{form.replace(' ', '-')}-{number}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(file.read_bytes())
        traceback.print_exception(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
