"""Commands about figures: exported into files, traced back to the publishers' files behind them, given to a BI tool."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ingest.errors import Refusal
from warehouse import bi, exports
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.connection import ANALYST
from warehouse.platform.settings import settings
from warehouse.reports import comparing, connecting, tracing


@main.command("export")
@click.argument("tables", metavar="[TABLE]...", nargs=-1)
@click.option("--format", "form", type=click.Choice(exports.FORMATS), default="csv", show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to be made; new, or empty.")
@click.option("--open", "is_open", is_flag=True, help="What anyone may see: schema marts_open, as its role.")
@click.option("--release", "release_id", type=int, help="An earlier release (`vru releases`), from history.")
@json_option
def run_export(
    tables: tuple[str, ...], form: str, out: Path, is_open: bool, release_id: int | None, as_json: bool
) -> None:
    """Tables of the marts (all, where none is named) as files, with names beside codes, a data dictionary,
    datapackage.json and SHA256SUMS; the whole folder, or nothing.

    CSV is UTF-8 behind a byte-order mark, for Excel. XLSX and ODS hold a table up to 1,048,575 rows, and refuse a larger one.
    """
    written = exports.export(settings(), tables, form, out.absolute(), is_open=is_open, release_id=release_id)
    if not as_json:
        printing.banner()
    printing.report([dataclasses.asdict(one) for one in written], as_json, empty="")
    if not as_json:
        click.echo(f"\n{out}: whole; check with `sha256sum --check SHA256SUMS`")


@main.command("bi-files")
@click.option("--format", "form", type=click.Choice([*bi.WRITERS]), required=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to be made; new, or empty.")
@click.option("--host", default="", help="The name by which the tool reaches this server; without it, this machine.")
@json_option
def write_bi_files(form: str, out: Path, host: str, as_json: bool) -> None:
    """The narrow views for a BI tool: tables, keys and measures that add up, without a password.

    tmdl is a folder of a Power BI semantic model; superset is what Superset's API imports as assets.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Refusal(
            "EXPORT_FOLDER_TAKEN",
            f"{out} is there already, and not empty",
            next_step="name a new folder; nothing of an old one is changed",
        )
    one = connecting.address(settings(), ANALYST, host=host)
    model = bi.read(settings().home / "dbt" / "manifest.json", one.name)
    out.mkdir(parents=True, exist_ok=True)
    files = bi.WRITERS[form](model, out, f"{one.host}:{one.port}", one.database)
    printing.report([{"file": str(file)} for file in files], as_json, empty="")


@main.command("trace")
@click.argument("measure")
@click.argument("area")
@click.argument("period")
@click.option(
    "--report", default=tracing.FACTS, show_default=True, help="Table or view of schema marts that has the figure."
)
@json_option
def run_trace(measure: str, area: str, period: str, report: str, as_json: bool) -> None:
    """The publishers' files behind a figure: every edition of its window, and of what it is compared with and divided by.

    AREA is a code or a name. PERIOD is a month (2026-10), a year (2025), a financial year (2025/26) or two days
    (2025-11-01:2026-10-31); of a report with windows, those that end within it.
    """
    rows = tracing.trace(settings(), measure, area, period, report)
    if not as_json:
        printing.banner()
    shown = ("behind", "source", "dataset", "release_date", "sha256", "row_count", "state", "fetched_at", "address")
    short = [{name: row[name] for name in shown} | {"sha256": row["sha256"][:12]} for row in rows]
    printing.report(rows if as_json else short, as_json, empty="", below=("address",))


@main.command("compare")
@click.argument("before", type=int)
@click.argument("after", type=int)
@click.option("--area", help="Code or name of an area; all where it is left out.")
@click.option("--measure", help="Code of a measure; all where it is left out.")
@click.option("--limit", type=click.IntRange(min=0), default=40, show_default=True, help="Figures that are printed.")
@json_option
def run_compare(before: int, after: int, area: str | None, measure: str | None, limit: int, as_json: bool) -> None:
    """Figures that differ between two releases (`vru releases`): by how much, and why.

    Why: break found, revised by the publisher, corrected by us (the same edition), no longer given, new, newer period. --json prints every figure.
    """
    rows = comparing.compare(settings(), before, after, area=area, measure=measure)
    if as_json:
        printing.report(rows, as_json, empty="")
        return
    printing.banner()
    printing.report(
        comparing.reasons(rows), as_json, empty=f"no figure differs between release {before} and release {after}"
    )
    shown = (
        "measure_code",
        "area_name",
        "period_start_date",
        "value_before",
        "value_after",
        "difference",
        "difference_percent",
        "why",
        "edition_after",
    )
    same = [{name: row[name] for name in shown} for row in rows if row["why"] != "newer period"]
    if same and limit:
        click.echo(f"\nof the same periods, the largest {min(limit, len(same))} of {len(same)}:")
        printing.report(same[:limit], as_json, empty="")
