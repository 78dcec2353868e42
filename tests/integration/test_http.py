"""The HTTP client as a good client: whom it speaks to, how fast, how long, and what it believes."""

from __future__ import annotations

import datetime as dt
import email.utils
import gzip
import http.server
import ipaddress
import itertools
import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.addresses import NotPublic, check_address
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import Client
from ingest.http import client as client_module
from ingest.http.answers import retry_after
from ingest.http.pacing import PAUSE, next_turn
from tests.refused import refused_with

Answer = Callable[[socket.socket], None]


@contextmanager
def answering(*answers: Answer) -> Iterator[str]:
    """A server that reads one request a connection and answers it in raw bytes, one answer after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            for answer in answers:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/file"
        listening.close()
        thread.join(10)


def said(head: str, body: bytes = b"") -> Answer:
    return lambda connection: connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.01)


def fetched(url: str, folder: Path, **how: object) -> bytes:
    with Client(("127.0.0.1",), **how) as client:  # type: ignore[arg-type]
        body = client.fetch(url, folder, max_bytes=10_000_000)
        assert body.file is not None
        return body.file.read_bytes()


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",  # 127.0.0.1
        "167772161",  # 10.0.0.1
        "2886729729",  # 172.16.0.1
        "3232235521",  # 192.168.0.1
        "2852039166",  # 169.254.169.254, where clouds keep their keys
        "0",
        "1684275457",  # 100.100.1.1, shared by carriers
    ],
)
def test_a_name_behind_which_there_is_no_public_address_is_refused_before_a_byte_is_sent(
    tmp_path: Path, host: str
) -> None:
    address = ipaddress.ip_address(int(host))
    with (
        Client((host,)) as client,
        refused_with("ADDRESS_REFUSED", match=str(address), kind=BodyRefused),
    ):
        client.fetch(f"https://{host}/", tmp_path, max_bytes=1)


@pytest.mark.parametrize(
    "address",
    ["64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::ffff:169.254.169.254", "::ffff:10.0.0.1"],
)
def test_a_private_address_in_an_ipv6_address_is_private(address: str) -> None:
    with pytest.raises(NotPublic, match=str(ipaddress.IPv4Address(ipaddress.ip_address(address).packed[-4:]))):
        check_address("data.example", address)


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b:1::a9fe:a9fe",  # a translator of one network's own (RFC 8215)
        "2002:a9fe:a9fe::1",  # 6to4
        "2002:7f00:1::",
        "2001:0:a9fe:a9fe::1",  # Teredo
        "::169.254.169.254",  # IPv4-compatible
        "::127.0.0.1",
        "::ffff:0:169.254.169.254",  # RFC 2765
        "::",
        "::1",
        "fe80::1%eth0",
        "fec0::1",
        "fd00:ec2::254",  # where Amazon's cloud keeps its keys
        "5f00::1",
        "100::1",
        "2001:db8::1",
        "3fff::1",
        "4000::1",
        "ff02::1",
        "192.88.99.1",
        "192.0.0.192",
        "198.18.0.1",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_an_address_that_nobody_on_the_internet_has_is_no_publishers(address: str) -> None:
    with pytest.raises(NotPublic):
        check_address("data.example", address)


def is_taken(host: str, address: str) -> bool:
    """Whether a host may be asked at this address."""
    try:
        check_address(host, address)
    except NotPublic:
        return False
    return True


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"]
)
def test_a_public_address_may_be_a_publishers(address: str) -> None:
    assert is_taken("data.example", address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_asked_where_the_host_says_so(address: str) -> None:
    assert is_taken("localhost", address)
    assert not is_taken("data.example", address)


def test_loopback_is_for_a_host_that_says_so(tmp_path: Path) -> None:
    with answering(said("HTTP/1.1 200 OK\nContent-Length: 2", b"ok")) as url:
        assert fetched(url, tmp_path) == b"ok"


def test_an_address_without_tls_is_refused(tmp_path: Path) -> None:
    with Client(("data.example",)) as client, refused_with("ADDRESS_REFUSED", kind=BodyRefused):
        client.fetch("http://data.example/file", tmp_path, max_bytes=1)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("slow", ["head", "body", "chunks"])
def test_a_slow_drip_ends_at_the_deadline_wherever_it_drips(tmp_path: Path, slow: str) -> None:
    def drip(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\n"
        if slow == "body":
            head += b"Content-Length: 100000\r\n\r\n"
        if slow == "chunks":
            head += b"Transfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head)
        for number in range(200):
            connection.sendall({"head": b"X", "body": b"a", "chunks": b"1\r\na\r\n"}[slow])
            time.sleep(0.05)
            assert number < 150

    with answering(drip) as url:
        began = time.monotonic()
        with refused_with("PUBLISHER_DOWN", match="1 attempt", kind=PublisherUnavailable):
            fetched(url, tmp_path, deadline=0.6)
        assert time.monotonic() - began < 3


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("head", "body", "named"),
    [
        ("Content-Length: 10", b"short", ""),
        ("Transfer-Encoding: chunked", b"5\r\nhello\r\n", ""),
        ("Transfer-Encoding: chunked", b"64\r\nhello", ""),
        # The bytes are part of the name of the test, which may not hold the time of day.
        ("Content-Encoding: gzip", gzip.compress(b"hello" * 1000, mtime=0)[:-9], "gzip"),
        ("Content-Encoding: gzip", b"not gzip at all", "gzip"),
        ("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\nContent-Length: 5", b"hello", "MD5"),
    ],
)
def test_a_body_that_is_not_all_of_it_is_asked_for_again_and_then_refused(
    tmp_path: Path, head: str, body: bytes, named: str
) -> None:
    answer = said(f"HTTP/1.1 200 OK\nConnection: close\n{head}", body)
    with answering(*[answer] * 4) as url, refused_with("PUBLISHER_DOWN", match=named, kind=PublisherUnavailable):
        fetched(url, tmp_path)


@pytest.mark.parametrize("members", [1, 3])
def test_a_packed_body_is_unpacked_every_member_of_it(tmp_path: Path, members: int) -> None:
    packed = b"".join(gzip.compress(b"hello " * 1000) for _ in range(members))
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(packed)}"
    with answering(said(head, packed)) as url:
        assert fetched(url, tmp_path) == b"hello " * 1000 * members


def test_a_body_that_unpacks_without_end_is_stopped_at_its_limit(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=1)
    head = f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(bomb)}"
    with (
        answering(said(head, bomb)) as url,
        refused_with("FILE_TOO_LARGE", match="10,000,000 bytes", kind=BodyRefused),
    ):
        fetched(url, tmp_path)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 10_000_000


def test_a_body_packed_in_a_way_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    answer = said("HTTP/1.1 200 OK\nContent-Encoding: br\nContent-Length: 2", b"ok")
    with answering(answer) as url, refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused):
        fetched(url, tmp_path)


def test_the_time_to_wait_is_read_in_seconds_and_as_a_date() -> None:
    soon = email.utils.format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30), usegmt=True)
    assert retry_after("7") == 7
    assert 28 <= (retry_after(soon) or 0) <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [retry_after(value) for value in (None, "", "soon", "²", "-1")] == [None] * 5
    assert retry_after("Mon, 01 Jan 2026 00:00:00 +9999999999999999999999") is None


@pytest.mark.parametrize("location", ["http://[::1/x", "http://127.0.0.1:port/x", "//[bad"])
def test_a_redirect_to_what_is_no_address_is_refused_with_the_address_it_came_from(
    tmp_path: Path, location: str
) -> None:
    answer = said(f"HTTP/1.1 302 Found\nLocation: {location}\nContent-Length: 0")
    with answering(answer) as url, refused_with("ADDRESS_REFUSED", kind=BodyRefused) as refused:
        fetched(url, tmp_path)
    assert refused.value.where == url
    assert location in refused.value.problem


def test_an_answer_nested_without_end_is_no_json(tmp_path: Path) -> None:
    head = "HTTP/1.1 200 OK\nContent-Length: 200000"
    with (
        answering(said(head, b"[" * 200_000)) as url,
        Client(("127.0.0.1",)) as client,
        refused_with("ANSWER_NOT_AS_AGREED", kind=BodyRefused),
    ):
        client.json(url)


def _take_turns(folder: Path, taken: multiprocessing.Queue[float]) -> None:
    for _ in range(3):
        taken.put(next_turn(folder, "data.example"))


def test_all_processes_together_keep_to_one_pace_a_host(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[float] = spawn.Queue()
    processes = [spawn.Process(target=_take_turns, args=(tmp_path, taken)) for _ in range(2)]
    for process in processes:
        process.start()
    turns = sorted(taken.get(timeout=30) for _ in range(6))
    for process in processes:
        process.join()
    gaps = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert min(gaps) >= PAUSE - 0.002
    assert next_turn(tmp_path, "other.example") <= time.time()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def test_tls_is_verified_and_a_ca_bundle_adds_to_who_is_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "file").write_bytes(b"hello")
    pem, key = certificate(tmp_path)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"https://localhost:{server.server_port}/file"
        try:
            with Client(("localhost",)) as client, refused_with("CERTIFICATE_NOT_TRUSTED", kind=BodyRefused):
                client.fetch(url, tmp_path, max_bytes=100)
            with Client(("localhost",), ca_bundle=pem) as client:
                body = client.fetch(url, tmp_path, max_bytes=100)
                assert (body.bytes, body.status) == (5, 200)
        finally:
            server.shutdown()
            thread.join()
