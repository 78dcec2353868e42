"""What becomes of a spoiled delivery that the door let in: set aside, or named by the gate. Several share a build, one of each source."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from expectations import gate
from ingest.declaration import find_source, read_sources
from ingest.errors import Refusal
from ingest.load import load
from tests.spoiled.door import ASIDE, Outcome, Standing, landed
from warehouse.build import candidate
from warehouse.platform.connection import ADMIN, LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import withdrawing

HELD, SAID, NOT_BUILT, NO_FIGURE = "held by the gate", "warned by the gate", "the build fails", "changes no figure"
RUN = "spoiled"

Finding = tuple[str, str, str]  # suite, check, detail


def judged(home: Settings, passed: Sequence[Outcome], by_form: dict[str, Standing], folder: Path) -> Iterator[Outcome]:
    """What becomes of deliveries that passed the door, in as few builds as their sources allow."""
    before, figures = _findings(home), _figures(home)
    for together in rounds(passed):
        load_ids = {outcome: _landed(home, by_form[outcome.form.name], outcome.way, folder) for outcome in together}
        try:
            found = {one: blocks for one, blocks in _findings(home).items() if one not in before}
            problem = ""
        except Refusal as refusal:
            found, problem = {}, refusal.code
        aside, now = _set_aside(home), _figures(home)
        for outcome, load_id in load_ids.items():
            mine = {one: blocks for one, blocks in found.items() if _is_of(outcome.form.source, one)}
            if load_id in aside:
                yield dataclasses.replace(outcome, ended=ASIDE, named=aside[load_id])
            elif problem:
                yield dataclasses.replace(outcome, ended=NOT_BUILT, named=problem)
            elif mine:
                checks = " ".join(sorted({check for _, check, _ in mine}))
                yield dataclasses.replace(outcome, ended=HELD if any(mine.values()) else SAID, named=checks)
            elif now.get(outcome.form.source) == figures.get(outcome.form.source):
                yield dataclasses.replace(outcome, ended=NO_FIGURE)
            else:
                yield outcome
        for outcome, load_id in load_ids.items():
            if load_id not in aside:
                withdrawing.withdraw(outcome.form.source, outcome.form.dataset, load_id, "it was spoiled", RUN)


def rounds(passed: Iterable[Outcome]) -> list[list[Outcome]]:
    """Deliveries in rounds, of each source one in a round, so that what is named names one of them."""
    queues: dict[str, list[Outcome]] = {}
    for outcome in passed:
        queues.setdefault(outcome.form.source, []).append(outcome)
    longest = max(map(len, queues.values()), default=0)
    return [[queue[place] for queue in queues.values() if place < len(queue)] for place in range(longest)]


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


def _figures(home: Settings) -> dict[str, str]:
    """A hash of every figure that a source gives, whatever edition it is from: an older edition may speak for what a newer one lacks."""
    with connect(home, ADMIN) as connection:
        found = connection.execute(
            """select m.source, md5(string_agg(concat_ws(',', f.measure_code, f.area_code, f.period_start_date, f.sex, f.age_band, f.ethnicity,
                   f.value::text), '|' order by f.measure_code, f.area_code, f.period_start_date, f.period_kind, f.sex, f.age_band, f.ethnicity))
               from candidate.fct_measure as f inner join candidate.dim_measure as m on m.measure_code = f.measure_code group by 1"""
        ).fetchall()
        small = connection.execute(
            """select md5(string_agg(t::text, '|' order by t::text))
               from (select ward_code, month_start_date, all_offences_count from candidate.fct_ward_month) as t"""
        ).fetchone()
    return {source: f"{digest} {small}" if source == "mps" else digest for source, digest in found}


def _is_of(source: str, finding: Finding) -> bool:
    """Whether a finding is about a source: by the suite, or by what it names."""
    suite, _, detail = finding
    others = {name for name in read_sources() if name != source and (name in detail or f"/{name}/" in suite)}
    return f"/{source}/" in suite or source in detail or not others


def _set_aside(home: Settings) -> dict[int, str]:
    with connect(home, LOADER) as connection:
        return dict(connection.execute("select load_id, code from ops.load where state = 'set_aside'").fetchall())
