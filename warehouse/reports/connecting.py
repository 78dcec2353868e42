"""How to connect to the warehouse, in the words of each client.

No form carries a password but by request (`with_password`), and those that people keep, send on or commit (pbids, tds, odc, r, python) never do. While
the home holds invented data, the name of the connection says so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from ingest.errors import Refusal
from ingest.landing import SYNTHETIC, kind_held
from warehouse.platform import connection, listening
from warehouse.platform.settings import Settings

NAME = "London VRU"
FIRST_QUESTION = "select * from marts.bi_latest_12_months"  # of a connection that has to show something


@dataclasses.dataclass(frozen=True)
class Address:
    """Where a role comes in by TCP.

    Attributes:
        host, port, database, user: of the connection.
        name: what the client shows it as.
        is_synthetic: whether the home holds invented data.
        ssl_mode: libpq's: prefer where nothing leaves the machine, verify-full elsewhere.
        password_file: where the password stands on this machine.
        password: shown only where it was asked for; else None.
    """

    host: str
    port: str
    database: str
    user: str
    name: str
    is_synthetic: bool
    ssl_mode: str
    password_file: Path
    password: str | None = None

    @property
    def application(self) -> str:
        """The name under which the server lists the session (application_name): letters, digits and hyphens."""
        return self.name.lower().replace(" ", "-")


def address(settings: Settings, role: str, *, host: str = "", with_password: bool = False) -> Address:
    """Where a role comes in by TCP.

    Args:
        role: a role that may log in.
        host: the name by which other machines reach this one; empty: loopback, or the host of VRU_DATABASE_URL.
        with_password: give the password too.

    Raises:
        Refusal: the role comes in by the socket alone; the server listens at no TCP port, or to no other machine.
    """
    found = connection.parameters(settings, role)
    ssl_mode = found.get("sslmode", "prefer")
    if settings.is_embedded:
        _refuse_unless_open(settings, role, host)
        found["host"] = host or listening.LOOPBACK
        ssl_mode = "verify-full" if host else "prefer"
    is_synthetic = kind_held(settings.landing) == SYNTHETIC
    return Address(
        host or found["host"],
        found["port"],
        found["dbname"],
        role,
        f"{NAME} SYNTHETIC" if is_synthetic else NAME,
        is_synthetic,
        ssl_mode,
        settings.secrets / role,
        found["password"] if with_password else None,
    )


def _refuse_unless_open(settings: Settings, role: str, host: str) -> None:
    if role == connection.ADMIN:
        raise Refusal(
            "ROLE_BY_SOCKET_ALONE",
            f"{role} may do everything, so it comes in by the socket alone",
            next_step=f"`vru db url --role {role}` without a format gives its address",
        )
    if host and not settings.database_listen:
        raise Refusal(
            "DOOR_NOT_OPEN",
            "this server listens to no other machine",
            next_step="set VRU_DATABASE_LISTEN and a certificate (.env.example) and run `vru setup`, or come in by `ssh -L`",
        )
    with connection.connect(settings, role) as session:
        row = session.execute("select current_setting('listen_addresses')").fetchone()
    if row == ("",):
        raise Refusal(
            "DOOR_NOT_OPEN",
            "this server was started by an older version and listens at its socket alone",
            next_step="run `vru setup`, which starts it again",
        )


def _uri(one: Address) -> str:
    secret = f":{quote(one.password, safe='')}" if one.password else ""
    query = urlencode({"application_name": one.application, "sslmode": one.ssl_mode})
    return f"postgresql://{quote(one.user)}{secret}@{one.host}:{one.port}/{quote(one.database)}?{query}"


def _jdbc(one: Address) -> str:
    chosen = {"user": one.user, **({"password": one.password} if one.password else {})}
    query = urlencode({**chosen, "ApplicationName": one.application, "sslmode": one.ssl_mode}, quote_via=quote)
    return f"jdbc:postgresql://{one.host}:{one.port}/{quote(one.database)}?{query}"


def _odbc(one: Address) -> str:
    """An entry of odbc.ini: what stands in the brackets is the name that Excel and Access show."""
    chosen = {
        "Driver": "PostgreSQL Unicode",
        "Servername": one.host,
        "Port": one.port,
        "Database": one.database,
        "Username": one.user,
        **({"Password": one.password} if one.password else {}),
        "SSLmode": one.ssl_mode,
        "ReadOnly": "1",
        # Truth as truth, and text by its own length: as the driver comes, true is the text "1", and text beyond 8,190 characters is cut.
        "BoolsAsChar": "0",
        "UnknownsAsLongVarchar": "1",
        "pqopt": f"{{application_name={one.application}}}",
    }
    return "\n".join([f"[{one.name}]", *(f"{name} = {value}" for name, value in chosen.items())])


def _env(one: Address) -> str:
    chosen = {
        "PGHOST": one.host,
        "PGPORT": one.port,
        "PGDATABASE": one.database,
        "PGUSER": one.user,
        "PGSSLMODE": one.ssl_mode,
        "PGAPPNAME": one.application,
    }
    secret = one.password if one.password else f'"$(cat {_in_double_quotes(str(one.password_file))})"'
    return "\n".join([*(f"export {name}={value}" for name, value in chosen.items()), f"export PGPASSWORD={secret}"])


def _in_double_quotes(path: str) -> str:
    return "'" + path.replace("'", "'\\''") + "'"


def _pbids(one: Address) -> str:
    details = {"protocol": "postgresql", "address": {"server": f"{one.host}:{one.port}", "database": one.database}}
    return json.dumps(
        {"version": "0.1", "connections": [{"details": details, "options": {}, "mode": "Import"}]}, indent=2
    )


def _tds(one: Address) -> str:
    name = quoteattr(one.name)
    chosen = {
        "class": "postgres",
        "authentication": "username-password",
        "server": one.host,
        "port": one.port,
        "dbname": one.database,
        "username": one.user,
        "sslmode": "require" if one.ssl_mode == "verify-full" else "",
    }
    attributes = " ".join(f"{key}={quoteattr(value)}" for key, value in chosen.items())
    return "\n".join(
        [
            "<?xml version='1.0' encoding='utf-8' ?>",
            f"<datasource formatted-name={name} inline='true' version='18.1'>",
            "  <connection class='federated'>",
            "    <named-connections>",
            f"      <named-connection caption={name} name='postgres.vru'>",
            f"        <connection {attributes} />",
            "      </named-connection>",
            "    </named-connections>",
            "  </connection>",
            "</datasource>",
        ]
    )


def _odc(one: Address) -> str:
    """An Office Data Connection: Excel opens it, asks who opens it, and shows the newest twelve months as a table."""
    chosen = {
        "DRIVER": "{PostgreSQL Unicode}",
        "SERVER": one.host,
        "PORT": one.port,
        "DATABASE": one.database,
        "UID": one.user,
        "SSLmode": one.ssl_mode,
        "ReadOnly": "1",
        "BoolsAsChar": "0",
    }
    words = ";".join(f"{name}={value}" for name, value in chosen.items())
    return "\n".join(
        [
            '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">',
            "<head>",
            '<meta http-equiv="Content-Type" content="text/x-ms-odc; charset=utf-8">',
            '<meta name="ProgId" content="ODC.Database">',
            '<meta name="SourceType" content="ODBC">',
            f"<title>{escape(one.name)}</title>",
            f'<xml id="docprops"><o:DocumentProperties xmlns:o="urn:schemas-microsoft-com:office:office"><o:Name>{escape(one.name)}</o:Name></o:DocumentProperties></xml>',
            '<xml id="msodc"><odc:OfficeDataConnection xmlns:odc="urn:schemas-microsoft-com:office:odc">',
            '<odc:Connection odc:Type="ODBC">',
            f"<odc:ConnectionString>{escape(words)}</odc:ConnectionString>",
            "<odc:CommandType>SQL</odc:CommandType>",
            f"<odc:CommandText>{FIRST_QUESTION}</odc:CommandText>",
            "</odc:Connection>",
            "</odc:OfficeDataConnection></xml>",
            "</head>",
            "</html>",
        ]
    )


def _r(one: Address) -> str:
    return f"""# {one.name}. Before: {_before(one)}
