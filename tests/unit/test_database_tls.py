"""A database on another machine is reached by TLS, its certificate verified, unless somebody says otherwise; on this one as it is."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from warehouse.airflow import program
from warehouse.platform.connection import LOADER, parameters, url
from warehouse.platform.settings import Settings, read_settings


def reached(folder: Path, address: str, **more: str) -> Settings:
    (folder / "secrets").mkdir(exist_ok=True)
    for role in (LOADER, "vru_airflow"):
        (folder / "secrets" / role).write_text("x", encoding="utf-8")
    return read_settings({"VRU_HOME": str(folder), "VRU_DATABASE_URL": address, **more})


def mode_of(settings: Settings) -> tuple[str | None, str | None]:
    found = parameters(settings, LOADER)
    return found.get("sslmode"), found.get("sslrootcert")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_this_machine_is_reached_as_it_is(tmp_path: Path, host: str) -> None:
    assert mode_of(reached(tmp_path, f"postgresql://{host}:5432/vru")) == (None, None)


def test_a_folder_of_sockets_is_this_machine(tmp_path: Path) -> None:
    assert mode_of(reached(tmp_path, "postgresql:///vru?host=/run/postgresql")) == (None, None)


@pytest.mark.parametrize("host", ["db.example.org", "db", "10.1.2.3", "localhost.example.org"])
def test_another_machine_is_verified_by_the_public_authorities(tmp_path: Path, host: str) -> None:
    assert mode_of(reached(tmp_path, f"postgresql://{host}:5432/vru")) == ("verify-full", certifi.where())


def test_the_authority_of_the_house_takes_the_place_of_the_public_ones(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    settings = reached(tmp_path, "postgresql://db.example.org/vru", VRU_CA_BUNDLE=str(bundle))
    assert mode_of(settings) == ("verify-full", str(bundle))


def test_what_somebody_says_is_done(tmp_path: Path) -> None:
    assert mode_of(reached(tmp_path, "postgresql://db.example.org/vru?sslmode=require")) == ("require", None)
    assert mode_of(reached(tmp_path, "postgresql://db/vru", VRU_DATABASE_SSLMODE="disable")) == ("disable", None)
    given = reached(tmp_path, "postgresql://db/vru?sslmode=verify-ca&sslrootcert=/etc/ours.pem")
    assert mode_of(given) == ("verify-ca", "/etc/ours.pem")


def test_airflows_second_driver_is_told_in_its_own_words(tmp_path: Path) -> None:
    address = url(reached(tmp_path, "postgresql://db.example.org/vru"), "vru_airflow", scheme="postgresql+psycopg2")
    assert program._for_asyncpg(address) == {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": "postgresql+asyncpg://vru_airflow:x@db.example.org:5432/airflow?ssl=verify-full",
        "PGSSLROOTCERT": certifi.where(),
    }
    here = "postgresql+psycopg2://u:x@/airflow?host=%2Ftmp%2Fs&port=5"
    assert program._for_asyncpg(here) == {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": here.replace("psycopg2", "asyncpg")
    }
