"""Every way a publisher goes wrong, on the real pipeline: stand-in, fetch, landing, load, alert.

Each has one of two ends. Handled: raw holds exactly the rows of the honest file, and nobody is woken; where a source declares
that a bad row is set aside, all rows but that one, which stands in quarantine by name. Refused: by name, the bytes kept where any
came whole, raw and its ledger as they were, and one alert. Nothing is silently accepted. The run prints the table.
"""

from __future__ import annotations

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
from tests.fault_cases import ARCHIVE, BODY, CASES, CLIENT, HANDLED, PAGES, REFUSED, TABLE, TRANSPORT, Case
from tests.publishers import PUBLISHERS, Publisher
from warehouse import steps
from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings
from warehouse.steps import fetching, loading, step


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every fault at every publisher that can have it."""
    if "case" in metafunc.fixturenames:
        pairs = [(p, c) for p in PUBLISHERS for c in CASES if c.kind in p.kinds and c.name not in p.without]
        ids = [f"{publisher.name}-{case.name}" for publisher, case in pairs]
        metafunc.parametrize(("stand", "case"), pairs, indirect=["stand"], ids=ids, scope="module")
    else:
        metafunc.parametrize("stand", PUBLISHERS, indirect=True, ids=lambda publisher: publisher.name, scope="module")


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
        and (case.kind == TABLE or (publisher.publish and case.kind not in (CLIENT, TRANSPORT, BODY)))
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
