"""Superset of a home as its users meet it: through its API, in a real browser, and the same figures by SQL."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import requests
from playwright.sync_api import Browser, Page, TimeoutError

VRU = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "vru"
DASHBOARDS = {"london": 10, "borough": 9, "quality": 10}  # by slug: how many charts each has
KINDS = ("database", "dataset", "chart", "dashboard")
LOADED_WITHIN_S = 90


class Superset:
    """Superset of a home, asked through its API as the administrator, and its dashboards as the browser shows them."""

    def __init__(self, browser: Browser, screenshots: Path) -> None:
        self.browser = browser
        self.screenshots = screenshots
        self.address = vru("bi", "up", "--json")["address"]
        home = Path(vru("setup", "--json")["home"])
        self.password = (home / "secrets" / "superset_admin_password").read_text(encoding="utf-8").strip()
        pid, _ = json.loads((home / "bi" / "process.json").read_text(encoding="utf-8"))
        self.process = psutil.Process(pid)
        self.log = home / "bi" / "superset.log"
        self.is_synthetic = sql("select data_kind from marts.publication where is_current") == "synthetic"
        self.asked: list[str] = []  # addresses the pages asked
        self.stopped: list[
            str
        ] = []  # of those, what the browser stopped before it left, as Superset's Content-Security-Policy says
        self.failed: list[str] = []  # of those, what was answered with an error
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token('admin', self.password)}"
        self.session.headers["X-CSRFToken"] = self.api("GET", "/api/v1/security/csrf_token/")["result"]
        self.session.headers["Referer"] = self.address
        self.pages: dict[str, Page] = {}

    def token(self, user: str, password: str) -> str:
        who = {"username": user, "password": password, "provider": "db"}
        answer = requests.post(f"{self.address}/api/v1/security/login", json=who, timeout=60)
        assert answer.ok, answer.text
        return str(answer.json()["access_token"])

    def api(self, method: str, path: str, **more: Any) -> Any:
        answer = self.session.request(method, f"{self.address}{path}", timeout=120, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def ids(self) -> dict[str, list[int]]:
        return {kind: sorted(self.api("GET", f"/api/v1/{kind}/?q=(page_size:1000)")["ids"]) for kind in KINDS}

    def log_in(self, user: str, password: str) -> Page:
        page = self.browser.new_context(viewport={"width": 1500, "height": 4000}).new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on(
            "response",
            lambda answer: self.failed.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
        )
        page.on("requestfailed", lambda request: self.stopped.append(request.url) if request.failure == "csp" else None)
        # Again where the form was sent before the page that Superset has just begun to serve could keep the session.
        for _ in range(3):
            page.goto(f"{self.address}/login/")
            page.fill("input#username", user)
            page.fill("input#password", password)
            page.keyboard.press("Enter")
            page.wait_for_timeout(1000)
            with contextlib.suppress(TimeoutError):
                page.wait_for_url(lambda url: "/login" not in url, timeout=LOADED_WITHIN_S * 1000 / 3)
            if page.request.get(f"{self.address}/api/v1/me/").status == 200:
                return page
        raise AssertionError(f"{user} could not log in")

    def open(self, page: Page, slug: str) -> float:
        """Open a dashboard and wait until all its charts stand; gives the seconds it took."""
        begun = time.monotonic()
        page.goto(f"{self.address}/superset/dashboard/{slug}/")
        chart = page.locator('[data-test="dashboard-component-chart-holder"]')
        while time.monotonic() - begun < LOADED_WITHIN_S:
            page.wait_for_timeout(200)
            loading = page.locator('[data-test="loading-indicator"], .loading').count()
            if (
                chart.count() >= DASHBOARDS[slug]
                and not loading
                and page.locator(".slice_container").count() >= DASHBOARDS[slug]
            ):
                break
        taken = time.monotonic() - begun
        page.wait_for_timeout(1500)  # charts draw themselves in
        return taken

    def dashboard(self, slug: str) -> Page:
        """A dashboard as the administrator sees it, opened once and kept as a picture."""
        if slug not in self.pages:
            page = self.log_in("admin", self.password)
            seconds = self.open(page, slug)
            print(f"        {slug} stood after {seconds:.1f} s", flush=True)
            page.screenshot(path=self.screenshots / f"{slug}.png", full_page=True)
            self.pages[slug] = page
        return self.pages[slug]

    def chart(self, slug: str, title: str) -> str:
        """The text of a chart, by its title."""
        page = self.dashboard(slug)
        holder = page.locator('[data-test="dashboard-component-chart-holder"]')
        found = holder.filter(has=page.get_by_text(title, exact=True))
        assert found.count() == 1, f"{found.count()} charts have the title {title!r}"
        return str(found.inner_text())


def vru(*arguments: str) -> Any:
    done = subprocess.run([VRU, *arguments], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sql(query: str) -> Any:
    """The one value of a query, by the warehouse's own way."""
    (row,) = vru("sql", query, "--json")
    (value,) = row.values()
    return value
