"""What must be true of the dashboards: asked of Superset's API and seen in a real browser, beside the same figures by SQL."""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests
from driving import DASHBOARDS, KINDS, Superset, sql, vru
from playwright.sync_api import Page, sync_playwright

LATEST = "from marts.bi_latest_12_months where measure_name = 'Violence with injury'"


def importing_again_doubles_nothing(superset: Superset) -> None:
    before = superset.ids()
    assert [len(before[kind]) for kind in KINDS] == [1, 15, 29, 3], before
    vru("bi", "up", "--json")
    assert superset.ids() == before


def importing_again_puts_a_changed_chart_back(superset: Superset) -> None:
    number = superset.ids()["chart"][0]
    name = superset.api("GET", f"/api/v1/chart/{number}")["result"]["slice_name"]
    superset.api("PUT", f"/api/v1/chart/{number}", json={"slice_name": "spoiled"})
    vru("bi", "up", "--json")
    assert superset.api("GET", f"/api/v1/chart/{number}")["result"]["slice_name"] == name


def every_chart_of_every_dashboard_stands(superset: Superset) -> None:
    for slug, charts in DASHBOARDS.items():
        page = superset.dashboard(slug)
        assert page.locator(".slice_container").count() == charts, f"{slug}: not {charts} charts"
        text = page.locator("body").inner_text()
        for trouble in (
            "Unexpected error",
            "Data error",
            "went wrong",
            "No results were returned",
            "violates the following",
            "Query Error",
        ):
            assert trouble not in text, f"{slug}: {trouble}"
        assert page.locator('[data-test="error-container"], .ant-alert-error').count() == 0, slug
    assert superset.failed == [], superset.failed


def london_shows_what_sql_says(superset: Superset) -> None:
    assert f"{sql(f'select sum(count_12_months)::bigint {LATEST}'):,}" in superset.chart(
        "london", "Twelve months, London's 32 boroughs"
    )
    assert f"{sql(f'select distinct london_rate {LATEST}')}" in superset.chart("london", "Rate of London")
    change = sql(
        f"select round(100.0 * (sum(count_12_months) - sum(count_year_before)) / sum(count_year_before), 1) {LATEST}"
    )
    assert f"{float(change):+,.1f}".replace("-", "\N{MINUS SIGN}") in superset.chart(
        "london", "Change on the twelve months before"
    ).replace("-", "\N{MINUS SIGN}")


def the_map_has_a_square_for_each_borough_with_its_rate(superset: Superset) -> None:
    tiles = superset.dashboard("london").locator(".vru-tile")
    assert tiles.count() == 33, tiles.count()
    shown = [tuple(one.split("\n")) for one in tiles.all_inner_texts() if "City of London" not in one]
    rows = vru("sql", f"select area_name, rate {LATEST}", "--json")
    wanted = {row["area_name"]: float(row["rate"]) for row in rows}
    assert {name: float(rate) for name, rate in shown} == wanted
    colours = {one.evaluate("one => getComputedStyle(one).backgroundColor") for one in tiles.all()}
    assert len(colours) == 6, colours
    places = {tuple(one.bounding_box()[side] for side in ("x", "y")) for one in tiles.all()}
    assert len(places) == 33, "squares lie on one another"


def the_table_has_each_borough(superset: Superset) -> None:
    text = superset.chart("london", "The 32 boroughs, newest twelve months")
    rows = vru("sql", f"select area_name, count_12_months as n {LATEST}", "--json")
    assert len(rows) == 32
    assert [row for row in rows if row["area_name"] not in text or f"{row['n']:,}" not in text] == []


def a_borough_shows_what_sql_says(superset: Superset) -> None:
    of = f"{LATEST} and area_name = 'Lambeth'"
    figures = [
        superset.chart("borough", title).split("\n")
        for title in ("Twelve months", "Rate of the borough", "Rank in London")
    ]
    count, rate, rank = (sql(f"select {one} {of}") for one in ("count_12_months", "rate", "rank_in_london"))
    wanted = [f"{count:,}", f"{float(rate):,.2f}", f"{rank}"]
    assert [one in shown for one, shown in zip(wanted, figures, strict=True)] == [True] * 3, (wanted, figures)


