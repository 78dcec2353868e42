"""Commands that take figures out of the warehouse: an export into files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from warehouse import exports
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.settings import settings


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
