"""The recomputations of the test suite, run on tables of which some are changed: the tests themselves, with another way of reading."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import psycopg

from tests.recomputed import frame_of

_TABLE = re.compile(r"\b(marts|intermediate|candidate|staging)\.(\w+)")


@dataclasses.dataclass
class _Known:
    """A fixture's value unchanged, and the tables it was worked out from."""

    value: Any
    tables: frozenset[str]


class Recomputations:
    """Every test of tests/integration/test_recomputation*.py, to be run again where tables have changed."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.changed: Mapping[str, str] = {}
        self.asked: set[str] = set()
        self.frames: dict[str, pd.DataFrame] = {}
        self.known: dict[tuple[str, str], _Known] = {}
        folder = Path(__file__).resolve().parent.parent / "integration"
        self.modules = [
            importlib.import_module(f"tests.integration.{file.stem}")
            for file in sorted(folder.glob("test_recomputation*.py"))
        ]
        self.tests: dict[str, tuple[ModuleType, Callable[..., None], frozenset[str]]] = {}

    def learn(self) -> None:
        """Run every test unchanged and note the tables that it reads.

        Raises:
            AssertionError: a test fails as things stand.
        """
        for module in self.modules:
            for name, test in list(vars(module).items()):
                for case, given in _cases(test) if name.startswith("test_") else ():
                    self.asked = set()
                    bound = functools.partial(test, **given)
                    self._run(module, bound, {})
                    self.tests[f"{name}{case}"] = (module, bound, frozenset(self.asked))

    def failing(self, changed: Mapping[str, str], pending: Set[str], run: set[str]) -> str | None:
        """The first test that fails; None where none does.

        Args:
            changed: the tables that have changed, by name: what stands for each.
            pending: tables that may yet change: tests of them wait.
            run: the tests that need not be run again; those that are run are added.
        """
        self.changed = changed
        made: dict[tuple[str, str], Any] = {}
        try:
            for name, (module, test, tables) in self.tests.items():
                if name not in run and tables & changed.keys() and not tables & pending:
                    run.add(name)
                    try:
                        self._run(module, test, made)
                    except psycopg.errors.QueryCanceled:
                        raise
                    except Exception:  # noqa: BLE001  # whatever a test raises, it fails
                        return name
        finally:
            self.changed = {}
        return None

    def read(self, query: str) -> pd.DataFrame:
        """The rows of a query, where changed tables stand for those it names; of unchanged ones kept from the first time."""
        tables = {name for _, name in _TABLE.findall(query)}
        self.asked |= tables
        if tables & self.changed.keys():
            return frame_of(
                self.connection, _TABLE.sub(lambda found: self.changed.get(found.group(2), found.group()), query)
            )
        if query not in self.frames:
            self.frames[query] = frame_of(self.connection, query)
        return self.frames[query].copy()

    def _run(self, module: ModuleType, test: Callable[..., None], made: dict[tuple[str, str], Any]) -> None:
        given = getattr(test, "keywords", {})
        asked = [name for name in inspect.signature(test).parameters if name not in given]
        test(**{name: self._fixture(module, name, made) for name in asked})

    def _fixture(self, module: ModuleType, name: str, made: dict[tuple[str, str], Any]) -> Any:
        """A fixture of the test's module: kept from before where nothing that it was worked out from has changed."""
        if name == "read":
            return self.read
        key = (module.__name__, name)
        if key in self.known and not self.known[key].tables & self.changed.keys():
            self.asked |= self.known[key].tables
            return self.known[key].value
        if key not in made:
            before, self.asked = self.asked, set()
            function = getattr(module, name).__wrapped__
            made[key] = function(
                **{other: self._fixture(module, other, made) for other in inspect.signature(function).parameters}
            )
            if not self.asked & self.changed.keys():
                self.known[key] = _Known(made[key], frozenset(self.asked))
            self.asked |= before
        return made[key]


def _cases(test: Callable[..., None]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cases of a test that has one parameter at most, each with its name."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    if not marks:
        yield "", {}
    for mark in marks:
        name, values = mark.args
        for value in values:
            yield f"[{value}]", {name: value}
