"""A channel of alerts that nothing can be made of is named before an alert is lost by it."""

from __future__ import annotations

from pathlib import Path

from warehouse import alerts
from warehouse.platform.settings import read_settings


def test_a_channel_that_cannot_be_used_is_named_without_its_address(tmp_path: Path) -> None:
    def unusable(urls: str) -> list[str]:
        return alerts.unusable(read_settings({"VRU_HOME": str(tmp_path), "VRU_ALERT_URLS": urls}))

    assert unusable("https://hooks.example/services/abc mailtos://user:word@example.org") == []
    assert unusable("https://hooks.example/services/abc slack://secret") == ["slack"]
