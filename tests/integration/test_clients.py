"""What analysts and BI developers connect with, on what `vru db url` prints. A client that is not installed is skipped, and named."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sqlalchemy
from click.testing import CliRunner, Result

from tests.homes import Home
from warehouse import cli
from warehouse.platform import embedded
from warehouse.platform import settings as settings_module
from warehouse.platform.connection import ANALYST, LOADER, connect

QUESTION = "select area_code, is_in_london_32 from marts.dim_area order by area_code"
JDBC_DRIVER = Path("/usr/share/java/postgresql.jar")


@pytest.fixture(scope="module")
def answer(first_night: Home) -> list[tuple[Any, ...]]:
    with connect(first_night.settings, ANALYST) as connection:
        return connection.execute(QUESTION).fetchall()


def told(home: Home, form: str, *more: str) -> str:
    """What `vru db url` prints."""
    done = asked(home, form, *more)
    assert done.exit_code == 0, done.stderr
    return done.stdout.strip()


def asked(home: Home, form: str, *more: str) -> Result:
    """`vru db url` in this process."""
    settings_module.settings.cache_clear()
    try:
        return CliRunner().invoke(cli.main, ["db", "url", "--format", form, *more], env=home.environment)
    finally:
        settings_module.settings.cache_clear()


def of_odbc(entry: str) -> tuple[str, str]:
    """An entry of odbc.ini as its name and a connection string."""
    name, *lines = entry.splitlines()
    pairs = (line.split(" = ", 1) for line in lines)
    return name.strip("[]"), ";".join(
        f"{key}={{{value}}}" if key == "Driver" else f"{key}={value}" for key, value in pairs
    )


def test_psycopg_by_the_uri(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(told(first_night, "uri", "--with-password")) as connection:
        assert connection.execute(QUESTION).fetchall() == answer
        assert connection.execute("show application_name").fetchone() == ("london-vru-synthetic",)


def test_sqlalchemy_by_the_python_that_is_printed(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    secret = (first_night.settings.secrets / ANALYST).read_text()
    program = (
        f"{told(first_night, 'python')}\nwith engine.connect() as c: print(c.exec_driver_sql({QUESTION!r}).fetchall())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PGPASSWORD": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{answer}\n", done.stderr


def test_psql_by_the_environment_that_is_printed(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    psql = str(embedded.bin_path() / "psql")
    done = subprocess.run(
        ["sh", "-c", f'{told(first_night, "env")}\nexec "$0" -AtF, -c "$1"', psql, QUESTION],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == [f"{code},{str(is_in)[0].lower()}" for code, is_in in answer], done.stderr


def test_connectorx_and_polars_by_the_uri(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    polars = pytest.importorskip("polars", reason="not installed: polars")
    pytest.importorskip("connectorx", reason="not installed: connectorx")
    uri = told(first_night, "uri", "--with-password")
    assert polars.read_database_uri(QUESTION, uri, engine="connectorx").rows() == answer


def test_adbc_and_polars_by_the_uri(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    polars = pytest.importorskip("polars", reason="not installed: polars")
    pytest.importorskip("adbc_driver_postgresql", reason="not installed: adbc-driver-postgresql")
    uri = told(first_night, "uri", "--with-password")
    assert polars.read_database_uri(QUESTION, uri, engine="adbc").rows() == answer


def test_pyodbc_by_the_entry_of_odbc_ini(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    pyodbc = pytest.importorskip("pyodbc", reason="not installed: pyodbc, with unixODBC", exc_type=ImportError)
    if "PostgreSQL Unicode" not in pyodbc.drivers():
        pytest.skip("not installed: psqlODBC (Debian: odbc-postgresql)")
    name, text = of_odbc(told(first_night, "odbc", "--with-password"))
    assert name == "London VRU SYNTHETIC"
    with contextlib.closing(pyodbc.connect(text)) as connection:
        assert [tuple(row) for row in connection.execute(QUESTION).fetchall()] == answer
        with pytest.raises(pyodbc.Error, match="readonly"):
            connection.execute("create table marts.mine (x integer)")


def test_jdbc_by_its_address(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    jaydebeapi = pytest.importorskip("jaydebeapi", reason="not installed: jaydebeapi")
    if not JDBC_DRIVER.exists():
        pytest.skip("not installed: the PostgreSQL JDBC driver (Debian: libpostgresql-jdbc-java)")
    program = f"""
