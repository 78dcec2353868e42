"""Commands about releases: a night, a build, a rebuild, a rollback."""

from __future__ import annotations

import datetime as dt
import sys

import click

from ingest.errors import Refusal
from warehouse import alerts, runs
from warehouse import publish as publishing
from warehouse.build import unit_tests
from warehouse.cli import filters, printing
from warehouse.cli.filters import since_option
from warehouse.cli.group import json_option, main, say
from warehouse.platform.settings import settings


@main.command("nightly")
@click.option(
    "--sources", default="sandbox", show_default=True, help="sandbox, live, or a list such as mps,nomis or live:mps."
)
@json_option
def run_nightly(sources: str, as_json: bool) -> None:
    """Run the nightly job through Airflow, then say what it published."""
    is_green = runs.run(settings(), sources, echo=say)
    printing.outcome(is_json=as_json)
    if not is_green:
        for alert in alerts.alerts(settings())[:1]:
            click.echo(f"\nALERT: {alert['subject']}\n{alert['body']}", err=True)
        sys.exit(1)


@main.command()
@json_option
def build(as_json: bool) -> None:
    """Transform what is loaded, judge it, and publish it if it is fit. Where the marts hold it already, nothing is done."""
    is_published = runs.build_and_publish(settings(), echo=say, unless_current=True)
    printing.outcome(is_json=as_json)
    if not is_published:
        sys.exit(1)


@main.command()
@json_option
def rebuild(as_json: bool) -> None:
    """Rebuild every table from landing alone: empty raw, load every landed file again, build, judge, publish."""
    is_published = runs.rebuild(settings(), echo=say)
    printing.outcome(is_json=as_json)
    if not is_published:
        sys.exit(1)


@main.command("unit", hidden=True)
@click.argument("models", nargs=-1)
def run_unit_tests(models: tuple[str, ...]) -> None:
    """The unit tests of these models, or of all, on the tables that the last build of this home left (`make unit`)."""
    ended = unit_tests.run(settings(), *models)
    for name in ended.passed:
        click.echo(f"pass {name}")
    if ended.failed:
        click.echo(ended.said)
        raise Refusal("BUILD_FAILED", f"unit tests failed: {', '.join(ended.failed)}", kept="the home as it was")


@main.command()
@since_option
@json_option
def releases(since: dt.datetime | None, as_json: bool) -> None:
    """Published releases, newest first."""
    rows = filters.matching(publishing.releases(settings()), since=since, moment="at")
    if as_json:
        printing.report(rows, True, empty="")
        return
    printing.banner()
    shown = [{**row, "why": row["why"] and printing.shortened(row["why"], 300)} for row in rows]
    hidden = ("candidate_id", "code_version", "rolled_back_to", "rolled_back_from")
    back = [
        {**row, "went_back": row["rolled_back_to"] and f"from {row['rolled_back_from']} to {row['rolled_back_to']}"}
        for row in shown
    ]
    printing.report(back, False, empty="nothing is published yet", hide=hidden, below=("why",))


@main.command()
@click.argument("release", type=int)
@json_option
def rollback(release: int, as_json: bool) -> None:
    """Make the marts what they were at an earlier release."""
    done = publishing.roll_back(settings(), release)
    if as_json:
        click.echo(printing.as_json({"release_id": done.release_id, "rolled_back_to": release}))
        return
    click.echo(f"release {done.release_id}: the marts are what they were at release {release}")
    printing.banner()
