"""Mutants: a change of one line of the sources, made wherever the compiled models carry that line."""

from __future__ import annotations

import bisect
import dataclasses
import functools
from collections import Counter
from collections.abc import Iterable

from tests.mutants.changes import Change, changes_of
from tests.mutants.marks import origins, without_marks
from tests.mutants.project import Model
from warehouse.platform.settings import PROJECT


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A change of a line (file:line): the models that carry it, and what changes in the compiled statement of each."""

    line: str
    models: tuple[Model, ...]
    changes: tuple[tuple[Change, ...], ...]

    @property
    def kind(self) -> str:
        """What is changed: an operator, a constant, a join, a filter ..."""
        return self.changes[0][0].kind

    def statements(self) -> list[tuple[Model, str]]:
        """The changed statement of each model."""
        found = []
        for model, changes in zip(self.models, self.changes, strict=True):
            statement = model.statement
            for change in sorted(changes, key=lambda one: one.start, reverse=True):
                statement = change.made_in(statement)
            found.append((model, statement))
        return found

    def shown(self) -> str:
        """The line of the first place with the change in brackets, without marks."""
        statement, change = self.models[0].statement, self.changes[0][0]
        first, last = statement.rfind("\n", 0, change.start) + 1, statement.find("\n", change.end)
        text = statement[first : change.start] + f"[{statement[change.start : change.end]} -> {change.text}]"
        text += statement[change.end : last if last >= 0 else None]
        return " ".join(without_marks(text).split())


def mutants_of(models: Iterable[Model]) -> list[Mutant]:
    """Every mutant of the lines that these models carry, in the order of the models. What a macro is given by its caller is the caller's."""
    groups: dict[tuple[object, ...], dict[str, tuple[Model, list[Change]]]] = {}
    for model in models:
        marks = origins(model.statement)
        starts = [mark[0] for mark in marks]
        seen: Counter[tuple[object, ...]] = Counter()
        for change in changes_of(model.statement):
            place = bisect.bisect_right(starts, change.start) - 1
            line = marks[place][1] or model.file.relative_to(PROJECT / "dbt_project").as_posix() + ":0"
            old = without_marks(model.statement[change.start : change.end])
            file = line.partition(":")[0]
            is_own = not file.startswith("macros/") or (
                change.kind not in ("filter", "join") and old not in _text(file)
            )
            # The same word twice on a line is two places: counted from where the line begins.
            run = marks[place][2]
            nth = seen[run, change.kind, old, change.text]
            seen[run, change.kind, old, change.text] += 1
            if line.endswith(":0"):
                nth = change.start
            key = (line, change.kind, old, change.text, nth, model.name if is_own else "")
            groups.setdefault(key, {}).setdefault(model.name, (model, []))[1].append(change)
    return [
        Mutant(
            str(key[0]), tuple(model for model, _ in of.values()), tuple(tuple(changes) for _, changes in of.values())
        )
        for key, of in groups.items()
    ]


@functools.cache
def _text(file: str) -> str:
    return (PROJECT / "dbt_project" / file).read_text(encoding="utf-8")
