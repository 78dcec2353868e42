"""Every way a publisher goes wrong, on the real pipeline: stand-in, fetch, landing, load, alert.

Each has one of two ends. Handled: raw holds exactly the rows of the honest file, and nobody is woken. Refused: by name, the
bytes kept where any came whole, raw and its ledger as they were, and one alert. Nothing is silently accepted. The run prints
the table.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

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
    PUBLISHERS,
    REFUSED,
    SECOND_DAY,
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
    Case("UTF-16", TEXT, "utf_16", REFUSED, "is UTF-16"),
    Case("code page 1252", TEXT, "cp1252", REFUSED, "is not UTF-8"),
    Case("a NUL byte", TEXT, "nul_byte", REFUSED, "NUL byte"),
    Case("lines ending with CR", TEXT, "cr_line_ends", HANDLED),
    Case(r"a line \.", TEXT, "backslash_dot_line", REFUSED, "has 1 fields where the header has"),
    Case("an open quotation mark", TEXT, "open_quote", REFUSED, "is not valid CSV"),
    Case("a row with a field less", TEXT, "ragged_rows", REFUSED, "fields where the header has"),
    Case("a body cut where a line ends", TEXT, "cut_at_a_line", REFUSED, "it may be cut short|lacks most of what|file is cut short"),
    Case("a line end within quotation marks", TABLE, "quoted_newline", HANDLED),
    Case("a row with a field more", TABLE, "ragged_rows", REFUSED, "fields where the header has", {"by": 1}),
    Case("a column twice", TABLE, "duplicated_column", REFUSED, "is repeated|is a second column for"),
    Case("a column renamed", TABLE, "renamed_column", REFUSED, "'Renamed' is not known"),
    Case("columns in another order", TABLE, "reordered_columns", HANDLED),
    Case("new column", TABLE, "new_column", HANDLED, "'New Column' is not known"),
    Case("a column missing", TABLE, "missing_column", REFUSED, "has no column for"),
    Case("a header only", TABLE, "header_only", REFUSED, "has a header and no rows"),
    Case("a footer", TABLE, "footer", REFUSED, "fields where the header has|is blank"),
    Case("a row of totals", TABLE, "totals_row", REFUSED, "is not in the list|does not match"),
    Case("thousands separators", TABLE, "thousands_separators", REFUSED, "'1,0"),
    Case("an asterisk for a number", TABLE, "suppressed_cell", REFUSED, r"'\*'", {"by": "*"}),
    Case("two dots for a number", TABLE, "suppressed_cell", REFUSED, r"'\.\.'", {"by": ".."}),
    Case("a dash for a number", TABLE, "suppressed_cell", REFUSED, "'-'", {"by": "-"}),
    Case("an x for a number", TABLE, "suppressed_cell", REFUSED, "'x'", {"by": "x"}),
    Case("<5 for a number", TABLE, "suppressed_cell", REFUSED, "'<5'", {"by": "<5"}),
    Case("NaN", TABLE, "not_a_number", REFUSED, "'NaN'"),
    Case("infinity", TABLE, "infinity", REFUSED, "'Infinity'"),
    Case("Excel's serial dates", TABLE, "excel_serial_dates", REFUSED, r"'4\d{4}'"),
    Case("dates in American order", TABLE, "us_dates", REFUSED, r"'\d\d/01/20\d\d'"),
    Case("a megabyte in a cell", TABLE, "megabyte_cell", REFUSED, "field larger than|is not in the list"),
    Case("a zip bomb", ARCHIVE, "zip_bomb", REFUSED, "is a zip archive|unpacks to 6"),
    Case("an archive in an archive", ARCHIVE, "nested_zip", REFUSED, "is a zip archive"),
    Case("a member ../ of an archive", ARCHIVE, "path_out_of_archive", REFUSED, "is a zip archive|leads out of the archive"),
    Case("an encrypted archive", ARCHIVE, "encrypted_zip", REFUSED, "is a zip archive|is encrypted"),
    Case("a formula in a workbook", ARCHIVE, "workbook_formula", REFUSED, "is a zip archive|a formula in cell A2"),
    Case("a hidden sheet", ARCHIVE, "workbook_hidden_sheet", REFUSED, "is a zip archive|is hidden"),
    Case("merged cells in a header", ARCHIVE, "workbook_merged_header", REFUSED, "is a zip archive|cells A1:B1 merged"),
]  # fmt: skip

# Faults of paged interfaces are for the publishers that have them; replace_body is how a test serves what it likes.
NOT_IN_THE_TABLE = ("replace_body", "repeated_page", "changing_total", "short_page")


class Stand:
    """A publisher served, and a warehouse in which its first release stands. Every test begins and ends with just that."""

    def __init__(self, publisher: Publisher, served: server.Publisher, settings: Settings) -> None:
        self.publisher, self.served, self.settings = publisher, served, settings
        self.runs = 0
        self.table = raw_table(publisher.source.source, publisher.dataset)
        layout = publisher.source.dataset(publisher.dataset).layout
        self.columns = ", ".join(f"regexp_replace(btrim({c}), '\\s+', ' ', 'g')" for c in raw_columns(layout))
        with connect(settings, ADMIN) as connection:
            create_table(connection, publisher.source, publisher.dataset, publisher.source.dataset(publisher.dataset))
            connection.execute(f"grant select, insert, delete on raw.{self.table} to vru_loader".encode())
            connection.execute(b"grant usage, select, update on all sequences in schema raw to vru_loader")
        assert self.night() is None
        self.yesterday = self.bodies()[-1].read_bytes()
        self._save()
        self.standing, self.before = self.state(), self.rows()
        served.advance_to(SECOND_DAY)
        assert self.night() is None
        self.honest = self.rows()
        self._restore()

    def night(self) -> str | None:
        """Fetch, load and notify, as the DAG does. Returns what was refused, if anything was."""
        self.runs += 1
        run = f"night {self.runs}"
        source, dataset = self.publisher.source.source, self.publisher.dataset
        stand_ins = json.dumps({source: self.served.base_url})
        refused = None
        try:
            nightly.load(run, source, dataset, nightly.fetch(run, source, dataset, stand_ins))
        except Refusal as refusal:
            refused = str(refusal)
        nightly.notify(run)
        return refused

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings, ADMIN) as connection:
            return connection.execute(query.encode()).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        """The rows of the release that speaks, white space within a label made one."""
        return self.ask(
            f"""select {self.columns} from raw.{self.table} where _load_id = (
                    select load_id from ops.load where dataset = '{self.publisher.dataset}' and state = 'loaded'
                    order by release_date desc, landed_at desc, load_id desc limit 1) order by {self.columns}"""
        )

    def state(self) -> list[tuple[Any, ...]]:
        """A hash of raw, and the ledger's lines of what stands in it."""
        return [
            *self.ask(f"select md5(string_agg(t::text, '|' order by t::text)) from raw.{self.table} as t"),
            *self.ask("select l::text from ops.load as l where state = 'loaded' order by load_id"),
        ]

    def newest_address(self) -> str:
        """Where the file is that is spoilt."""
        package = self.publisher.source.dataset(self.publisher.dataset).location.package
        answer = requests.get(f"{self.served.base_url}/api/action/package_show?id={package}", timeout=10).json()
        return next(r["url"] for r in answer["result"]["resources"] if f"/{self.publisher.file}" in unquote(r["url"]))

    def bodies(self) -> list[Path]:
        files = self.settings.landing.glob(f"*/{self.publisher.dataset}/*")
        return sorted((f for f in files if ".papers" not in f.name), key=lambda f: f.stat().st_mtime_ns)

    def _save(self) -> None:
        self._files = {f for f in self.settings.landing.rglob("*") if f.is_file()}
        with connect(self.settings, ADMIN) as connection:
            connection.execute(
                b"create schema saved; create table saved.load as table ops.load;"
                b"create table saved.address as table ops.fetched_address"
            )

    def _restore(self) -> None:
        self.served.behave()
        with connect(self.settings, ADMIN) as connection:
            connection.execute(
                f"""delete from raw.{self.table} where _load_id not in (select load_id from saved.load);
                    delete from ops.load where load_id not in (select load_id from saved.load);
                    update ops.load as l set landed_at = s.landed_at from saved.load as s where s.load_id = l.load_id;
                    delete from ops.fetched_address; insert into ops.fetched_address table saved.address;
                    delete from ops.alert; delete from ops.run_problem""".encode()
            )
        for file in self.settings.landing.rglob("*"):
            if file.is_file() and file not in self._files:
                file.unlink()


