"""The site of a home in a real browser: accessible, whole, quiet, readable without scripts and on a narrow screen, its charts as the marts say."""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections import defaultdict
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

WIDTHS = (1280, 320)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
Found = dict[str, list[str]]  # what is wrong, by claim

# Of each drawing that is shown: whether it is an image with a name, beside a table or in a cell of one.
UNNAMED = """() => [...document.querySelectorAll('svg')].filter(s => !(s.getAttribute('role') === 'img'
    && (document.getElementById(s.getAttribute('aria-labelledby'))?.textContent.trim() || s.getAttribute('aria-label'))
    && (s.closest('table') || s.closest('section.figure')?.querySelector('table')))).length"""
# Rows of a table are alike: the rules take seconds for a thousand of them and find in five what they would in all.
SHORTENED = "() => document.querySelectorAll('tbody > tr:nth-child(n+6)').forEach(row => row.remove())"
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What the keyboard must come to: each control that is shown, and each region that scrolls.
CONTROLS = """() => [...document.querySelectorAll('a[href], button, select, summary, [tabindex="0"]')]
    .filter(e => e.checkVisibility() && e.tabIndex >= 0).length"""
FOCUSED = "() => { if (document.activeElement !== document.body) document.activeElement.dataset.reached = 1; }"
TABS = 60  # of a page
SHAPES = """() => [...document.querySelectorAll('section.figure[id^="map"] .drawing')].filter(d => d.checkVisibility()).map(d => {
    const frame = d.querySelector('svg').getBoundingClientRect();
    const shapes = [...d.querySelectorAll('svg .area')].map(s => s.getBoundingClientRect());
    return [shapes.length, Math.max(...shapes.map(s => s.width * s.height)) / (frame.width * frame.height)];
})"""
RULED = """() => [...document.querySelectorAll('section.figure')].filter(s => /^(control|rolling)-/.test(s.id))
    .map(s => [s.id, ...['wide', 'narrow'].map(w => s.querySelectorAll(`.${w} svg .break`).length)])"""


def main() -> int:
    """Look at every page of a site that is served, and say what is wrong. Exit status 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--site", required=True, type=Path, help="its folder")
    parser.add_argument("--address", required=True, help="where it is shown")
    parser.add_argument(
        "--areas", default="", help="folders of packs, such as hackney,sutton; all where it is left out"
    )
    asked = parser.parse_args()
    areas = set(filter(None, asked.areas.split(",")))
    pages = sorted(
        str(file.relative_to(asked.site))
        for file in asked.site.rglob("*.html")
        if not areas or len(file.relative_to(asked.site).parts) < 3 or file.parent.name in areas
    )
    found: Found = defaultdict(list)
    begun = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.browser, args=["--no-sandbox"])
        for width in WIDTHS:
            look(browser, asked.address, pages, width, found)
        without_scripts(browser, asked.address, pages, found)
        by_keyboard(browser, asked.address, [page for page in pages if is_first(page, pages)], found)
        maps_and_breaks(browser, asked.address, asked.site, pages, found)
        browser.close()
    for claim, places in found.items():
        print(f"{claim}: {len(places)}")
        for place in places[:12]:
            print(f"    {place}")
    print(
        f"{len(pages)} pages at {' and '.join(map(str, WIDTHS))} px in {time.monotonic() - begun:.0f} s: {'FAILED' if found else 'every claim holds'}"
    )
    return 1 if found else 0


def is_first(page: str, pages: list[str]) -> bool:
    """Whether it is of the first pack of its edition, or of none: the keyboard's way is by the template."""
    first = next((one for one in pages if one.startswith(f"{page.partition('/')[0]}/") and one.count("/") == 2), "")
    return page.count("/") < 2 or page.rpartition("/")[0] == first.rpartition("/")[0]


