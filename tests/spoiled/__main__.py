"""Print what becomes of every spoiled delivery, on the home of VRU_HOME: a copy of one that has published, to be thrown away.

`python -m tests.spoiled [--door] [DELIVERY …]`: at the door alone, or of some deliveries (such as "mps ward_recent"). What is found is kept in
`spoiled.tsv` of the home; begun again by the same code, the proof goes on where it was.
"""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.spoiled.door import ASIDE, PASSED, REFUSED, ROWS, SAME, WARNED, Outcome, Standing, at_the_door, standing
from tests.spoiled.forms import FORMS, Form
from tests.spoiled.judged import HELD, NO_FIGURE, NOT_BUILT, SAID, judged
from tests.spoiled.survivors import why_it_may_pass
from warehouse.build.transform import code_version
from warehouse.platform.settings import settings

AT_THE_DOOR, AT_THE_GATE = (REFUSED, ROWS), (ASIDE, HELD, NOT_BUILT)
HARMLESS = (SAME, NO_FIGURE)
NAMED = (WARNED, SAID)


@dataclasses.dataclass(frozen=True)
class Kept:
    """Outcomes as a file keeps them, of this code alone."""

    file: Path
    version: str

    def read(self) -> dict[tuple[str, str], tuple[str, str, bool]]:
        if not self.file.exists():
            return {}
        lines = [line.split("\t") for line in self.file.read_text(encoding="utf-8").splitlines()]
        return {
            (form, way): (ended, named, bool(judged))
            for version, form, way, ended, named, judged in lines
            if version == self.version
        }

    def add(self, outcome: Outcome) -> Outcome:
        with self.file.open("a", encoding="utf-8") as file:
            columns = [
                self.version,
                outcome.form.name,
                outcome.way,
                outcome.ended,
                outcome.named,
                "judged" if outcome.is_judged else "",
            ]
            file.write("\t".join(columns) + "\n")
        print(f"{outcome.form.name:<32} {outcome.way:<50} {outcome.ended:<18} {outcome.named}", flush=True)
        return outcome


def main(arguments: list[str]) -> None:
    """Print a line a delivery and way, then how many of each source are refused or held, and each that is not."""
    home, wanted = settings(), [one for one in arguments if not one.startswith("--")]
    forms = [form for form in FORMS if not wanted or form.name in wanted]
    kept = Kept(home.home / "spoiled.tsv", code_version())
    found: dict[tuple[str, str], Outcome] = {}
    with tempfile.TemporaryDirectory() as folder:
        by_form = {one.form.name: one for one in standing(home, forms)}
        before = kept.read()
        for one in by_form.values():
            found |= {(one.form.name, way): outcome for way, outcome in _at_the_door(one, kept, before, Path(folder))}
        through = [outcome for outcome in found.values() if outcome.ended in {PASSED, WARNED} and not outcome.is_judged]
        if through and "--door" not in arguments:
            for outcome in judged(home, through, by_form, Path(folder)):
                found[outcome.form.name, outcome.way] = kept.add(outcome)
    _print_table(list(found.values()), [one.form for one in by_form.values()])


def _at_the_door(
    one: Standing, kept: Kept, before: dict[tuple[str, str], tuple[str, str, bool]], folder: Path
) -> list[tuple[str, Outcome]]:
    home, outcomes = settings(), []
    for way, body in one.ways({way for form, way in before if form == one.form.name}):
        if body is None:
            outcomes.append((way, Outcome(one.form, way, *before[one.form.name, way])))
        else:
            outcomes.append((way, kept.add(at_the_door(home, one, way, body, folder))))
    return outcomes


def _print_table(outcomes: list[Outcome], forms: list[Form]) -> None:
    print(
        f"\n{'source':<12} {'ways applied':>12} {'at the door':>12} {'at the gate':>12} {'harmless':>9} {'with reason':>12} {'survive':>8}"
    )
    rows = [
        (source, [one for one in outcomes if one.form.source == source])
        for source in dict.fromkeys(f.source for f in forms)
    ]
    for source, of in [*rows, ("all", outcomes)]:
        counts = Counter(_kind(one) for one in of)
        print(f"{source:<12} {len(of):>12} " + " ".join(
            f"{counts[kind]:>{width}}" for kind, width in (("door", 12), ("gate", 12), ("harmless", 9), ("reason", 12), ("survives", 8))
        ))  # fmt: skip
    harmful = [one for one in outcomes if _kind(one) != "harmless"]
    stopped = [one for one in harmful if _kind(one) in {"door", "gate"}]
    print(
        f"\n{len({one.way for one in outcomes})} ways on {len(forms)} deliveries. Of {len(harmful)} that change a figure, refused or held by name: "
        f"{len(stopped)} ({100 * len(stopped) / max(len(harmful), 1):.1f} %)"
    )
    for one in sorted(harmful, key=_kind):
        if _kind(one) in {"reason", "survives"}:
            said = f" (warned: {one.named})" if one.ended in NAMED else ""
            print(
                f"{_kind(one)}: {one.form.name}: {one.way}{said}: {why_it_may_pass(one.form, one.way) or ('nothing stops it' if one.is_judged else 'passed the door, not judged')}"
            )


def _kind(outcome: Outcome) -> str:
    if outcome.ended in AT_THE_DOOR:
        return "door"
    if outcome.ended in AT_THE_GATE:
        return "gate"
    if outcome.ended in HARMLESS:
        return "harmless"
    return "reason" if why_it_may_pass(outcome.form, outcome.way) else "survives"


if __name__ == "__main__":
    main(sys.argv[1:])
