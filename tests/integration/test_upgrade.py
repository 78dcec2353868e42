"""A home that the project of 23 November 2026 made, brought up to date (tests/fixtures/README.md says what it holds)."""

from __future__ import annotations

import lzma
import shutil
from pathlib import Path

import pytest

from tests.builds import build_and_publish
from tests.conftest import Server, new_warehouse
from warehouse.home import dump, setup
from warehouse.platform import migrations
from warehouse.platform.connection import ADMIN, ANALYST, connect
from warehouse.platform.settings import Settings

OLD = Path(__file__).parent.parent / "fixtures" / "home_of_2026_11_23"
KEPT = {
    "loads": """select load_id, source, dataset, release_date, sha256, file_name, landed_path, state, rows_loaded, reason
                from ops.load order by load_id""",
    "withdrawals": "select load_id, withdrawn_by, reason from ops.withdrawal order by load_id",
    "alerts": "select run_id, kind, subject, body from ops.alert order by alert_id",
    "releases": "select release_id, candidate_id, verdict, state, published_at from ops.release order by release_id",
    "first release": "select sum(hashtextextended(t::text, 0)::numeric) from marts_history.fct_measure_as_of(1) as t",
}
MEASURES = """select measure_code, area_code, period_kind, period_start_date, sex, age_band, ethnicity, value, numerator,
                  denominator from marts.fct_measure order by 1, 2, 3, 4, 5, 6, 7"""


def ask(settings: Settings, query: str, role: str = ADMIN) -> list[tuple[object, ...]]:
    with connect(settings, role) as connection:
        return connection.execute(query.encode()).fetchall()


def marts(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    names = ask(settings, "select tablename from pg_tables where schemaname = 'marts' order by 1")
    return {
        str(name): ask(settings, f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from marts.{name} as t")
        for (name,) in names
    }


@pytest.mark.timeout(1200)
def test_an_old_home_keeps_what_it_holds_and_builds_the_same_measures(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "database.dump"
    file.write_bytes(lzma.decompress((OLD / "database.dump.xz").read_bytes()))
    with new_warehouse(server, tmp_path) as settings:
        dump.fill(settings, file)
        shutil.copytree(OLD / "landing", settings.landing, dirs_exist_ok=True)
        kept = {name: ask(settings, query) for name, query in KEPT.items()}
        published, measures = marts(settings), ask(settings, MEASURES)
        assert [len(kept[name]) for name in ("loads", "withdrawals", "alerts", "releases")] == [4, 1, 1, 2]
        assert len(published) == 27
        assert measures

        setup.set_up(settings)
        assert ask(settings, "select number from ops.migration order by 1") == [
            (one.number,) for one in migrations.migrations()
        ]
        assert {name: ask(settings, query) for name, query in KEPT.items()} == kept
        assert {name: rows for name, rows in marts(settings).items() if name in published} == published
        assert ask(settings, "select why from marts.data_status where dataset = 'borough_recent'", ANALYST)

        # The withdrawn file is left out, so the marts come to what the file before it said: the newest release.
        assert build_and_publish(settings)
        assert ask(settings, MEASURES) == measures
        assert ask(settings, KEPT["first release"].replace("fct_measure", "dim_borough")) != [(None,)]
        assert ask(settings, KEPT["loads"])[:4] == kept["loads"]
