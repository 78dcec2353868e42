"""Building, judging and publishing what a test's warehouse has loaded, as `vru build` does."""

from __future__ import annotations

import os

import pytest

from warehouse import night
from warehouse.connection import ADMIN, connect
from warehouse.settings import Settings, settings


def build_and_publish(warehouse: Settings) -> bool:
    """Whether the marts now hold what is loaded. The steps read their settings from the environment, as they do at night."""
    assert warehouse.database_url is not None
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("VRU_")]:
            patch.delenv(name)
        patch.setenv("VRU_HOME", str(warehouse.home))
        patch.setenv("VRU_SECRETS_DIR", str(warehouse.secrets))
        patch.setenv("VRU_DATABASE_URL", warehouse.database_url.get_secret_value())
        settings.cache_clear()
        try:
            is_published = night.build_and_publish(warehouse, print)
        finally:
            settings.cache_clear()
    if not is_published:
        with connect(warehouse, ADMIN) as connection:
            print(connection.execute("select body from ops.alert order by alert_id desc limit 1").fetchone())
    return is_published
