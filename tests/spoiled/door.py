"""What becomes of a spoiled delivery at the door, and beside the months and feeds that stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from ingest.connectors import file_drop
from ingest.declaration import find_source, raw_columns, raw_table
from ingest.errors import Refusal
from ingest.landing import LandedFile, find
from ingest.ledger import WARNED as WARNED_OF
from ingest.ledger import WARNING_CODES
from ingest.load import load
from tests.spoiled.catalogue import WAYS
from tests.spoiled.forms import FORMS, Form, Table, read, written
from tests.spoiled.ways import months
from warehouse.build import contradictions
from warehouse.build.loads import read_loads
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings

REFUSED, ROWS, ASIDE, WARNED, SAME, PASSED = (
    "refused", "rows quarantined", "set aside", "warned", "reads the same", "passed"
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one spoiled delivery, by whom and by which code or check; `is_judged` after a build with it."""

    form: Form
    way: str
    ended: str
    named: str = ""
    is_judged: bool = False


@dataclasses.dataclass(frozen=True)
class Standing:
    """The edition of a form that stands, which is spoiled; `is_dated` where its date was given with it."""

    form: Form
    load_id: int
    file_name: str
    body: bytes
    table: Table
    digest: str
    is_dated: bool

    def ways(self, known: Container[str] = ()) -> Iterator[tuple[str, bytes | None]]:
        """The ways that apply to it and change what it says, each with the file it makes; none is made of those that are known to."""
        has = self.form.traits | (
            {"series"} if "month" in self.form.traits and len(months(self.form, self.table)) > 3 else set()
        )
        for name, way in WAYS.items():
            if name in known:
                yield name, None
            elif way.needs <= has and (table := way.change(self.form, self.table)) != self.table:
                yield name, written(self.form, table, self.body)

    def bytes_of(self, way: str) -> bytes:
        return written(self.form, WAYS[way].change(self.form, self.table), self.body)


def standing(home: Settings, forms: Iterable[Form] = FORMS) -> list[Standing]:
    """The newest edition of each form in a home."""
    found = []
    with connect(home, LOADER, autocommit=True) as connection:
        for form in forms:
            row = connection.execute(
                """select load_id, landed_path from ops.load where source = %s and dataset = %s and state = 'loaded'
                   order by release_date desc, part desc, load_id desc limit 1""",
                [form.source, form.dataset],
            ).fetchone()
            if row is not None:
                file = find(home.landing, row[1])
                body, is_dated = file.path.read_bytes(), file.provenance.release_date is not None
                digest = rows_of(connection, form, row[0])
                # The ledger has no name of a file that a person handed over; landing has.
                name = file.provenance.file_name
                found.append(Standing(form, row[0], name, body, read(form, body), digest, is_dated))
    return found


def rows_of(connection: psycopg.Connection, form: Form, load_id: int) -> str:
    """A hash of what a load says, whatever the order of its rows."""
    columns = [
        name for name in raw_columns(find_source(form.source).dataset(form.dataset).layout) if not name.startswith("_")
    ]
    row = connection.execute(
        sql.SQL(
            "select md5(string_agg(r, '|' order by r)) from (select ({})::text as r from {} where _load_id = %s) as t"
        ).format(
            sql.SQL(", ").join([sql.SQL("row({})").format(sql.SQL(", ").join(map(sql.Identifier, columns)))]),
            sql.Identifier("raw", raw_table(form.source, form.dataset)),
        ),
        [load_id],
    ).fetchone()
    return str(row[0]) if row else ""


def landed(home: Settings, one: Standing, body: bytes, folder: Path) -> LandedFile:
    """A delivery under the name of the edition that stands, landed after it."""
    file = folder / one.file_name
    file.write_bytes(body)
    return file_drop.take(
        home.landing,
        find_source(one.form.source),
        one.form.dataset,
        file,
        home.now(),
        release_date=home.now().date() if one.is_dated else None,
        is_synthetic=True,
    )


def at_the_door(home: Settings, one: Standing, way: str, body: bytes, folder: Path) -> Outcome:
    """What becomes of one delivery before any build; nothing of it stays in the database."""
    form = one.form
    with connect(home, LOADER, autocommit=True) as connection:
        try:
            # Undone, or the next would be measured by this one.
            with connection.transaction(force_rollback=True):
                done = load(
                    connection,
                    find_source(form.source),
                    form.dataset,
                    landed(home, one, body, folder),
                    home.now(),
                    home.landing,
                )
                if done.quarantined:
                    codes = connection.execute(
                        "select string_agg(distinct code, ' ') from quarantine.refused_row where load_id = %s",
                        [done.load_id],
                    ).fetchone()
                    return Outcome(form, way, ROWS, str(codes[0]) if codes else "")
                if not done.is_new or rows_of(connection, form, done.load_id) == one.digest:
                    return Outcome(form, way, SAME)
                loads = read_loads(connection)
                reasons = contradictions.found(loads)
                if done.load_id in reasons:
                    return Outcome(form, way, ASIDE, reasons[done.load_id].code)
                if said := [WARNING_CODES[kind] for kind in done.drift if kind in WARNED_OF]:
                    return Outcome(form, way, WARNED, " ".join(said))
                return Outcome(form, way, PASSED)
        except Refusal as refusal:
            return Outcome(form, way, REFUSED, refusal.code)