def another_borough_and_measure_may_be_chosen(superset: Superset) -> None:
    page = superset.dashboard("borough")
    choose(page, "Borough", "Croydon")
    choose(page, "Measure", "Robbery of personal property")
    page.get_by_role("button", name="Apply").click()
    count = sql(
        "select count_12_months from marts.bi_latest_12_months where measure_code = 'mps_robbery_personal' and area_name = 'Croydon'"
    )
    deadline = time.monotonic() + 60
    while f"{count:,}" not in superset.chart("borough", "Twelve months") and time.monotonic() < deadline:
        page.wait_for_timeout(300)
    assert f"{count:,}" in superset.chart("borough", "Twelve months"), f"{count:,} is not shown"


def choose(page: Page, label: str, value: str) -> None:
    box = page.locator('[data-test="form-item-value"]').nth({"Borough": 0, "Measure": 1}[label]).locator("input")
    box.click(force=True)  # the value that is chosen lies over it
    box.fill(value)
    page.locator(f'.ant-select-item-option[title="{value}"]').first.click()


def quality_shows_what_sql_says(superset: Superset) -> None:
    fresh = sql("select count(*) from marts.data_status where state = 'fresh'")
    assert f"{fresh}" in superset.chart("quality", "Fresh datasets").split("\n")
    parts = sql("select count(*) from marts.rpt_gap where state <> 'answered'")
    assert f"{parts}" in superset.chart("quality", "Questions without a whole answer").split("\n")


def every_page_and_the_connection_say_that_the_data_are_invented(superset: Superset) -> None:
    (database,) = superset.api("GET", "/api/v1/database/")["result"]
    assert ("SYNTHETIC" in database["database_name"]) == superset.is_synthetic
    for slug in DASHBOARDS:
        page = superset.dashboard(slug)
        assert ("SYNTHETIC" in page.title()) == superset.is_synthetic, page.title()
        banner = page.locator(".vru-banner")
        assert banner.count() == int(superset.is_synthetic), slug
        assert not superset.is_synthetic or banner.is_visible(), slug


def no_request_left_the_machine(superset: Superset) -> None:
    for slug in DASHBOARDS:
        superset.dashboard(slug)
    # The wheel's pages ask for a counter's pixel whatever SCARF_ANALYTICS says, and the browser stops it.
    away = {url for url in superset.asked if not url.startswith((superset.address, "data:", "blob:"))}
    away -= set(superset.stopped)
    assert len(superset.asked) > 100
    assert away == set(), away
    family = [superset.process, *superset.process.children(recursive=True)]
    remote = {one.raddr.ip for process in family for one in process.net_connections() if one.raddr}
    assert remote <= {"127.0.0.1"}, remote


def a_stranger_sees_nothing(superset: Superset) -> None:
    answer = requests.get(f"{superset.address}/superset/dashboard/london/", timeout=60, allow_redirects=False)
    assert answer.status_code == 302, answer.status_code
    assert "/login" in answer.headers["Location"]
    assert requests.get(f"{superset.address}/api/v1/chart/", timeout=60).status_code == 401


@contextlib.contextmanager
def somebody(superset: Superset, *roles: str) -> Iterator[tuple[str, str]]:
    """A user with roles, for as long as the block lasts."""
    known = {
        one["name"]: one["id"] for one in superset.api("GET", "/api/v1/security/roles/?q=(page_size:100)")["result"]
    }
    password = secrets.token_urlsafe(16)
    about = {
        "username": "test-reader",
        "first_name": "T",
        "last_name": "R",
        "email": "t@localhost",
        "active": True,
        "password": password,
    }
    number = superset.api("POST", "/api/v1/security/users/", json=about | {"roles": [known[one] for one in roles]})[
        "id"
    ]
    try:
        yield "test-reader", password
    finally:
        superset.api("DELETE", f"/api/v1/security/users/{number}")


