"""Every way a publisher goes wrong, on the real pipeline: stand-in, fetch, landing, load, alert.

Each has one of two ends. Handled: raw holds exactly the rows of the honest file, and nobody is woken; where a source declares
that a bad row is set aside, all rows but that one, which stands in quarantine by name. Refused: by name, the bytes kept where any
came whole, raw and its ledger as they were, and one alert. Nothing is silently accepted. The run prints the table.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
import requests

from ingest import http
from ingest.declaration import raw_columns, raw_table
from ingest.errors import Refusal
from ingest.raw import create_table
from sandbox import server
from sandbox.faults import FAULTS
from tests.conftest import Server, new_warehouse
from tests.publishers import (
    ARCHIVE,
    HANDLED,
    PAGES,
    PUBLISHERS,
    REFUSED,
    TABLE,
    TEXT,
    TRANSPORT,
    Publisher,
)  # fmt: skip
from warehouse import nightly
from warehouse.connection import ADMIN, connect
from warehouse.settings import Settings


@dataclasses.dataclass(frozen=True)
class Case:
    """One fault: its kind, the stand-in's name for it, its end, and what a refusal says of it (a pattern)."""

    name: str
    kind: str
    fault: str
    end: str
    says: str = ""
    options: dict[str, object] = dataclasses.field(default_factory=dict)
    times: int | None = None
    bytes_come: bool = True


def away(name: str, fault: str, says: str, times: int | None = None, **options: object) -> Case:
    """A fault after which no file has come, or which is over after so many answers."""
    return Case(name, TRANSPORT, fault, HANDLED if times else REFUSED, says, options, times, bytes_come=False)


