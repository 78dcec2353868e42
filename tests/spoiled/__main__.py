"""Print what becomes of every spoiled delivery, on the home of VRU_HOME: a copy of one that has published, to be thrown away.

`python -m tests.spoiled [--door] [DELIVERY …]`: at the door alone, or of some deliveries (such as "mps ward_recent").
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.spoiled.door import ASIDE, PASSED, REFUSED, ROWS, SAME, WARNED, Outcome, at_the_door, standing
from tests.spoiled.judged import HELD, NO_FIGURE, NOT_BUILT, SAID, judged
from warehouse.platform.settings import settings

STOPPED = (REFUSED, ROWS, ASIDE, HELD, NOT_BUILT)
NAMED = (WARNED, SAID)


def _print(outcome: Outcome) -> None:
    print(f"{outcome.form.name:<32} {outcome.way:<50} {outcome.ended:<18} {outcome.named}", flush=True)


def _share(of: list[Outcome], among: tuple[str, ...]) -> str:
    found = sum(one.ended in among for one in of)
    return f"{found} of {len(of)} ({100 * found / max(len(of), 1):.1f} %)"


def main(arguments: list[str]) -> None:
    """Print a line a delivery and way, then how many are refused, set aside or held, and each that is not."""
    home, wanted = settings(), [one for one in arguments if not one.startswith("--")]
    by_form = {one.form.name: one for one in standing(home) if not wanted or one.form.name in wanted}
    ended: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        through: list[Outcome] = []
        for one in by_form.values():
            for way in one.ways():
                outcome = at_the_door(home, one, way, Path(folder))
                is_through = outcome.ended in {PASSED, WARNED} and "--door" not in arguments
                (through if is_through else ended).append(outcome)
                _print(outcome)
        for outcome in judged(home, through, by_form, Path(folder)) if through else ():
            ended.append(outcome)
            _print(outcome)
    spoiled = [one for one in ended if one.ended not in {SAME, NO_FIGURE}]
    print(f"\n{len({one.way for one in spoiled})} ways on {len(by_form)} deliveries; of {len(ended)}, "
          f"{len(ended) - len(spoiled)} say the same as the edition they spoil")  # fmt: skip
    print(
        f"refused, set aside or held: {_share(spoiled, STOPPED)}; or warned of by name: {_share(spoiled, STOPPED + NAMED)}"
    )
    print(dict(Counter(one.ended for one in ended)))
    for one in spoiled:
        if one.ended not in STOPPED:
            print(f"survives: {one.form.name}: {one.way} ({one.ended} {one.named})")


if __name__ == "__main__":
    main(sys.argv[1:])