def a_reader_opens_a_dashboard_and_may_ask_nothing_else(superset: Superset) -> None:
    with somebody(superset, "Gamma", "VRU reader") as (user, password):
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {superset.token(user, password)}"
        session.headers["Referer"] = superset.address
        token = session.get(f"{superset.address}/api/v1/security/csrf_token/", timeout=60).json()["result"]
        session.headers["X-CSRFToken"] = token
        seen = session.get(f"{superset.address}/api/v1/dashboard/", timeout=60).json()["result"]
        assert {one["slug"] for one in seen} == set(DASHBOARDS)
        charts = session.get(f"{superset.address}/api/v1/dashboard/london/charts", timeout=60).json()["result"]
        assert len(charts) == DASHBOARDS["london"]
        dataset = charts[0]["form_data"]["datasource"].split("__")[0]
        one = {"col": "measure_name", "op": "==", "val": "Violence with injury"}
        asked = {
            "datasource": {"id": int(dataset), "type": "table"},
            "queries": [{"metrics": ["count"], "columns": [], "filters": [one]}],
        }
        answer = session.post(f"{superset.address}/api/v1/chart/data", json=asked, timeout=60)
        assert answer.ok, answer.text[:300]
        assert answer.json()["result"][0]["data"] == [{"count": sql(f"select sum(count_12_months)::bigint {LATEST}")}]
        (database,) = superset.ids()["database"]
        query = {"database_id": database, "sql": "select 1", "schema": "marts"}
        answer = session.post(f"{superset.address}/api/v1/sqllab/execute/", json=query, timeout=60)
        assert answer.status_code == 403, f"{answer.status_code} {answer.text[:200]}"
        changed = session.put(
            f"{superset.address}/api/v1/chart/{charts[0]['id']}", json={"slice_name": "spoiled"}, timeout=60
        )
        assert changed.status_code == 403, changed.status_code


def the_administrator_can_neither_write_nor_read_raw(superset: Superset) -> None:
    (database,) = superset.ids()["database"]
    for query in ("create table marts.mine (a int)", "select count(*) from raw.mps__borough_recent"):
        answer = superset.session.post(
            f"{superset.address}/api/v1/sqllab/execute/",
            json={"database_id": database, "sql": query, "schema": "marts", "client_id": secrets.token_hex(5)},
            timeout=60,
        )
        assert not answer.ok, f"{query}: {answer.text[:200]}"
        assert (
            "denied" in answer.text or "DML" in answer.text or "not allowed" in answer.text or "mutat" in answer.text
        ), answer.text[:300]


def no_secret_stands_in_its_log_or_its_environment(superset: Superset) -> None:
    home = superset.log.parent.parent
    held = [file.read_text(encoding="utf-8").strip() for file in (home / "secrets").iterdir()]
    told = superset.log.read_text(encoding="utf-8", errors="replace") + json.dumps(superset.process.environ())
    told += json.dumps(superset.process.cmdline())
    assert [secret for secret in held if secret in told] == []


CLAIMS: tuple[Callable[[Superset], None], ...] = (
    importing_again_doubles_nothing,
    importing_again_puts_a_changed_chart_back,
    every_chart_of_every_dashboard_stands,
    london_shows_what_sql_says,
    the_map_has_a_square_for_each_borough_with_its_rate,
    the_table_has_each_borough,
    a_borough_shows_what_sql_says,
    another_borough_and_measure_may_be_chosen,
    quality_shows_what_sql_says,
    every_page_and_the_connection_say_that_the_data_are_invented,
    a_stranger_sees_nothing,
    a_reader_opens_a_dashboard_and_may_ask_nothing_else,
    the_administrator_can_neither_write_nor_read_raw,
    no_secret_stands_in_its_log_or_its_environment,
    no_request_left_the_machine,
)


def main() -> int:
    """Checks every claim, also after one has failed. Exit status 1 when any has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--screenshots", required=True, type=Path)
    given = parser.parse_args()
    given.screenshots.mkdir(parents=True, exist_ok=True)
    failed = 0
    with sync_playwright() as playwright:
        # Names of other machines lead nowhere, so that what slipped through would be seen and would reach nobody.
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        superset = Superset(
            playwright.chromium.launch(executable_path=given.browser, args=arguments), given.screenshots
        )
        for claim in CLAIMS:
            words = claim.__name__.replace("_", " ")
            try:
                claim(superset)
            except Exception as error:  # noqa: BLE001  a claim that crashes is one that does not hold; the others are still looked at
                failed += 1
                print(f"FAILED  {words}\n        {type(error).__name__}: {error}", flush=True)
            else:
                print(f"ok      {words}", flush=True)
        family = [superset.process, *superset.process.children(recursive=True)]
        print(f"\nSuperset takes {sum(one.memory_info().rss for one in family) / 2**20:.0f} MiB")
        superset.browser.close()
    print(f"bi-test: {len(CLAIMS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
