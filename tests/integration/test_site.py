"""The site: pages whose figures are the marts', built whole or not at all, and again only where something has changed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import site_values
from tests.homes import Home
from tests.site_pages import BuiltSite, OpenAgain, Tables
from warehouse import runs, site
from warehouse.platform.connection import ANALYST, OPEN
from warehouse.site import charts, formats, reading, rendering
from warehouse.site.topics import TOPICS

HACKNEY = "E09000012"
WITH_FILES = ("hackney",)  # the files of all 32 take a minute, and are alike


@pytest.fixture(scope="module")
def built(first_night: Home, tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    folder = tmp_path_factory.mktemp("site") / "site"
    return BuiltSite(first_night, folder, site.build(first_night.settings, out=folder, files_of=WITH_FILES))


@pytest.fixture(scope="module")
def open_again(built: BuiltSite, tmp_path_factory: pytest.TempPathFactory) -> OpenAgain:
    """The open edition, which takes a third of the time, written once more in another folder; and as which roles it was read."""
    folder, roles = tmp_path_factory.mktemp("again") / "site", []
    connect = reading.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "connect", lambda settings, role: [roles.append(role), connect(settings, role)][1])
        site.build(built.home.settings, out=folder, editions=("open",), files_of=WITH_FILES)
    return OpenAgain(folder, roles)


def pages(built: BuiltSite, edition: str) -> list[Path]:
    return sorted((built.folder / edition).rglob("*.html"))


def test_every_borough_has_the_thirteen_pages_in_both_editions(built: BuiltSite) -> None:
    slugs = {f"{topic.slug}.html" for topic in TOPICS}
    assert len(slugs) == 13
    for edition in ("open", "partner"):
        packs = {
            file.parent.name: {page.name for page in file.parent.glob("*.html")}
            for file in pages(built, edition)
            if file.parent != built.folder / edition
        }
        assert len(packs) == 32
        assert set(map(frozenset, packs.values())) == {frozenset(slugs)}
        assert (built.folder / edition / "index.html").is_file()


def test_ranks_and_rates_on_a_page_are_the_marts(built: BuiltSite) -> None:
    rows = built.home.rows(
        """select m.area_name, m.rank_in_london, m.window_count, m.rate, m.rate_lower_95, m.rate_upper_95 from marts.rpt_borough_measure as m
           inner join marts.bi_latest_12_months as n
               on m.area_code = n.area_code and m.measure_code = n.measure_code and m.window_end_date = n.period_end_date
           where m.measure_code = 'mps_violence_with_injury' and m.window_kind = 'rolling_12' and m.sex = 'all' and m.age_band = 'all'"""
    )
    expected = sorted(
        [name, f"{rank}", f"{count:,}", *map(formats.rate, (rate, lower, upper))]
        for name, rank, count, rate, lower, upper in rows
    )
    shown = Tables(built.folder / "partner/hackney/compared.html").by_caption["Above London for violence with injury"]
    assert sorted(row[:6] for row in shown) == expected
    assert len(expected) == 32


def test_the_limits_of_funnel_and_control_chart_are_the_marts(built: BuiltSite) -> None:
    for key, mart, columns, only in (
        ("funnel-mps-robbery-personal", "rpt_borough_comparison", ("area_code", "rate", "funnel_lower_998", "funnel_upper_95"), "measure_code = 'mps_robbery_personal'"),
        ("control-mps-robbery-personal", "rpt_control_chart", ("month_start_date", "month_count", "chart_warning_lower", "chart_warning_upper"),
         f"measure_code = 'mps_robbery_personal' and area_code = '{HACKNEY}' and month_start_date > (select max(window_end_date) - interval '36 months' from marts.rpt_borough_comparison)"),
    ):  # fmt: skip
        rows = built.home.rows(
            f"select {', '.join(f'{name}::text' for name in columns)} from marts.{mart} where {only}"
        )
        for edition in ("open", "partner"):
            with (built.folder / f"{edition}/hackney/data/{key}.csv").open(newline="", encoding="utf-8") as opened:
                written = [tuple(row[name] or None for name in columns) for row in csv.DictReader(opened)]
            assert sorted(map(_as_numbers, written)) == sorted(map(_as_numbers, rows))
            assert len(rows) in (32, 36)


def _as_numbers(row: tuple[Any, ...]) -> tuple[str, ...]:
    first, *others = row
    return (str(first), *("" if value is None else f"{float(value):.9g}" for value in others))


def test_the_open_edition_shows_of_measures_of_one_rule_all_and_of_health_counts_alone(built: BuiltSite) -> None:
    page = (built.folder / "open/hackney/compared.html").read_text(encoding="utf-8")
    assert "Above London for violence with injury" in page
    assert "ranked-safestats-las-assaults" not in page
    kept_back = [
        file.name
        for file in (built.folder / "open").rglob("data/*.csv")
        if "safestats" in file.name and not file.name.startswith("months-")
    ]
    assert kept_back == []
    status = Tables(built.folder / "open/hackney/status.html").by_caption
    (fresh,) = [rows for caption, rows in status.items() if caption.endswith("datasets are up to date")]
    assert len(fresh) == built.home.rows("select count(*) from marts.data_status")[0][0]


def test_a_figures_file_of_rows_is_the_marts_to_the_last_digit(built: BuiltSite) -> None:
    rows = built.home.rows(
        f"""select month_start_date::text, rolling_12_count::text, rate::float8, rate_lower_95::float8, rate_upper_95::float8, london_rate::float8
            from marts.bi_rolling_12 where area_code = '{HACKNEY}' and measure_code = 'mps_homicide' order by 1"""
    )[-120:]
    with (built.folder / "partner/hackney/data/rolling-mps-homicide.csv").open(newline="", encoding="utf-8") as opened:
        written = list(csv.DictReader(opened))
    figures = ("rate", "rate_lower_95", "rate_upper_95", "london_rate")
    assert [
        (
            row["month_start_date"],
            row["rolling_12_count"],
            *(float(row[name]) if row[name] else None for name in figures),
        )
        for row in written
    ] == rows


def test_the_sentences_of_a_page_are_those_of_the_fact_pack(built: BuiltSite) -> None:
    sentences = [
        s
        for (s,) in built.home.rows(
            f"select sentence from marts.rpt_sna_facts where area_code = '{HACKNEY}' and chapter = 'Trend'"
        )
    ]
    page = (built.folder / "partner/hackney/trend.html").read_text(encoding="utf-8")
    assert sentences
    assert [s for s in sentences if str(rendering.escape(s)) not in page] == []


def test_every_page_says_that_its_data_are_invented_and_a_partners_page_how_sensitive_it_is(built: BuiltSite) -> None:
    for edition in ("open", "partner"):
        for file in pages(built, edition):
            text = file.read_text(encoding="utf-8")
            assert "<strong>Synthetic data.</strong> Invented by the stand-in publishers" in text, file
            assert ("OFFICIAL-SENSITIVE" in text) == (edition == "partner"), file


def test_a_page_has_one_first_heading_names_its_charts_and_fetches_nothing_from_elsewhere(built: BuiltSite) -> None:
    for file in pages(built, "partner"):
        text = file.read_text(encoding="utf-8")
        tags = Tables(file).tags
        assert tags.count("h1") == tags.count("main") == 1, file
        assert tags.count("caption") == tags.count("table"), file
        assert "<td></td>" not in text, file
        assert re.findall(r"<svg(?![^>]*role=\"img\")", text) == [], file
        assert re.findall(r'(?:src|srcset|data|poster)="(?!\.\./|static/|data:)', text) == [], file
        assert re.findall(r'<link[^>]*href="(?!(?:\.\./)*static/|data:)', text) == [], file


def test_links_within_the_site_lead_to_files(built: BuiltSite) -> None:
    ids: dict[Path, set[str]] = {}
    for file in built.folder.rglob("*.html"):
        ids[file.resolve()] = set(re.findall(r'\bid="([^"]+)"', file.read_text(encoding="utf-8")))
    missing = set()
    for file in ids:
        for link in re.findall(r'href="(?!https?:|data:)([^"]+)"', file.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            if not target.is_file() or (anchor and anchor not in ids[target]):
                missing.add((file.name, link))
    assert missing == set()


def test_the_same_release_built_again_renders_nothing_and_changes_no_byte(
    built: BuiltSite, open_again: OpenAgain
) -> None:
    before = built.files()
    inodes = {file: file.stat().st_ino for file in built.folder.rglob("*.html")}
    again = site.build(built.home.settings, out=built.folder, files_of=WITH_FILES)
    assert (again.rendered, again.kept, again.files) == (0, built.built.rendered + built.built.kept, 0)
    assert built.files() == before
    assert {file: file.stat().st_ino for file in built.folder.rglob("*.html")} == inodes
    of_open = {name: content for name, content in before.items() if name.startswith("open/")}
    assert {name: (open_again.folder / name).read_bytes() for name in of_open} == of_open


def test_a_page_that_is_lost_is_written_again_and_the_others_are_kept(
    built: BuiltSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built.files()
    (built.folder / "open/hackney/trend.html").unlink()
    drawn: list[str] = []
    write = rendering.write
    monkeypatch.setattr(rendering, "write", lambda page, *given: [drawn.append(page.path), write(page, *given)][1])
    site.build(built.home.settings, out=built.folder, editions=("open",), files_of=WITH_FILES)
    assert drawn == ["hackney/trend.html"]
    assert built.files() == before


def test_a_chart_that_fails_keeps_its_pack_of_yesterday_and_raises_one_alert_while_the_others_are_built(
    built: BuiltSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = built.files()
    manifest = json.loads(before["open/manifest.json"])
    for path in ("hackney/health.html", "camden/health.html"):  # as if their figures had changed
        manifest["pages"][path]["hash"] = "of yesterday"
    (built.folder / "open/manifest.json").write_text(
        json.dumps({**manifest, "made_from": "yesterday"}), encoding="utf-8"
    )
    (built.folder / "open/hackney/health.html").write_text("yesterday's", encoding="utf-8")

    def fails(rows: Any, **words: str) -> charts.Chart:
        if rows[0]["series"] == "Hackney":
            raise ValueError("no room for the labels")
        return trend(rows, **words)

    trend = charts.trend
    noted: list[tuple[str, str]] = []
    raised: list[str] = []
    monkeypatch.setattr(charts, "trend", fails)
    monkeypatch.setattr(
        "warehouse.alerts.record_problem",
        lambda settings, run, step, subject, code, problem: noted.append((code, problem)),
    )
    monkeypatch.setattr("warehouse.alerts.raise_alert", lambda settings, run: raised.append(run))
    build = site.build
    monkeypatch.setattr(
        site,
        "build",
        lambda settings, **given: build(settings, **given, editions=("open",), out=built.folder, files_of=WITH_FILES),
    )
    said: list[str] = []
    nightly = built.home.settings.model_copy(update={"site_after_night": True})
    runs.build_site(nightly, said.append)
    assert [code for code, _ in noted] == ["SITE_PAGE_FAILED"]
    assert noted[0][1].startswith("the figure months-safestats-las-assaults of Hackney cannot be drawn: ValueError")
    assert len(raised) == 1
    assert said[-1].startswith("the site was not built whole: ")
    now = built.files()
    assert now["open/hackney/health.html"] == b"yesterday's"
    assert now["open/camden/health.html"] == before["open/camden/health.html"]
    assert b"Not of this release: the pack of Hackney." in now["open/index.html"]
    assert sorted(file.name for file in built.folder.parent.iterdir()) == ["site"]
    # The next build draws it, and the overview says nothing more of it.
    monkeypatch.setattr(charts, "trend", trend)
    runs.build_site(nightly, said.append)
    assert built.files() == before
    assert len(raised) == 1


def test_the_open_edition_is_read_as_the_open_role_alone_and_shows_no_suppressed_count(
    built: BuiltSite, open_again: OpenAgain
) -> None:
    assert set(open_again.roles) == {OPEN}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        built.home.rows("select * from marts.rpt_borough_measure limit 1", OPEN)
    ruled = {
        (area, code, str(month)): value
        for area, code, month, value in built.home.rows(
            """select area_code, measure_code, period_start_date, value::float8 from marts_open.measure
               where publish_rule <> 'open' and period_kind = 'month' and sex = 'all' and age_band = 'all' and ethnicity = 'all'""",
            OPEN,
        )
    }
    shown = 0
    for file in (built.folder / "open").glob("*/data/months-safestats-las-assaults.csv"):
        with file.open(newline="", encoding="utf-8") as opened:
            for row in csv.DictReader(opened):
                expected = ruled[row["area_code"], row["measure_code"], row["period_start_date"]]
                assert (float(row["value"]) if row["value"] else None) == expected
                assert expected is None or not 1 <= expected <= 7
                shown += 1
    assert shown > 0
    assert not [
        file
        for file in (built.folder / "open").rglob("*.csv")
        if "is_below_5" in file.read_text(encoding="utf-8").partition("\n")[0]
    ]


def test_one_pack_is_written_by_hand_as_files_that_need_no_server(built: BuiltSite, tmp_path: Path) -> None:
    index, count = site.write_pack(built.home.settings, "hackney", "partner", tmp_path / "pack", echo=lambda line: None)
    folder = index.parent
    assert count == len(list(folder.rglob("*.html"))) == 16
    page = (folder / "hackney/who.html").read_text(encoding="utf-8")
    assert (
        Tables(folder / "hackney/who.html").by_caption == Tables(built.folder / "partner/hackney/who.html").by_caption
    )
    assert "London overview" not in page


def test_the_engineers_page_gives_counts_and_codes_alone(built: BuiltSite) -> None:
    tables = Tables(built.folder / "engineer.html").by_caption
    assert {"Releases", "Freshness", "Checks that did not pass"} <= set(tables)
    assert len(tables["Freshness"]) == built.home.rows("select count(*) from marts.data_status")[0][0]
    assert built.home.rows("select count(*) from marts.publication", ANALYST)[0][0] == len(tables["Releases"])


def test_every_table_shows_its_file_of_rows_which_its_sql_gives_under_a_title_of_ten_words(built: BuiltSite) -> None:
    for edition, role in (("open", OPEN), ("partner", ANALYST)):
        assert site_values.differing(built.folder / edition / "hackney", built.home.settings, role) == []
