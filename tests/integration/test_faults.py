"""Every way a publisher goes wrong, on the real pipeline: stand-in, fetch, landing, load, alert.

Each has one of two ends. Handled: raw holds exactly the rows of the honest file, and nobody is woken; where a source declares
that a bad row is set aside, all rows but that one, which stands in quarantine by name. Refused: by name, the bytes kept where any
came whole, raw and its ledger as they were, and one alert. Nothing is silently accepted. The run prints the table.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
import requests

from ingest.declaration import raw_columns, raw_table
from ingest.errors import Refusal
from ingest.http import client as http
from ingest.raw import create_table
from sandbox import server
from sandbox.faults import FAULTS
from tests.conftest import Server, new_warehouse
from tests.publishers import (
    ARCHIVE,
    BODY,
    HANDLED,
    PAGES,
    PUBLISHERS,
    REFUSED,
    TABLE,
    TEXT,
    TRANSPORT,
    Publisher,
)  # fmt: skip
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import fetching, loading, step


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault: its kind, the stand-in's name for it, its end, and the code of a refusal: several with | where publishers differ."""

    name: str
    kind: str
    fault: str
    end: str
    codes: str = ""
    options: dict[str, object] = dataclasses.field(default_factory=dict)
    times: int | None = None
    bytes_come: bool = True


def away(name: str, fault: str, codes: str, times: int | None = None, **options: object) -> Case:
    """A fault after which no file has come, or which is over after so many answers."""
    return Case(name, TRANSPORT, fault, HANDLED if times else REFUSED, codes, options, times, bytes_come=False)


NO_NUMBER = "VALUE_NOT_A_NUMBER|VALUE_MALFORMED"
# Where months are columns, a month that is written otherwise is a header that nobody knows.
NO_DATE = "VALUE_MALFORMED|TIME_INVALID|HEADER_UNKNOWN"

