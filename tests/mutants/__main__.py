"""`make mutate`: change one thing at a time in the models' SQL, and see whether a unit test, a constraint or a recomputation notices.

    MODELS="rpt_drivers fct_window"  these models alone
    SAMPLE=200 SEED=1                so many changes, drawn at random
    HOME_LIKE=folder                 a home after a first night of every source, to be copied; else such a night is run first

Prints what was caught by what, by model, and writes the changes that nothing notices to build/mutants/survivors.tsv,
and each as it is judged to all.tsv. A change that cannot alter a result, with the reason in equivalents.csv, counts neither as noticed nor as
one that a test misses.
"""

from __future__ import annotations

import contextlib
import csv
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tabulate import tabulate

from tests.conftest import FIRST_NIGHT
from tests.homes import Home, home_like, new_folder
from tests.mutants.judge import Judge, Verdict
from tests.mutants.mutant import Mutant, mutants_of
from tests.mutants.project import mutable, read_project
from warehouse.build import transform
from warehouse.platform import embedded
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import PROJECT

CAUGHT = ("unit test", "recomputation", "constraint", "error", "timeout")
REPORT = PROJECT / "build" / "mutants"
EQUIVALENTS = Path(__file__).with_name("equivalents.csv")


def main() -> int:
    """Run what the environment asks for.

    Returns:
        0; 1 where fewer than nine in ten of the changes that can alter a result were noticed.
    """
    began = time.monotonic()
    with _night() as home, connect(home.settings, ADMIN, autocommit=True) as connection:
        # A night leaves the marts alone of what it built for them.
        transform.build(home.settings)
        project = read_project(home.settings)
        judge = Judge(connection, project)
        judge.recomputations.learn()
        models = mutable(project, os.environ.get("MODELS", "").split())
        for model in models:
            if failed := judge.unit_tests_fail(model, model.statement):
                print(f"{failed} fails as things stand", file=sys.stderr)
                return 1
        mutants = mutants_of(models)
        made = len(mutants)
        if sample := int(os.environ.get("SAMPLE") or 0):
            drawn = random.Random(int(os.environ.get("SEED") or 1)).sample(range(made), min(sample, made))  # noqa: S311
            mutants = [mutants[place] for place in drawn]
        print(
            f"{len(models)} models, {made} changes, {len(mutants)} judged; ready in {time.monotonic() - began:.0f} s",
            flush=True,
        )
        verdicts = []
        REPORT.mkdir(parents=True, exist_ok=True)
        with (REPORT / "all.tsv").open("w", encoding="utf-8", buffering=1) as every:
            for mutant in mutants:
                verdict = judge.judged(mutant.statements())
                verdicts.append((mutant, verdict))
                every.write(
                    "\t".join(
                        [mutant.models[0].name, mutant.kind, verdict.by, verdict.why, mutant.line, mutant.shown()]
                    )
                    + "\n"
                )
    return _report(verdicts, time.monotonic() - began)


@contextlib.contextmanager
def _night() -> Iterator[Home]:
    """A home of our own after a first night, gone after the block."""
    if like := os.environ.get("HOME_LIKE"):
        with home_like(Path(like)) as folder:
            yield Home(folder, FIRST_NIGHT)
        return
    folder = new_folder()
    try:
        home = Home(folder, FIRST_NIGHT)
        night = home.vru("nightly", "--sources", "sandbox")
        if night.returncode:
            raise RuntimeError(night.stdout + night.stderr)
        yield home
    finally:
        embedded.stop(folder / "postgres")
        shutil.rmtree(folder)


def _equivalents() -> dict[tuple[str, str], str]:
    """Why a change of a model, as it is shown, alters no result."""
    with EQUIVALENTS.open(encoding="utf-8", newline="") as file:
        return {(row["model"], row["change"]): row["reason"] for row in csv.DictReader(file)}


def _report(verdicts: list[tuple[Mutant, Verdict]], seconds: float) -> int:
    counts: dict[str, Counter[str]] = {}
    survivors = ["model\tline\tchange\twhy"]
    equivalents = _equivalents()
    listed = []
    for mutant, verdict in verdicts:
        name = mutant.models[0].name if "/macros/" not in f"/{mutant.line}" else mutant.line.partition(":")[0]
        by = verdict.by
        if by == "survived" and (reason := equivalents.get((mutant.models[0].name, mutant.shown()))):
            by = "equivalent"
            listed.append(f"{mutant.line}: {mutant.shown()}: {reason}")
        counts.setdefault(name, Counter())[by] += 1
        if by == "survived":
            survivors.append("\t".join([mutant.models[0].name, mutant.line, mutant.shown(), verdict.why]))
    (REPORT / "survivors.tsv").write_text("\n".join(survivors) + "\n", encoding="utf-8")
    kinds = (*CAUGHT, "equivalent", "survived")
    rows = [[name, sum(found.values()), *(found[by] or "" for by in kinds)] for name, found in sorted(counts.items())]
    total = sum(counts.values(), Counter())
    rows.append(["all", sum(total.values()), *(total[by] for by in kinds)])
    print(tabulate(rows, headers=["model", "changes", *kinds], tablefmt="simple"))
    if listed:
        print("alter no result (tests/mutants/equivalents.csv):", *sorted(listed), sep="\n  ")
    caught = sum(total[by] for by in CAUGHT)
    asked = len(verdicts) - total["equivalent"]
    print(
        f"{caught} of {len(verdicts)} changes noticed ({100 * caught / max(1, len(verdicts)):.1f} %), "
        f"{caught} of the {asked} that can alter a result ({100 * caught / max(1, asked):.1f} %), {seconds:.0f} s; "
        f"survivors in {(REPORT / 'survivors.tsv').relative_to(PROJECT)}"
    )
    return int(caught < 0.9 * asked)


if __name__ == "__main__":
    sys.exit(main())