CASES = [
    away("429, then the file", "too_many_requests", "", times=2),
    away("429 with Retry-After in seconds, then the file", "too_many_requests", "", times=1, retry_after=1),
    away("429 with Retry-After as a date, then the file", "too_many_requests", "", times=1, retry_after=1, as_date=True),
    away("429 for good", "too_many_requests", r"status 429 \(4 attempts\)"),
    away("429 until tomorrow", "too_many_requests", r"status 429 \(1 attempt\)", retry_after=86400),
    away("500, then the file", "status", "", times=2, code=500),
    away("502, then the file", "status", "", times=2, code=502),
    away("503, then the file", "status", "", times=2, code=503),
    away("503 for good", "status", r"status 503 \(4 attempts\)", code=503),
    away("401", "status", "answered with status 401", code=401),
    away("404", "status", "answered with status 404", code=404),
    away("410", "status", "answered with status 410", code=410),
    away("no connection", "connect_timeout", "ConnectTimeout"),
    away("a slow drip", "slow_drip", "not finished within"),
    away("a reset in the body", "reset_mid_body", "the body broke off after"),
    away("a reset in the body, then the file", "reset_mid_body", "", times=1),
    away("a body shorter than announced", "truncated_body", "the body broke off after|were announced"),
    away("a body shorter than announced, then the file", "truncated_body", "", times=1),
    away("a gzip stream cut short", "cut_gzip", "gzip stream breaks off before its end"),
    away("another body's MD5", "wrong_md5", "MD5 is not the one that came with it"),
    away("a redirect in a circle", "redirect_loop", "more than 5 redirects"),
    away("a redirect to another host", "redirect_elsewhere", "elsewhere.invalid, which is not among the hosts"),
    away("a redirect to a metadata service", "redirect_elsewhere", "169.254.169.254, which is not among the hosts", to="http://169.254.169.254/latest"),
    Case("a body cut short, no length announced", TRANSPORT, "truncated_without_length", REFUSED, "cut short|can be read"),
    Case("a web page with status 200", TRANSPORT, "html_with_200", REFUSED, "is an HTML or XML page"),
    Case("nothing with status 200", TRANSPORT, "empty_with_200", REFUSED, "is empty"),
    Case("an error in JSON with status 200", TRANSPORT, "json_error_with_200", REFUSED, "is JSON"),
    Case("the right body as another content type", TRANSPORT, "wrong_content_type", HANDLED),
    Case("a copy older than yesterday's", TRANSPORT, "older_copy", HANDLED, "is an older copy"),
    Case("yesterday's copy", TRANSPORT, "older_copy", HANDLED),
    Case("a byte order mark", TEXT, "byte_order_mark", HANDLED),
    Case("UTF-16", TEXT, "utf_16", HANDLED),
    Case("code page 1252", TEXT, "cp1252", REFUSED, "is not UTF-8"),
    Case("a NUL byte", TEXT, "nul_byte", REFUSED, "NUL byte"),
    Case("lines ending with CR", TEXT, "cr_line_ends", HANDLED),
    Case(r"a line \.", TEXT, "backslash_dot_line", REFUSED, "has 1 fields where the header has"),
    Case("an open quotation mark", TEXT, "open_quote", REFUSED, "is not valid CSV"),
    Case("a row with a field less", TEXT, "ragged_rows", REFUSED, "fields where the header has"),
    Case("a body cut where a line ends", TEXT, "cut_at_a_line", REFUSED, "it may be cut short|lacks much of what|lacks [0-9,]+ of|file is cut short"),
    Case("a line end within quotation marks", TABLE, "quoted_newline", HANDLED),
    Case("a row with a field more", TABLE, "ragged_rows", REFUSED, "fields where the header has|beyond its last header", {"by": 1}),
    Case("a column twice", TABLE, "duplicated_column", REFUSED, "is repeated|is a second column for"),
    Case("a column renamed", TABLE, "renamed_column", REFUSED, "'Renamed' is not known|has a column that is not known: column [0-9]+"),
    Case("columns in another order", TABLE, "reordered_columns", HANDLED),
    Case("new column", TABLE, "new_column", HANDLED, "'New Column' is not known"),
    Case("a column missing", TABLE, "missing_column", REFUSED, "has no column for"),
    Case("a header only", TABLE, "header_only", REFUSED, "has a header and no rows"),
    Case("a footer", TABLE, "footer", REFUSED, "fields where the header has|is blank"),
    Case("a row of totals", TABLE, "totals_row", REFUSED, "is not in the list|does not match|is no number|is not a month"),
    Case("thousands separators", TABLE, "thousands_separators", REFUSED, r"'[\d,]+,\d{3}'"),
    Case("an asterisk for a number", TABLE, "suppressed_cell", REFUSED, r"'\*'", {"by": "*"}),
    Case("two dots for a number", TABLE, "suppressed_cell", REFUSED, r"'\.\.'", {"by": ".."}),
    Case("a dash for a number", TABLE, "suppressed_cell", REFUSED, "'-'", {"by": "-"}),
    Case("an x for a number", TABLE, "suppressed_cell", REFUSED, "'x'", {"by": "x"}),
    Case("<5 for a number", TABLE, "suppressed_cell", REFUSED, "'<5'", {"by": "<5"}),
    Case("NaN", TABLE, "not_a_number", REFUSED, "'NaN'"),
    Case("infinity", TABLE, "infinity", REFUSED, "'Infinity'"),
    Case("Excel's serial dates", TABLE, "excel_serial_dates", REFUSED, r"'4\d{4}'|Date: does not match"),
    Case("dates in American order", TABLE, "us_dates", REFUSED, r"'\d\d/01/20\d\d'"),
    Case("a megabyte in a cell", TABLE, "megabyte_cell", REFUSED, "a row is longer than|field larger than|is not in the list"),
    Case("a zip bomb", ARCHIVE, "zip_bomb", REFUSED, "is a zip archive|unpacks to 6|would grow from"),
    Case("an archive in an archive", ARCHIVE, "nested_zip", REFUSED, "is a zip archive|holds no member"),
    Case("a member ../ of an archive", ARCHIVE, "path_out_of_archive", REFUSED, "is a zip archive|leads out of"),
    Case("an encrypted archive", ARCHIVE, "encrypted_zip", REFUSED, "is a zip archive|is encrypted"),
    Case("a formula in a workbook", ARCHIVE, "workbook_formula", REFUSED, "is a zip archive|a formula in cell A2"),
    Case("a hidden sheet", ARCHIVE, "workbook_hidden_sheet", REFUSED, "is a zip archive|is hidden"),
    Case("merged cells in a header", ARCHIVE, "workbook_merged_header", REFUSED, "is a zip archive|cells A1:B1 merged"),
    Case("a cell at the end of a sheet", ARCHIVE, "workbook_far_cell", REFUSED, "is a zip archive|spans 17,179,869,184 places"),
    Case("a workbook elsewhere in its archive", ARCHIVE, "workbook_elsewhere", REFUSED, "is a zip archive|its root does not name"),
    Case("a page that comes again", PAGES, "repeated_page", REFUSED, "twice: a page was repeated"),
    Case("a total that changes from page to page", PAGES, "changing_total", REFUSED, "changed"),
    Case("a page short by one", PAGES, "short_page", REFUSED, "no records|it is cut short"),
]  # fmt: skip

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

    def night(self) -> str | None:
        """Fetch, load and notify, as the DAG does. Returns what was refused, if anything was."""
        self.runs += 1
        run = f"{self.publisher.name}, night {self.runs}"
        source, dataset = self.publisher.source.source, self.publisher.dataset
        stand_ins = json.dumps({source: self.served.base_url})
        refused = None
        try:
            # Where nothing was fetched, the DAG skips loading.
            nightly.load(run, source, dataset, nightly.fetch(run, source, dataset, stand_ins))
        except Refusal as refusal:
            refused = str(refusal)
        nightly.notify(run)
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
        return sorted((f for f in files if f.suffix != ".json"), key=lambda f: f.stat().st_mtime_ns)

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


