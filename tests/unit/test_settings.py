"""Settings are read once, and everything that is wrong with them is said together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ingest.errors import Refusal
from warehouse.settings import PROJECT, Settings, read_settings


def test_without_any_setting_the_home_is_var_and_the_server_embedded() -> None:
    settings = read_settings({"PATH": "/bin"})
    assert settings.home == PROJECT / "var"
    assert settings.is_embedded


def test_every_wrong_setting_is_named_in_one_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_settings(
            {
                "VRU_HOM": "x",
                "VRU_DATABASE_URL": "mysql://x",
                "VRU_CA_BUNDLE_FILE": str(tmp_path / "absent"),
                "VRU_TODAY": "yesterday",
            }
        )
    told = str(refused.value)
    for name in ("VRU_HOM is not a setting", "VRU_DATABASE_URL", "VRU_CA_BUNDLE_FILE", "VRU_TODAY"):
        assert name in told


def test_a_secret_comes_from_a_file_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://admin:hunter22@db/vru\n")
    settings = read_settings({"VRU_DATABASE_URL_FILE": str(file)})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://admin:hunter22@db/vru"
    assert "hunter22" not in repr(settings)


def test_a_wrong_secret_is_not_shown_in_the_refusal() -> None:
    with pytest.raises(Refusal) as refused:
        read_settings({"VRU_DATABASE_URL": "mysql://admin:hunter22@db/vru"})
    assert "hunter22" not in str(refused.value)


def test_a_set_day_is_the_day_of_every_clock() -> None:
    settings = Settings(today=dt.date(2026, 3, 1))
    assert settings.now().date() == dt.date(2026, 3, 1)
    assert settings.london_date() == dt.date(2026, 3, 1)


def test_the_example_lists_every_setting() -> None:
    listed = {
        line.split("=")[0].lstrip("# ").strip()
        for line in (PROJECT / ".env.example").read_text(encoding="utf-8").splitlines()
        if line.lstrip("# ").startswith("VRU_")
    }
    assert {f"VRU_{name.upper()}" for name in Settings.model_fields} <= listed
