"""Settings: read once, checked at the start, and what is wrong is listed all together."""

from __future__ import annotations

import datetime as dt
import grp
import ipaddress
import json
import os
import re
import zoneinfo
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ingest.declaration import SOURCES, read_sources
from ingest.errors import Refusal

PROJECT = Path(__file__).resolve().parents[2]
PREFIX = "VRU_"
LONDON = zoneinfo.ZoneInfo("Europe/London")


def _http_url(value: str) -> str:
    if value and urlsplit(value).scheme not in {"http", "https"}:
        raise ValueError("must be an http or https address")
    return value


def _postgres_url(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must be a postgresql:// address")
    try:
        parts.port  # noqa: B018 - looking is what raises
    except ValueError:
        raise ValueError("has a port that is no number from 0 to 65535") from None
    return value


def _alert_urls(value: SecretStr) -> SecretStr:
    for number, url in enumerate(value.get_secret_value().split(), 1):
        if not re.match(r"[a-z][a-z0-9]*://\S", url, re.IGNORECASE):
            raise ValueError(f"must be addresses with spaces between, such as mailtos://…; number {number} is none")
    return value


def _addresses(value: object) -> object:
    """ "10.0.0.5, 10.0.0.6" as its parts."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _listen(value: tuple[str, ...]) -> tuple[str, ...]:
    for address in value:
        if address != "*":
            ipaddress.ip_address(address)
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        if network not in {"samenet", "samehost", "all"}:
            ipaddress.ip_network(network)
    return value


Addresses = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_addresses)]
AlertUrls = Annotated[SecretStr, AfterValidator(_alert_urls)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]


class Settings(BaseSettings):
    """Everything that differs between one home of the warehouse and another. `.env.example` is the full list."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    home: Path = PROJECT / "var"
    database_url: PostgresUrl | None = None
    airflow_database_url: PostgresUrl | None = None
    database_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "verify-full"
    database_port: Annotated[int, Field(ge=0, le=65535)] = 0
    database_listen: Annotated[Addresses, AfterValidator(_listen)] = ()
    database_clients: Annotated[Addresses, AfterValidator(_networks)] = ("samenet",)
    database_tls_certificate: Path | None = None
    database_tls_key: Path | None = None
    postgres_programs: Path | None = None
    secrets_dir: Path | None = None
    group: str = ""
    backup_dir: Path | None = None
    alert_urls: AlertUrls = SecretStr("")
    alert_webhook: HttpUrl = ""  # the older name: one webhook, sent to beside alert_urls
    ca_bundle: Path | None = None
    base_urls: dict[str, HttpUrl] = {}
    inbox_url: str = ""
    today: dt.date | None = None
    airflow_port: Annotated[int, Field(ge=0, le=65535)] = 0
    bi_port: Annotated[int, Field(ge=0, le=65535)] = 0
    site_after_night: bool = True  # whether the site is built
    # By source. VRU_<SOURCE>_KEY gives each, so that a new source needs no line here.
    publisher_keys: dict[str, SecretStr] = {}

    @model_validator(mode="after")
    def _files_are_there(self) -> Self:
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            raise ValueError(f"VRU_CA_BUNDLE names {self.ca_bundle}, which is not a file")
        return self

    @model_validator(mode="after")
    def _open_door_has_tls(self) -> Self:
        if not self.database_listen:
            return self
        if self.database_url is not None:
            raise ValueError("VRU_DATABASE_LISTEN is of the embedded server, and VRU_DATABASE_URL names another")
        for name in ("database_tls_certificate", "database_tls_key"):
            file = getattr(self, name)
            if file is None or not file.is_file():
                raise ValueError(
                    f"VRU_DATABASE_LISTEN lets other machines in, by TLS alone: {PREFIX}{name.upper()} has to name a file"
                )
        return self

    @model_validator(mode="after")
    def _group_is_known(self) -> Self:
        if self.group:
            try:
                self.group_id()
            except KeyError:
                raise ValueError(f"VRU_GROUP names {self.group}, which is no group of this machine") from None
        return self

    def group_id(self) -> int | None:
        """The group that may read the home; None where none is declared."""
        return grp.getgrnam(self.group).gr_gid if self.group else None

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def inbox(self) -> Path:
        return self.home / "inbox"

    @property
    def secrets(self) -> Path:
        return self.secrets_dir or self.home / "secrets"

    @property
    def is_embedded(self) -> bool:
        return self.database_url is None

    def now(self) -> dt.datetime:
        """This moment (UTC, aware), on the day VRU_TODAY where a test has set one."""
        moment = dt.datetime.now(dt.UTC)
        return dt.datetime.combine(self.today, moment.timetz()) if self.today else moment

    def london_date(self) -> dt.date:
        """The day in London."""
        return self.today or self.now().astimezone(LONDON).date()


def read_settings(environment: dict[str, str]) -> Settings:
    """Settings from environment variables.

    Args:
        environment: names and values; those that begin with VRU_ count. VRU_<NAME>_FILE gives the value from a file,
            VRU_<SOURCE>_KEY the key that a publisher gave us.

    Raises:
        Refusal: naming every unknown, unreadable or invalid setting at once.
    """
    problems: list[str] = []
    values: dict[str, str] = {}
    keys = {f"{file.parent.name}_key": file.parent.name for file in sorted(SOURCES.glob("*/source.yml"))}
    known = {*Settings.model_fields, *keys} - {"publisher_keys"}
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or not value:
            continue
        field = name.removeprefix(PREFIX).lower()
        if field in known:
            values[field] = value
        elif field.endswith("_file") and field.removesuffix("_file") in known:
            try:
                values[field.removesuffix("_file")] = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{name} names a file that cannot be read ({error.strerror})")
            except UnicodeDecodeError:
                problems.append(f"{name} names a file that is not UTF-8 text")
        else:
            problems.append(f"{name} is not a setting")
    given: dict[str, object] = {name: value for name, value in values.items() if name not in keys}
    given["publisher_keys"] = {keys[name]: value for name, value in values.items() if name in keys}
    if "base_urls" in values:
        try:
            given["base_urls"] = json.loads(values["base_urls"])
        except ValueError:
            problems.append('VRU_BASE_URLS is not JSON such as {"mps": "https://mirror.example"}')
            del given["base_urls"]
        else:
            unknown = (
                sorted(set(given["base_urls"]) - set(read_sources())) if isinstance(given["base_urls"], dict) else []
            )
            problems += [f"VRU_BASE_URLS names {name!r}, which is no source" for name in unknown]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for item in error.errors():
            name = "".join(f"{PREFIX}{part.upper()} " for part in item["loc"] if isinstance(part, str))
            problems.append(f"{name}{item['msg'].removeprefix('Value error, ')}")
    if problems:
        raise Refusal(
            "SETTINGS_INVALID",
            "the settings are wrong: " + "; ".join(problems),
            next_step=f"correct the environment; the settings are {', '.join(PREFIX + f.upper() for f in sorted(known))}",
        )
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})


@cache
def settings() -> Settings:
    """The settings of this process, read from its environment once."""
    return read_settings(dict(os.environ))