connection <- DBI::dbConnect(
  RPostgres::Postgres(),
  host = "{one.host}", port = {one.port}, dbname = "{one.database}", user = "{one.user}",
  password = Sys.getenv("PGPASSWORD"), sslmode = "{one.ssl_mode}", application_name = "{one.application}",
  bigint = "numeric"
)"""


def _python(one: Address) -> str:
    return f"""# {one.name}. Before: {_before(one)}
import os

from sqlalchemy import URL, create_engine

engine = create_engine(
    URL.create(
        "postgresql+psycopg",
        host="{one.host}",
        port={one.port},
        database="{one.database}",
        username="{one.user}",
        password=os.environ["PGPASSWORD"],
        query={{"sslmode": "{one.ssl_mode}", "application_name": "{one.application}"}},
    )
)"""


def _before(one: Address) -> str:
    return f'export PGPASSWORD="$(cat {_in_double_quotes(str(one.password_file))})"'


FORMS: dict[str, Callable[[Address], str]] = {
    "uri": _uri,
    "jdbc": _jdbc,
    "odbc": _odbc,
    "env": _env,
    "pbids": _pbids,
    "tds": _tds,
    "odc": _odc,
    "r": _r,
    "python": _python,
}
# What people keep, send on or commit.
NEVER_WITH_PASSWORD = ("pbids", "tds", "odc", "r", "python")
ENDINGS = {"uri": "txt", "jdbc": "txt", "odbc": "ini", "env": "sh", "r": "R", "python": "py"}


def written(form: str, one: Address) -> str:
    """An address in the words of a client, for its own configuration.

    Args:
        form: a key of FORMS.
        one: the address.

    Raises:
        Refusal: a password was asked for in a form that carries none.
    """
    if one.password is not None and form in NEVER_WITH_PASSWORD:
        raise Refusal(
            "FORM_WITHOUT_PASSWORD",
            f"{form} is a form that people send on, so it never carries a password",
            next_step=f"leave --with-password out; the password is in {one.password_file}",
        )
    return FORMS[form](one)


def file_name(form: str, one: Address) -> str:
    """The name of a file that holds it: the data's kind stands in it, since a .pbids has no other name to show."""
    return f"{one.application}-{one.user.removeprefix('vru_')}.{ENDINGS.get(form, form)}"
