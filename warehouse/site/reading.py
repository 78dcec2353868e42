"""Reading one release: every query of the site in one transaction, as the role of its edition, each once for all areas."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ingest.errors import Refusal
from warehouse.platform.connection import connect
from warehouse.platform.settings import Settings
from warehouse.publish.open_marts import PASSED_ON
from warehouse.site.areas import EDITIONS
from warehouse.site.model import HEADLINES, Area, Row

QUERIES = Path(__file__).with_name("queries")
UNTOUCHED = "the site that stands"
PATIENCE = "15min"  # for all of an earlier release, which is put together from history
_AREAS = "any(%(areas)s)"
_MART = re.compile(r"\bmarts\.(\w+)( as \w+)?")
_ONLY_NOW = frozenset(
    {"compare_releases", "data_status", "edition", "publication"}
)  # views of the ledgers, which have no history


@dataclasses.dataclass(frozen=True)
class Release:
    """The release that is shown."""

    release_id: int
    published_at: dt.datetime
    data_kind: str
    verdict: str = ""
    verdict_reason: str = ""


class Reader:
    """Answers queries of one release. What they read of the marts is read of the open layer for the open edition, where it has the same names.

    Attributes:
        edition: open or partner.
        release: what is read.
        connection: in its transaction.
    """

    def __init__(
        self, connection: psycopg.Connection, edition: str, release: Release, *, is_current: bool, areas: Sequence[Area]
    ) -> None:
        self.connection = connection
        self.edition = edition
        self.release = release
        self.is_current = is_current
        self._areas = [area.code for area in areas]
        self._by_area: dict[str, dict[str, list[Row]]] = {}
        self._all: dict[str, list[Row]] = {}

    def rows(self, query: str, area: Area | None = None) -> list[Row]:
        """The rows of a query: of one area where it asks for areas, else all of them."""
        query = self._own(query)
        if query not in self._all:
            found = self._ask(query)
            self._all[query] = found
            if is_by_area(query):
                split: dict[str, list[Row]] = {}
                for row in found:
                    split.setdefault(row["area_code"], []).append(row)
                self._by_area[query] = split
        if area is None or not is_by_area(query):
            return self._all[query]
        return self._by_area[query].get(area.code, [])

    def shown(self, query: str, area: Area) -> str:
        """The query as somebody can ask it: of that area alone, of that release."""
        text = re.sub(r"^--.*\n", "", self._of_release(text_of(self._own(query))), flags=re.MULTILINE)
        text = text.replace(_AREAS, f"any('{{{area.code}}}')")
        for name, value in self._constants().items():
            written = f"'{{{','.join(value)}}}'" if isinstance(value, list) else str(value)
            text = text.replace(f"%({name})s", written)
        return text.strip()

    def _constants(self) -> dict[str, int | list[str]]:
        return {"release": self.release.release_id, "headlines": list(HEADLINES)}

    def _ask(self, query: str) -> list[Row]:
        statement = self._of_release(text_of(query))
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(statement.encode(), {"areas": self._areas} | self._constants()).fetchall())

    def _own(self, query: str) -> str:
        """The query of the edition: one of its own name for the open edition, where there is one."""
        return f"open_{query}" if self.edition == "open" and (QUERIES / f"open_{query}.sql").exists() else query

    def _of_release(self, text: str) -> str:
        if self.edition == "open":
            return _MART.sub(lambda found: f"marts_open.{found[1]}{found[2] or ''}", text)
        if self.is_current:
            return text

        def as_of(found: re.Match[str]) -> str:
            if found[1] in _ONLY_NOW:
                return found[0]
            return f"marts_history.{found[1]}_as_of({self.release.release_id}){found[2] or f' as {found[1]}'}"

        return _MART.sub(as_of, text)


def text_of(query: str) -> str:
    """A query of the folder queries/."""
    return (QUERIES / f"{query}.sql").read_text(encoding="utf-8")


def is_open(query: str) -> bool:
    """Whether the open layer has all that a query reads."""
    if (QUERIES / f"open_{query}.sql").exists():
        return True
    return {found[1] for found in _MART.finditer(text_of(query))} <= PASSED_ON.keys()


def is_by_area(query: str) -> bool:
    """Whether a query asks for areas."""
    return _AREAS in text_of(query)


@contextlib.contextmanager
def reading(
    settings: Settings, edition: str, release_id: int | None
) -> Iterator[tuple[psycopg.Connection, Release, bool]]:
    """One read-only transaction that sees one release, as the edition's role.

    Gives the connection, the release, and whether it is the one that the marts hold.

    Raises:
        Refusal: nothing is published, there is no such release, or the open edition is asked for an earlier one.
    """
    with connect(settings, EDITIONS[edition]) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            connection.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(PATIENCE)))
            release, is_current = _release(connection, edition, release_id)
            yield connection, release, is_current


def _release(connection: psycopg.Connection, edition: str, release_id: int | None) -> tuple[Release, bool]:
    columns = "release_id, published_at, data_kind" + ("" if edition == "open" else ", verdict, verdict_reason")
    schema = "marts_open" if edition == "open" else "marts"
    rows: list[tuple[Any, ...]] = connection.execute(
        f"select is_current, {columns} from {schema}.publication order by release_id desc".encode()  # noqa: S608 - constants
    ).fetchall()
    if not rows:
        raise Refusal(
            "NOTHING_LOADED", "nothing is published yet", kept=UNTOUCHED, next_step="run a night or `vru build`"
        )
    for is_current, *values in rows:
        if values[0] == release_id or (release_id is None and is_current):
            return Release(*values), is_current
    if edition == "open":
        raise Refusal(
            "OPTION_INVALID",
            "the open edition is of the current release: history is not for anyone",
            kept=UNTOUCHED,
            next_step="leave out --release, or ask for --edition partner",
        )
    listed = ", ".join(str(values[0]) for _, *values in rows[:8])
    raise Refusal(
        "RELEASE_UNKNOWN",
        f"there is no published release {release_id}",
        kept=UNTOUCHED,
        next_step=f"choose of the newest: {listed} (`vru releases` lists all)",
    )
