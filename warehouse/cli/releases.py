"""Commands about releases: a night, a build, a rebuild, a rollback."""

from __future__ import annotations

import sys

import click

from warehouse import alerts, runs
from warehouse import publish as publishing
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.settings import settings


@main.command("nightly")
@click.option(
    "--sources", default="sandbox", show_default=True, help="sandbox, live, or a list such as mps,nomis or live:mps."
)
def run_nightly(sources: str) -> None:
    """Run the nightly job through Airflow, then say what it published."""
    is_green = runs.run(settings(), sources, echo=click.echo)
    printing.outcome()
    if not is_green:
        newest = alerts.alerts(settings())[:1]
        click.echo("\n".join(f"\nALERT: {alert['subject']}\n{alert['body']}" for alert in newest), err=True)
        sys.exit(1)


@main.command()
def build() -> None:
    """Transform what is loaded, judge it, and publish it if it is fit. Where the marts hold it already, nothing is done."""
    if not runs.build_and_publish(settings(), echo=click.echo, unless_current=True):
        printing.outcome()
        sys.exit(1)
    printing.outcome()


@main.command()
def rebuild() -> None:
    """Rebuild every table from landing alone: empty raw, load every landed file again, build, judge, publish."""
    if not runs.rebuild(settings(), echo=click.echo):
        printing.outcome()
        sys.exit(1)
    printing.outcome()


@main.command()
@json_option
def releases(as_json: bool) -> None:
    """Published releases, newest first."""
    if not as_json:
        printing.banner()
    printing.report(
        publishing.releases(settings()),
        as_json,
        empty="nothing is published yet",
        hide=("candidate_id", "code_version"),
    )


@main.command()
@click.argument("release", type=int)
def rollback(release: int) -> None:
    """Make the marts what they were at an earlier release."""
    done = publishing.roll_back(settings(), release)
    click.echo(f"release {done.release_id}: the marts are what they were at release {release}")
    printing.banner()