@pytest.fixture(scope="module", params=PUBLISHERS, ids=lambda publisher: publisher.name)
def stand(request: pytest.FixtureRequest, shared: tuple[Settings, psycopg.Connection]) -> Iterator[Stand]:
    publisher: Publisher = request.param
    settings, connection = shared
    with publisher.serve() as served, pytest.MonkeyPatch.context() as patch:
        patch.setattr(nightly, "settings", lambda: settings)
        patch.setattr(nightly, "find_source", {publisher.source.source: publisher.source}.__getitem__)
        # The same client, which waits for nothing but an answer.
        patch.setattr(nightly, "Client", partial(http.Client, sleep=lambda _: None))
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
        publisher.in_file and publisher.table and (case.kind == TABLE or (publisher.publish and case.kind != TRANSPORT))
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_handled_or_refused_by_name(
    stand: Stand, case: Case, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = stand.publisher
    if case.kind not in publisher.kinds or case.name in publisher.without:
        record_property("fault", (case.name, publisher.name, "-"))
        return
    if case.fault == "slow_drip":
        monkeypatch.setattr(http, "DEADLINE", 0.5)
    end = publisher.ends.get(case.name, case.end)
    says = publisher.says.get(case.name, case.says)
    before = set(stand.bodies())
    spoil(stand, case)
    refused = stand.night()
    new = [body for body in stand.bodies() if body not in before]
    alerts = stand.ask("select kind, subject, body from ops.alert")
    if end == REFUSED:
        assert refused is not None, "silently accepted"
        assert says
        ((kind, subject, body),) = alerts
        assert re.search(says, refused), refused
        assert re.search(says, body), body
        assert kind == "failed"
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
            stand.ask("select column_name || ': ' || reason, row_number from quarantine.refused_row"),
        )
        if end == HANDLED:
            assert rows == (stand.before if case.fault == "older_copy" else stand.honest)
            assert faults == []
        else:
            assert says
            assert {number for _, number in faults} == {faults[0][1]}
            assert all(re.search(says, fault) for fault, _ in faults), faults
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
