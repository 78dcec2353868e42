"""What becomes of a spoiled delivery that the door let in: set aside, held by the gate, or without any effect on a figure.

Deliveries share a build, one of each form. Each is told what it has done by the measures and marts that are made of its dataset; where two
of a round may have done it, each of them is judged once more without the other.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from psycopg import sql

from expectations import gate
from expectations.suite import read_suites
from ingest.declaration import find_source, read_sources
from ingest.errors import Refusal
from ingest.load import load
from tests.spoiled.door import ASIDE, Outcome, Standing, landed
from tests.spoiled.forms import Form
from warehouse.build import candidate
from warehouse.platform.connection import ADMIN, LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import withdrawing

HELD, SAID, NOT_BUILT, NO_FIGURE = "held by the gate", "warned by the gate", "the build fails", "changes no figure"
RUN = "spoiled"
# What is about loads and editions and no figure of the world.
OF_LOADS = {"dim_source", "rpt_data_quality", "rpt_revision", "rpt_revision_release"}

# A mart is its datasets' own that is made of so few: the newest months and the history, say.
OWN = 2

Finding = tuple[str, str, str]  # suite, check, detail
Figures = dict[str, str]  # a hash by measure, and by mart that is not made of fct_measure


def judged(home: Settings, passed: Sequence[Outcome], by_form: dict[str, Standing], folder: Path) -> Iterator[Outcome]:
    """What becomes of deliveries that passed the door, in as few builds as their forms allow."""
    before = _findings(home)
    made_of = MadeOf(home)
    figures = made_of.figures()
    waiting = rounds(passed)
    while waiting:
        together = waiting.pop(0)
        load_ids = {outcome: _landed(home, by_form[outcome.form.name], outcome.way, folder) for outcome in together}
        try:
            found, problem = {one: blocks for one, blocks in _findings(home).items() if one not in before}, ""
        except Refusal as refusal:
            found, problem = {}, refusal.code
        aside, now = _set_aside(home), made_of.figures()
        changed = {name for name in figures.keys() | now.keys() if figures.get(name) != now.get(name)}
        again = []
        for outcome, load_id in load_ids.items():
            others = [one.form for one in together if one is not outcome and load_ids[one] not in aside]
            mine = {one: blocks for one, blocks in found.items() if made_of.is_of(outcome.form, one)}
            shared = {one for one in mine if any(made_of.is_of(other, one) for other in others)}
            moved = changed & made_of.names(outcome.form)
            is_shared = bool(moved) and not moved - {name for other in others for name in made_of.names(other)}
            if load_id in aside:
                yield dataclasses.replace(outcome, is_judged=True, ended=ASIDE, named=aside[load_id])
            elif (problem and len(together) > 1) or ((shared == mine.keys() and (mine or is_shared)) and others):
                again.append(outcome)
            elif problem:
                yield dataclasses.replace(outcome, is_judged=True, ended=NOT_BUILT, named=problem)
            elif mine and moved:
                checks = " ".join(sorted({check for _, check, _ in mine}))
                yield dataclasses.replace(
                    outcome, is_judged=True, ended=HELD if any(mine.values()) else SAID, named=checks
                )
            elif mine and any(mine.values()):
                yield dataclasses.replace(
                    outcome, is_judged=True, ended=HELD, named=" ".join(sorted({check for _, check, _ in mine}))
                )
            elif not moved:
                yield dataclasses.replace(outcome, is_judged=True, ended=NO_FIGURE)
            else:
                yield dataclasses.replace(outcome, is_judged=True, named=f"changes {', '.join(sorted(moved)[:3])}")
        for outcome, load_id in load_ids.items():
            if load_id not in aside:
                withdrawing.withdraw(outcome.form.source, outcome.form.dataset, load_id, "it was spoiled", RUN)
        waiting += [[one] for one in again]


def rounds(passed: Iterable[Outcome]) -> list[list[Outcome]]:
    """Deliveries in rounds, of each form one in a round."""
    queues: dict[str, list[Outcome]] = {}
    for outcome in passed:
        queues.setdefault(outcome.form.name, []).append(outcome)
    longest = max(map(len, queues.values()), default=0)
    return [[queue[place] for queue in queues.values() if place < len(queue)] for place in range(longest)]


class MadeOf:
    """What is made of each dataset, by the catalogue of measures and dbt's manifest of the build."""

    def __init__(self, home: Settings) -> None:
        self._home = home
        with connect(home, ADMIN) as connection:
            rows = connection.execute("select measure_code, source, datasets from candidate.dim_measure").fetchall()
        self._datasets = {
            code: {f"{source} {name.strip()}" for name in names.split(",")} for code, source, names in rows
        }

    @cached_property
    def _marts(self) -> dict[str, set[str]]:
        """The datasets that each mart is made of, but for those made of fct_measure, which is told by measure."""
        parents = json.loads((self._home.home / "dbt" / "manifest.json").read_text(encoding="utf-8"))["parent_map"]
        found = {}
        for mart in (one for one in parents if re.match(r"model\.[^.]+\.(dim|fct|rpt)_", one)):
            ahead, seen = [mart], {mart}
            while ahead:
                for parent in parents.get(ahead.pop(), ()):
                    if parent not in seen:
                        seen.add(parent)
                        ahead.append(parent)
            name, names = mart.rpartition(".")[2], {one.rpartition(".")[2] for one in seen}
            if name not in OF_LOADS and "fct_measure" not in names:
                found[name] = {
                    one.replace("__", " ", 1) for one in names if one.split("__")[0] in read_sources() and "__" in one
                }
        return found

    def names(self, form: Form) -> set[str]:
        """The measures that are made of a form's dataset, and the marts: all of them where there is no measure, else its own."""
        measures = {code for code, datasets in self._datasets.items() if form.name in datasets}
        most = OWN if measures else len(self._marts)
        return measures | {
            mart for mart, datasets in self._marts.items() if form.name in datasets and len(datasets) <= most
        }

    def is_of(self, form: Form, finding: Finding) -> bool:
        """Whether a finding may be about a form: by the datasets of its suite, and the sources, datasets and measures it names."""
        suite, _, detail = finding
        judging = next((one for one in read_suites() if one.name == suite), None)
        datasets = {*(getattr(judging, "datasets", None) or ())} | {*filter(None, [getattr(judging, "dataset", None)])}
        if "landing/" in suite and (f"/{form.source}/" not in suite or (datasets and form.dataset not in datasets)):
            return False
        words = {*re.findall(r"[a-z][a-z0-9_]+", detail)}
        measures, marts = words & self._datasets.keys(), self.names(form)
        declared = {name for source in read_sources().values() for name in source.datasets} & words
        sources = read_sources().keys() & words
        if measures:
            return bool(measures & marts)
        if declared:
            return form.dataset in declared
        return form.source in sources or not sources

    def figures(self) -> Figures:
        """A hash of every figure, whatever edition it is from: an older edition may speak for what a newer one lacks."""
        with connect(self._home, ADMIN) as connection:
            found: Figures = dict(
                connection.execute(
                    """select measure_code, sum(hashtextextended(concat_ws(',', area_code, period_kind, period_start_date, sex, age_band,
                           ethnicity, value::text), 0))::text from candidate.fct_measure group by 1"""
                ).fetchall()
            )
            for mart in self._marts:
                columns = connection.execute(
                    """select column_name from information_schema.columns where table_schema = 'candidate' and table_name = %s
                       and column_name !~ 'release|revision|load|edition' order by ordinal_position""",
                    [mart],
                ).fetchall()
                row = connection.execute(
                    sql.SQL("select sum(hashtextextended(row({})::text, 0))::text from candidate.{} as t").format(
                        sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns), sql.Identifier(mart)
                    )
                ).fetchone()
                found[mart] = str(row and row[0])
        return found


def _landed(home: Settings, one: Standing, way: str, folder: Path) -> int:
    with connect(home, LOADER, autocommit=True) as connection:
        source, file = find_source(one.form.source), landed(home, one, one.bytes_of(way), folder)
        return load(connection, source, one.form.dataset, file, home.now(), home.landing).load_id


def _findings(home: Settings) -> dict[Finding, bool]:
    """What the gate finds in a candidate of what stands now, and whether it blocks."""
    candidate_id = candidate.build(home, RUN)
    assert candidate_id is not None
    results = gate.judge(home, candidate_id).results
    return {(r.suite, r.check, r.detail): r.blocks for r in results if r.outcome != "passed"}


def _set_aside(home: Settings) -> dict[int, str]:
    with connect(home, LOADER) as connection:
        return dict(connection.execute("select load_id, code from ops.load where state = 'set_aside'").fetchall())