@pytest.fixture(scope="module", params=PUBLISHERS, ids=lambda publisher: publisher.name)
def stand(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    publisher: Publisher = request.param
    with (
        new_warehouse(server, tmp_path_factory.mktemp("faults")) as settings,
        publisher.serve() as served,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(nightly, "settings", lambda: settings)
        patch.setattr(nightly, "find_source", {publisher.source.source: publisher.source}.__getitem__)
        # The same client, in a hurry.
        patch.setattr(http, "FIRST_WAIT", 0.01)
        patch.setattr(http, "CONNECT_TIMEOUT", 0.1)
        patch.setattr(http, "DEADLINE", 3.0)
        yield Stand(publisher, served, settings)


@pytest.fixture(autouse=True)
def as_it_was(stand: Stand) -> Iterator[None]:
    yield
    stand._restore()


def spoil(stand: Stand, case: Case) -> None:
    publisher = stand.publisher
    options = {**case.options, **publisher.options.get(case.name, {})}
    fault = case.fault
    if case.name == "a copy older than yesterday's":
        options = {"body": publisher.older_file()}
    elif case.name == "yesterday's copy":
        options = {"body": stand.yesterday}
    elif case.kind == TABLE and publisher.in_file and publisher.table:
        spoilt = FAULTS[fault](**options).rewrite(publisher.table(SECOND_DAY))  # type: ignore[attr-defined]
        fault, options = "replace_body", {"body": publisher.in_file(spoilt)}
    stand.served.misbehave(fault, path_contains=f"/{publisher.file}", times=case.times, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_is_handled_or_refused_by_name(
    stand: Stand, case: Case, record_property: Callable[[str, object], None]
) -> None:
    publisher = stand.publisher
    if case.kind not in publisher.kinds or case.name in publisher.without:
        record_property("fault", (case.name, publisher.name, "-"))
        return
    end = publisher.ends.get(case.name, case.end)
    before = set(stand.bodies())
    spoil(stand, case)
    refused = stand.night()
    new = [body for body in stand.bodies() if body not in before]
    alerts = stand.ask("select kind, subject, body from ops.alert")
    if end == HANDLED:
        assert refused is None
        assert alerts == []
        if case.fault == "older_copy":
            assert stand.rows() == stand.before
        else:
            assert stand.rows() == stand.honest
        word = "handled"
    else:
        assert refused is not None, "silently accepted"
        assert case.says
        ((kind, subject, body),) = alerts
        assert re.search(case.says, refused), refused
        assert re.search(case.says, body), body
        assert kind == "failed"
        assert f"{publisher.source.source} {publisher.dataset}" in subject
        assert stand.state() == stand.standing
        assert len(new) == case.bytes_come
        if new:
            came = requests.get(stand.newest_address(), timeout=10).content
            assert [one.read_bytes() for one in new] == [came]
        word = "refused"
    record_property("fault", (case.name, publisher.name, word))