CASES = [
    away("429, then the file", "too_many_requests", "", times=2),
    away("429 with Retry-After in seconds, then the file", "too_many_requests", "", times=1, retry_after=1),
    away("429 with Retry-After as a date, then the file", "too_many_requests", "", times=1, retry_after=1, as_date=True),
    away("429 for good", "too_many_requests", "PUBLISHER_DOWN"),
    away("429 until tomorrow", "too_many_requests", "PUBLISHER_DOWN", retry_after=86400),
    away("500, then the file", "status", "", times=2, code=500),
    away("502, then the file", "status", "", times=2, code=502),
    away("503, then the file", "status", "", times=2, code=503),
    away("503 for good", "status", "PUBLISHER_DOWN", code=503),
    away("401", "status", "STATUS_REFUSED", code=401),
    away("404", "status", "STATUS_REFUSED", code=404),
    away("410", "status", "STATUS_REFUSED", code=410),
    away("no connection", "connect_timeout", "PUBLISHER_DOWN"),
    away("a slow drip", "slow_drip", "PUBLISHER_DOWN"),
    away("a reset in the body", "reset_mid_body", "PUBLISHER_DOWN"),
    away("a reset in the body, then the file", "reset_mid_body", "", times=1),
    away("a body shorter than announced", "truncated_body", "PUBLISHER_DOWN"),
    away("a body shorter than announced, then the file", "truncated_body", "", times=1),
    away("a gzip stream cut short", "cut_gzip", "PUBLISHER_DOWN"),
    away("another body's MD5", "wrong_md5", "PUBLISHER_DOWN"),
    away("a redirect in a circle", "redirect_loop", "ADDRESS_REFUSED"),
    away("a redirect to another host", "redirect_elsewhere", "ADDRESS_REFUSED"),
    away("a redirect to a metadata service", "redirect_elsewhere", "ADDRESS_REFUSED", to="http://169.254.169.254/latest"),
    Case("a body cut short, no length announced", BODY, "truncated_without_length", REFUSED, "FILE_CUT_SHORT|ARCHIVE_DAMAGED|ROWS_FEWER_THAN_STATED"),
    Case("a web page with status 200", BODY, "html_with_200", REFUSED, "NOT_THE_FILE"),
    Case("nothing with status 200", BODY, "empty_with_200", REFUSED, "NO_ROWS"),
    Case("an error in JSON with status 200", BODY, "json_error_with_200", REFUSED, "NOT_THE_FILE"),
    Case("the right body as another content type", BODY, "wrong_content_type", HANDLED),
    Case("a copy older than yesterday's", BODY, "older_copy", HANDLED, "OLDER_COPY"),
    Case("yesterday's copy", BODY, "older_copy", HANDLED),
    Case("a byte order mark", TEXT, "byte_order_mark", HANDLED),
    Case("UTF-16", TEXT, "utf_16", HANDLED),
    Case("code page 1252", TEXT, "cp1252", REFUSED, "ENCODING_UNKNOWN"),
    Case("a NUL byte", TEXT, "nul_byte", REFUSED, "ENCODING_UNKNOWN"),
    Case("lines ending with CR", TEXT, "cr_line_ends", HANDLED),
    Case(r"a line \.", TEXT, "backslash_dot_line", REFUSED, "ROW_WIDTH_DIFFERS"),
    Case("an open quotation mark", TEXT, "open_quote", REFUSED, "FILE_DAMAGED"),
    Case("a row with a field less", TEXT, "ragged_rows", REFUSED, "ROW_WIDTH_DIFFERS"),
    Case("a body cut where a line ends", TEXT, "cut_at_a_line", REFUSED, "CATEGORY_LIST_UNKNOWN|LESS_THAN_BEFORE|AREAS_MISSING"),
    Case("a line end within quotation marks", TABLE, "quoted_newline", HANDLED),
    Case("a row with a field more", TABLE, "ragged_rows", REFUSED, "ROW_WIDTH_DIFFERS", {"by": 1}),
    Case("a column twice", TABLE, "duplicated_column", REFUSED, "COLUMN_REPEATED"),
    Case("a column renamed", TABLE, "renamed_column", REFUSED, "HEADER_UNKNOWN"),
    Case("columns in another order", TABLE, "reordered_columns", HANDLED),
    Case("new column", TABLE, "new_column", HANDLED),
    Case("a column missing", TABLE, "missing_column", REFUSED, "COLUMN_MISSING"),
    Case("a header only", TABLE, "header_only", REFUSED, "NO_ROWS"),
    Case("a footer", TABLE, "footer", REFUSED, "ROW_WIDTH_DIFFERS|VALUE_BLANK"),
    Case("a row of totals", TABLE, "totals_row", REFUSED, "LABEL_UNKNOWN|VALUE_MALFORMED|VALUE_NOT_A_NUMBER"),
    Case("thousands separators", TABLE, "thousands_separators", REFUSED, NO_NUMBER),
    Case("an asterisk for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "*"}),
    Case("two dots for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": ".."}),
    Case("a dash for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "-"}),
    Case("an x for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "x"}),
    Case("<5 for a number", TABLE, "suppressed_cell", REFUSED, NO_NUMBER, {"by": "<5"}),
    Case("NaN", TABLE, "not_a_number", REFUSED, NO_NUMBER),
    Case("infinity", TABLE, "infinity", REFUSED, NO_NUMBER),
    Case("Excel's serial dates", TABLE, "excel_serial_dates", REFUSED, NO_DATE),
    Case("dates in American order", TABLE, "us_dates", REFUSED, NO_DATE),
    Case("a megabyte in a cell", TABLE, "megabyte_cell", REFUSED, "FILE_DAMAGED|LABEL_UNKNOWN"),
    Case("a zip bomb", ARCHIVE, "zip_bomb", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("an archive in an archive", ARCHIVE, "nested_zip", REFUSED, "NOT_THE_FILE|NO_LONGER_OFFERED"),
    Case("a member ../ of an archive", ARCHIVE, "path_out_of_archive", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("an encrypted archive", ARCHIVE, "encrypted_zip", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("a formula in a workbook", ARCHIVE, "workbook_formula", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("a hidden sheet", ARCHIVE, "workbook_hidden_sheet", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("merged cells in a header", ARCHIVE, "workbook_merged_header", REFUSED, "NOT_THE_FILE|CELLS_NOT_DATA"),
    Case("a cell at the end of a sheet", ARCHIVE, "workbook_far_cell", REFUSED, "NOT_THE_FILE|ARCHIVE_UNSAFE"),
    Case("a workbook elsewhere in its archive", ARCHIVE, "workbook_elsewhere", REFUSED, "NOT_THE_FILE|ARCHIVE_DAMAGED"),
    Case("a page that comes again", PAGES, "repeated_page", REFUSED, "ROW_REPEATED"),
    Case("a total that changes from page to page", PAGES, "changing_total", REFUSED, "CHANGED_WHILE_READ"),
    Case("a page short by one", PAGES, "short_page", REFUSED, "NO_ROWS|ROWS_FEWER_THAN_STATED"),
]  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every fault at every publisher that can have it."""
    if "case" in metafunc.fixturenames:
        pairs = [(p, c) for p in PUBLISHERS for c in CASES if c.kind in p.kinds and c.name not in p.without]
        ids = [f"{publisher.name}-{case.name}" for publisher, case in pairs]
        metafunc.parametrize(("stand", "case"), pairs, indirect=["stand"], ids=ids, scope="module")
    else:
        metafunc.parametrize("stand", PUBLISHERS, indirect=True, ids=lambda publisher: publisher.name, scope="module")


# It is how a test serves what it likes.
NOT_IN_THE_TABLE = ("replace_body",)


class Stand:
    """A publisher served, and a warehouse in which its first release stands. Every test begins and ends with just that."""

    def __init__(
        self, publisher: Publisher, served: server.Publisher, settings: Settings, connection: psycopg.Connection
    ) -> None:
        self.publisher, self.served, self.settings, self.connection = publisher, served, settings, connection
        self.runs = 0
        self.table = raw_table(publisher.source.source, publisher.dataset)
        layout = publisher.source.dataset(publisher.dataset).layout
        self.columns = ", ".join(f"btrim(regexp_replace({c}, '\\s+', ' ', 'g'))" for c in raw_columns(layout))
        create_table(connection, publisher.source, publisher.dataset, publisher.source.dataset(publisher.dataset))
        connection.execute(f"grant select, insert, delete on raw.{self.table} to vru_loader".encode())
        connection.execute(b"grant usage, select, update on all sequences in schema raw to vru_loader")
        assert self.night() is None
        self.yesterday = self.bodies()[-1].read_bytes()
        self._save()
        self.standing, self.before = self.state(), self.rows()
        served.advance_to(publisher.second_day)
        assert self.night() is None
        self.honest = self.rows()
        assert self.honest != self.before
        self.honest_loads = self.loads()
        self.restore()

    def night(self) -> Refusal | None:
        """Fetch, load and notify, as the DAG does. Returns the refusal, if there was one."""
        self.runs += 1
        run = f"{self.publisher.name}, night {self.runs}"
        source, dataset = self.publisher.source.source, self.publisher.dataset
        stand_ins = json.dumps({source: self.served.base_url})
        refused: Refusal | None = None
        try:
            # Where nothing was fetched, the DAG skips loading.
            steps.load(run, source, dataset, steps.fetch(run, source, dataset, stand_ins))
        except Refusal as refusal:
            refused = refusal
        steps.notify(run)
        return refused

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query.encode()).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of the releases that speak, white space within a label made one."""
        return self.ask(
            f"""select {self.columns} from raw.{self.table} where _load_id in (
                    select distinct on ({self.parts}) load_id from ops.load
                    where source = '{self.publisher.source.source}' and dataset = '{self.publisher.dataset}' and state = 'loaded'
                    order by {self.parts}, release_date desc, landed_at desc, load_id desc) order by {self.columns}"""
        )

    @property
    def parts(self) -> str:
        """What of a load says of what it is; a delivery of NOMIS is of all its periods, whatever it is called."""
        return "dataset" if self.publisher.source.source == "nomis" else "part"

    def state(self) -> list[tuple[Any, ...]]:
        """How many rows raw has and the sum of their hashes, and the ledger's lines of what stands in it."""
        return [
            *self.ask(f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from raw.{self.table} as t"),
            *self.ask("select l::text from ops.load as l where state = 'loaded' order by load_id"),
        ]

    def loads(self) -> list[tuple[Any, ...]]:
        """What was ever loaded: hash and state."""
        return self.ask("select sha256, state from ops.load where state <> 'refused' order by 1, 2")

    def newest(self) -> bytes:
        """The file that is spoilt, as the publisher serves it."""
        if self.publisher.newest:
            return self.publisher.newest(self.served.base_url)
        asked = [r.path for r in self.served.requests if r.status == 200 and self.publisher.file in unquote(r.path)]
        return requests.get(f"{self.served.base_url}{asked[-1]}", timeout=10).content

    def bodies(self) -> list[Path]:
        files = self.settings.landing.glob(f"{self.publisher.source.source}/{self.publisher.dataset}/*")
        return sorted((f for f in files if f.suffix not in {".json", ".jsonl"}), key=lambda f: f.stat().st_mtime_ns)

    def _save(self) -> None:
        self._files = {f for f in self.settings.landing.rglob("*") if f.is_file()}
        self.connection.execute(
            f"""drop schema if exists saved cascade; create schema saved; create table saved.load as table ops.load;
                    create table saved.address as table ops.fetched_address; create table saved.raw as table raw.{self.table}""".encode()
        )

    def restore(self) -> None:
        """Make the publisher behave, and the warehouse be what it was on the first day."""
        self.served.behave()
        if self.publisher.publish:
            self.publisher.publish(None)
        self.connection.execute(
            f"""delete from raw.{self.table} where _load_id not in (select load_id from saved.load);
                    insert into raw.{self.table} select * from saved.raw
                    where _load_id not in (select _load_id from raw.{self.table});
                    delete from ops.load where load_id not in (select load_id from saved.load);
                    update ops.load as l set landed_at = s.landed_at, state = s.state from saved.load as s
                    where s.load_id = l.load_id and (l.landed_at, l.state) is distinct from (s.landed_at, s.state);
                    delete from ops.fetched_address; insert into ops.fetched_address table saved.address;
                    delete from ops.alert; delete from ops.run_problem""".encode()
        )
        for file in self.settings.landing.rglob("*"):
            if file.is_file() and file not in self._files:
                file.unlink()


@pytest.fixture(scope="module")
def shared(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, psycopg.Connection]]:
    """One warehouse for all publishers, and a connection to ask it."""
    with (
        new_warehouse(server, tmp_path_factory.mktemp("faults")) as settings,
        connect(settings, ADMIN, autocommit=True) as connection,
    ):
        yield settings, connection


@pytest.fixture(scope="module")
def stand(request: pytest.FixtureRequest, shared: tuple[Settings, psycopg.Connection]) -> Iterator[Stand]:
    publisher: Publisher = request.param
    settings, connection = shared
    with publisher.serve() as served, pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "settings", lambda: settings)
        for one in (fetching, loading):
            patch.setattr(one, "find_source", {publisher.source.source: publisher.source}.__getitem__)
        # The same client, which waits for nothing but an answer.
        patch.setattr(fetching, "Client", partial(http.Client, sleep=lambda _: None))
        patch.setattr(http, "CONNECT_TIMEOUT", 0.05)
        publisher.narrow(patch)
        yield Stand(publisher, served, settings, connection)


@pytest.fixture(autouse=True)
def as_it_was(stand: Stand) -> Iterator[None]:
    yield
    stand.restore()


def spoil(stand: Stand, case: Case) -> None:
    publisher = stand.publisher
    options = {**case.options, **publisher.options.get(case.name, {})}
    body: bytes | None = None
    if case.name == "a copy older than yesterday's":
        body = publisher.older_file()
    elif case.name == "yesterday's copy":
        body = publisher.in_file(stand.yesterday) if publisher.publish and publisher.in_file else stand.yesterday
    elif (
        publisher.in_file
        and publisher.table
        and (case.kind == TABLE or (publisher.publish and case.kind not in (TRANSPORT, BODY)))
    ):
        rewrite = FAULTS[case.fault](**options).rewrite  # type: ignore[attr-defined]
        honest = publisher.table(publisher.second_day)
        body = rewrite(publisher.in_file(honest)) if case.kind == ARCHIVE else publisher.in_file(rewrite(honest))
    if body is not None and publisher.publish:
        publisher.publish(body)
    elif body is not None:
        stand.served.misbehave("replace_body", path_contains=f"/{publisher.file}", body=body)
    else:
        stand.served.misbehave(case.fault, path_contains=publisher.file, times=case.times, **options)


def test_a_fault_is_handled_or_refused_by_name(
    stand: Stand, case: Case, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = stand.publisher
    if case.fault == "slow_drip":
        monkeypatch.setattr(http, "DEADLINE", 0.5)
    end = publisher.ends.get(case.name, case.end)
    codes = set(publisher.codes.get(case.name, case.codes).split("|"))
    before = set(stand.bodies())
    spoil(stand, case)
    refused = stand.night()
    new = [body for body in stand.bodies() if body not in before]
    alerts = stand.ask("select kind, code, subject, body from ops.alert")
    if end == REFUSED:
        assert refused is not None, "silently accepted"
        ((kind, code, subject, body),) = alerts
        # Of a file with several faults, each is in quarantine.
        assert codes & {refused.code, *(one for (one,) in stand.ask("select code from quarantine.refused_row"))}, (
            refused
        )
        assert (kind, code) == ("failed", refused.code)
        assert f"[{refused.code}]" in body
        assert f"{publisher.source.source} {publisher.dataset}" in subject
        assert stand.state() == stand.standing
        assert len(new) == publisher.keeps.get(case.name, case.bytes_come)
        if new and new[0].suffix != ".zip":  # pages of an answer are kept together
            assert [one.read_bytes() for one in new] == [stand.newest()]
    else:
        assert refused is None
        assert alerts == []
        rows, faults = (
            stand.rows(),
            stand.ask("select code, row_number from quarantine.refused_row"),
        )
        if end == HANDLED:
            assert rows == (stand.before if case.fault == "older_copy" else stand.honest)
            assert faults == []
        else:
            assert {number for _, number in faults} == {faults[0][1]}
            assert {code for code, _ in faults} <= codes
            missing = Counter(stand.honest) - Counter(rows)
            assert len(rows) >= len(stand.honest) - 1
            assert Counter(rows) - Counter(stand.honest) == Counter()
            assert sum(missing.values()) == len(stand.honest) - len(rows)
    record_property("fault", (case.name, publisher.name, end))


def test_what_was_refused_is_over_when_the_publisher_is_well(stand: Stand) -> None:
    publisher = stand.publisher
    names = ["a page short by one"] if PAGES in publisher.kinds else ["a web page with status 200"]
    if publisher.ends.get("a copy older than yesterday's") == REFUSED:
        names.append("a copy older than yesterday's")
    for case in (case for case in CASES if case.name in names):
        spoil(stand, case)
        assert stand.night() is not None
        stand.served.behave()
        if publisher.publish:
            publisher.publish(None)
    stand.ask("delete from ops.alert returning 1")
    # Nothing of what was landed and refused is loaded after all, and nobody is woken a second time.
    assert stand.night() is None
    assert stand.rows() == stand.honest
    assert stand.loads() == stand.honest_loads
    assert stand.ask("select subject from ops.alert") == []
