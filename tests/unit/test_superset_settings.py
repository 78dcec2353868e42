"""What Superset's settings let out, and where its pages may turn; they are read as Superset reads them, without it."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from warehouse.platform.settings import PROJECT


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("superset_secret_key", "vru_superset", "vru_analyst", "vru_open", "vru_publisher"):
        (tmp_path / name).write_text(f"of {name}\n", encoding="utf-8")
    monkeypatch.setenv("BI_SECRETS", str(tmp_path))
    monkeypatch.setenv("BI_METADATA", "postgresql+psycopg2://vru_superset@postgres:5432/superset")
    monkeypatch.delenv("BI_SECURE_COOKIES", raising=False)
    return runpy.run_path(str(PROJECT / "bi" / "superset_config.py"))


def test_only_a_readers_password_is_given_and_to_the_warehouses_server_alone(chosen: dict[str, Any]) -> None:
    given = {
        url: chosen["SQLALCHEMY_CUSTOM_PASSWORD_STORE"](make_url(f"postgresql+psycopg2://{url}/vru"))
        for url in (
            "vru_analyst@postgres:5432",
            "vru_open@postgres:5432",
            "vru_publisher@postgres:5432",
            "vru_superset@postgres:5432",
            "superset_secret_key@postgres:5432",
            "vru_analyst@elsewhere:5432",
            "vru_analyst@postgres:5433",
            "postgres:5432",
        )
    }
    assert {url: password for url, password in given.items() if password} == {
        "vru_analyst@postgres:5432": "of vru_analyst",
        "vru_open@postgres:5432": "of vru_open",
    }


def test_its_own_database_is_opened_with_the_password_of_its_file(chosen: dict[str, Any]) -> None:
    url = make_url(chosen["SQLALCHEMY_DATABASE_URI"])
    assert (url.username, url.password, url.host, url.database) == (
        "vru_superset",
        "of vru_superset",
        "postgres",
        "superset",
    )
    assert chosen["SECRET_KEY"] == "of superset_secret_key"


def test_a_page_may_turn_to_its_own_server_alone(chosen: dict[str, Any]) -> None:
    policy = chosen["TALISMAN_CONFIG"]["content_security_policy"]
    places = {place for one in policy.values() for place in ([one] if isinstance(one, str) else one)}
    assert places == {"'self'", "'none'", "blob:", "data:", "'unsafe-inline'", "'unsafe-eval'", "'strict-dynamic'"}
    assert policy["default-src"] == policy["connect-src"] == ["'self'"]
    assert chosen["PUBLIC_ROLE_LIKE"] is None
    assert chosen["AUTH_USER_REGISTRATION"] is False