def look(browser: Browser, address: str, pages: list[str], width: int, found: Found) -> None:
    """Each page at a width, details open: WCAG, names of drawings, what the page asks for and says, and whether it scrolls sideways."""
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    here = [""]
    page.on(
        "console",
        lambda said: said.type == "error" and found["errors on the console"].append(f"{here[0]}: {said.text}"),
    )
    page.on("pageerror", lambda error: found["errors on the console"].append(f"{here[0]}: {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:"))
            else found["requests elsewhere"].append(f"{here[0]}: {request.url}")
        ),
    )
    axe = Axe()
    for name in pages:
        here[0] = f"{name} at {width}"
        page.goto(address + name)
        page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
        if unnamed := page.evaluate(UNNAMED):
            found["drawings without a name or a table"].append(f"{here[0]}: {unnamed}")
        if (wide := page.evaluate(WIDE)) > 0:
            found["pages that scroll sideways"].append(f"{here[0]}: by {wide} px")
        page.evaluate(SHORTENED)
        for violation in axe.run(page, options=RULES).response["violations"]:
            where = "; ".join(str(node["target"]) for node in violation["nodes"][:2])
            found[f"WCAG: {violation['id']}"].append(f"{here[0]}: {len(violation['nodes'])} x, {where}")
    page.context.close()


def without_scripts(browser: Browser, address: str, pages: list[str], found: Found) -> None:
    """Nothing is hidden that a script would have to show: as many headings, tables and drawings are visible without as with scripts and more."""
    shown = "() => ['h1', 'h2', 'table', 'svg'].map(t => [...document.querySelectorAll(t)].filter(e => e.checkVisibility()).length)"
    with_scripts = browser.new_context().new_page()
    without = browser.new_context(java_script_enabled=False).new_page()
    for name in pages:
        if not is_first(name, pages):
            continue
        counts = []
        for page in (with_scripts, without):
            page.goto(address + name)
            counts.append(page.evaluate(shown))
        if any(less < more for more, less in zip(*counts, strict=True)):
            found["less to read without scripts"].append(f"{name}: {counts[0]} with, {counts[1]} without")
    with_scripts.context.close()
    without.context.close()


def by_keyboard(browser: Browser, address: str, pages: list[str], found: Found) -> None:
    """Each Tab comes to a control that it has not come to before, until there is none left; of a long page the first are enough."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    for name in pages:
        page.goto(address + name)
        wanted = min(page.evaluate(CONTROLS), TABS)
        for _ in range(wanted):
            page.keyboard.press("Tab")
            page.evaluate(FOCUSED)
        reached = page.evaluate("() => document.querySelectorAll('[data-reached]').length")
        if reached < wanted:
            found["controls that the keyboard does not reach"].append(f"{name}: {reached} of {wanted}")
    page.context.close()


def maps_and_breaks(browser: Browser, address: str, site: Path, pages: list[str], found: Found) -> None:
    """Maps have London's 33 shapes, none large; lines are cut at the rows of the mart that cut, and nowhere else."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    for name in pages:
        if not name.endswith(("compared.html", "trend.html", "/index.html")):
            continue
        page.goto(address + name)
        for shapes, largest in page.evaluate(SHAPES):
            if shapes != 33 or largest > 0.2:
                found["maps that are not London's"].append(
                    f"{name}: {shapes} shapes, the largest {largest:.0%} of the frame"
                )
        for key, wide, narrow in page.evaluate(RULED):
            if (cuts := cuts_of(site / name, key)) is not None and not wide == narrow == cuts:
                found["lines cut elsewhere than the mart says"].append(
                    f"{name} {key}: {wide} and {narrow} rules, {cuts} cuts"
                )
    page.context.close()


def cuts_of(page: Path, key: str) -> int | None:
    """In how many months a figure's rows are cut, after the first that is drawn; None where it has no rows."""
    file = page.parent / "data" / f"{key}.csv"
    if not file.exists():
        return None
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    value = (
        "month_count"
        if "month_count" in rows[0]
        else "rate"
        if any(row["rate"] for row in rows)
        else "rolling_12_count"
    )
    drawn = [row for row in rows if row["is_cut"] == "True" or (row[value] and row.get("holds_break") != "True")]
    first = next((at for at, row in enumerate(drawn) if row[value] and row.get("holds_break") != "True"), 0)
    return sum(row["is_cut"] == "True" for row in drawn[max(first, 1) :])


if __name__ == "__main__":
    sys.exit(main())
