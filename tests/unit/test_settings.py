"""Settings are read once, and everything that is wrong with them is said together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.refused import refused_with
from warehouse.platform.settings import PROJECT, Settings, read_settings
from warehouse.steps import publishers


def test_without_any_setting_the_home_is_var_and_the_server_embedded() -> None:
    settings = read_settings({"PATH": "/bin"})
    assert settings.home == PROJECT / "var"
    assert settings.is_embedded


def test_every_wrong_setting_is_named_in_one_refusal(tmp_path: Path) -> None:
    with refused_with("SETTINGS_INVALID") as refused:
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
    with refused_with("SETTINGS_INVALID") as refused:
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
    named = Settings.model_fields.keys() - {"publisher_keys"} | {"nomis_key", "safestats_key"}
    assert {f"VRU_{name.upper()}" for name in named} == listed
    assert read_settings(dict.fromkeys(listed, "")) == read_settings({})


def test_a_publishers_key_comes_from_the_environment_before_the_file_of_this_home_and_is_not_shown(
    tmp_path: Path,
) -> None:
    home = {"VRU_HOME": str(tmp_path)}
    assert publishers.key_of(read_settings(home), "nomis") is None
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "nomis_key").write_text("0xFILE\n")
    assert publishers.key_of(read_settings(home), "nomis") == "0xFILE"
    given = read_settings({**home, "VRU_NOMIS_KEY": "0xGIVEN"})
    assert publishers.key_of(given, "nomis") == "0xGIVEN"
    assert publishers.key_of(given, "safestats") is None
    for shown in (repr(given), str(given), str(given.model_dump()), given.model_dump_json()):
        assert "0xGIVEN" not in shown
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("0xELSEWHERE\n")
    assert publishers.key_of(read_settings({**home, "VRU_NOMIS_KEY_FILE": str(elsewhere)}), "nomis") == ("0xELSEWHERE")


def test_a_key_of_what_is_no_source_is_no_setting_and_is_not_shown() -> None:
    with refused_with("SETTINGS_INVALID") as refused:
        read_settings({"VRU_NOMI_KEY": "0xGIVEN"})
    assert "0xGIVEN" not in str(refused.value)
    assert "VRU_NOMIS_KEY" in str(refused.value)


def test_other_machines_are_not_let_in_without_a_certificate_its_key_or_good_addresses(tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    file.touch()
    whole = {
        "VRU_DATABASE_LISTEN": "10.0.0.5, 10.0.0.6",
        "VRU_DATABASE_CLIENTS": "10.0.0.0/24,samenet",
        "VRU_DATABASE_TLS_CERTIFICATE": str(file),
        "VRU_DATABASE_TLS_KEY": str(file),
    }
    settings = read_settings(whole)
    assert settings.database_listen == ("10.0.0.5", "10.0.0.6")
    assert settings.database_clients == ("10.0.0.0/24", "samenet")
    for name, value in (
        ("VRU_DATABASE_TLS_CERTIFICATE", ""),
        ("VRU_DATABASE_TLS_KEY", str(tmp_path / "absent")),
        ("VRU_DATABASE_LISTEN", "office"),
        ("VRU_DATABASE_CLIENTS", "0.0.0.0/0 scram-sha-256"),
        ("VRU_DATABASE_CLIENTS", "10.0.0.5/24"),
    ):
        with refused_with("SETTINGS_INVALID", match=name):
            read_settings({**whole, name: value})
    with refused_with("SETTINGS_INVALID", match="VRU_DATABASE_LISTEN"):
        read_settings({**whole, "VRU_DATABASE_URL": "postgresql://host/vru"})