import jaydebeapi, json, sys
connection = jaydebeapi.connect("org.postgresql.Driver", sys.argv[1], [], "{JDBC_DRIVER}")
cursor = connection.cursor()
cursor.execute({QUESTION!r})
print(json.dumps([cursor.fetchall(), connection.jconn.getSchema()]))
"""
    assert jaydebeapi
    # Java stays in a process once it has been started there.
    done = subprocess.run(
        [sys.executable, "-c", program, told(first_night, "jdbc", "--with-password")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[list(row) for row in answer], "marts"]


def test_rpostgres_by_the_r_that_is_printed(first_night: Home, answer: list[tuple[Any, ...]]) -> None:
    if (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(RPostgres)"], capture_output=True, check=False).returncode
    ):
        pytest.skip("not installed: R with RPostgres (CRAN)")
    program = f'{told(first_night, "r")}\nwrite.table(DBI::dbGetQuery(connection, "{QUESTION}"), sep=",", quote=FALSE, row.names=FALSE, col.names=FALSE)'
    secret = (first_night.settings.secrets / ANALYST).read_text()
    done = subprocess.run(
        ["Rscript", "-e", program],
        env={**os.environ, "PGPASSWORD": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [f"{code},{str(is_in).upper()}" for code, is_in in answer], done.stderr


def test_every_schema_that_sqlalchemy_opens_on_and_reflects_is_the_analysts(first_night: Home) -> None:
    engine = sqlalchemy.create_engine(
        told(first_night, "uri", "--with-password").replace("postgresql:", "postgresql+psycopg:", 1)
    )
    inspector = sqlalchemy.inspect(engine)
    assert inspector.default_schema_name == "marts"
    assert {"dim_area", "fct_measure"} <= set(inspector.get_table_names())
    engine.dispose()


def test_power_bi_and_tableau_get_an_address_and_no_secret(first_night: Home, tmp_path: Path) -> None:
    secret = (first_night.settings.secrets / ANALYST).read_text()
    ((port,),) = first_night.rows("select current_setting('port')")
    pbids = json.loads(told(first_night, "pbids"))
    assert pbids["connections"][0]["details"] == {
        "protocol": "postgresql",
        "address": {"server": f"127.0.0.1:{port}", "database": "vru"},
    }
    tds = ElementTree.fromstring(told(first_night, "tds"))  # noqa: S314 - our own
    found = tds.find(".//connection[@class='postgres']")
    assert found is not None
    assert (found.get("server"), found.get("port"), found.get("dbname"), found.get("username")) == (
        "127.0.0.1",
        port,
        "vru",
        ANALYST,
    )
    assert tds.get("formatted-name") == "London VRU SYNTHETIC"
    for form in ("pbids", "tds", "r", "python"):
        assert secret not in told(first_night, form)
        refused = asked(first_night, form, "--with-password")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.rstrip().endswith("[FORM_WITHOUT_PASSWORD]")
    # A .pbids has no name of its own: its file says what the data are.
    assert told(first_night, "pbids", "--out", str(tmp_path)) == str(tmp_path / "london-vru-synthetic-analyst.pbids")


def test_no_password_is_printed_unasked_or_to_a_file_that_others_can_read(first_night: Home, tmp_path: Path) -> None:
    secret = (first_night.settings.secrets / LOADER).read_text()
    loader = ("--role", LOADER)
    for form in ("uri", "jdbc", "odbc", "env"):
        assert secret not in told(first_night, form, *loader)
        assert secret in told(first_night, form, *loader, "--with-password")
    vru, environment = str(Path(sys.executable).with_name("vru")), {**os.environ, **first_night.environment}
    for mode, is_written in ((0o640, False), (0o600, True)):
        file = tmp_path / f"{mode:o}"
        file.touch(mode)
        file.chmod(mode)
        with file.open("w") as output:
            done = subprocess.run(
                [vru, "db", "url", "--format", "uri", *loader, "--with-password"],
                stdout=output,
                stderr=subprocess.PIPE,
                env=environment,
                check=False,
            )
        assert (secret in file.read_text(), done.returncode) == (is_written, 0 if is_written else 1)
        assert is_written or b"[SECRET_READABLE]" in done.stderr
    open_to_all = tmp_path / "open"
    open_to_all.touch(0o666)
    told(first_night, "uri", *loader, "--with-password", "--out", str(open_to_all))
    assert open_to_all.stat().st_mode & 0o777 == 0o600
    assert secret in open_to_all.read_text()
