"""Commands about sources: what is declared, and whether publishers still have it."""

from __future__ import annotations

import sys

import click

from ingest.declaration import find_source, read_sources
from warehouse import runs
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.settings import settings


@main.group(invoke_without_command=True)
@json_option
@click.pass_context
def sources(context: click.Context, as_json: bool) -> None:
    """What is declared: each dataset, where it comes from, under what licence. `check` asks the publishers."""
    if context.invoked_subcommand:
        return
    if not as_json:
        printing.banner()
    rows = [
        {
            "source": source.source,
            "dataset": name,
            "title": dataset.title,
            "cadence": dataset.cadence,
            "licence": source.licence,
            "page": dataset.page_url,
        }
        for source in read_sources().values()
        for name, dataset in source.datasets.items()
    ]
    printing.report(rows, as_json, empty="no source is declared", below=("title", "licence", "page"))


@sources.command("check")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--live", is_flag=True, help="Ask the real publishers instead of the stand-ins.")
@json_option
def check_sources(names: tuple[str, ...], live: bool, as_json: bool) -> None:
    """Ask each publisher whether what we declare still exists, and say what differs. Exit status 1 where something does."""
    asked = list(names) or list(read_sources())
    for name in asked:
        find_source(name)
    found = runs.check_sources(
        settings(), asked, is_live=live, echo=(lambda line: click.echo(line, err=True)) if as_json else click.echo
    )
    printing.report(found, as_json, empty="everything is as declared", below=("asked", "differs"))
    if found:
        sys.exit(1)
