"""Commands that say how things stand: status, alerts, the watch, what a code means."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click

from expectations import data_docs
from ingest.errors import Refusal
from warehouse import airflow, alerts
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.settings import settings
from warehouse.reports import explaining, status, watch


@main.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Each dataset: newest period, fetched, state, why; the current release and its verdict."""
    chosen = settings()
    cut_off = airflow.newest_night_cut_off(chosen)
    release, verdict, datasets = status.current_release(chosen), status.newest_verdict(chosen), status.datasets(chosen)
    if as_json:
        found: dict[str, Any] = {
            "home": str(chosen.home),
            "data_kind": status.data_kind(chosen),
            "release": release
            and {**release, **{key: json.loads(release[key]) for key in ("row_counts", "row_changes")}},
            "verdict": verdict,
        }
        found |= {
            "night_cut_off": cut_off,
            "withdrawals": status.withdrawals(chosen),
            "set_aside": status.set_aside(chosen),
            "warnings": status.warnings(chosen),
            "newest_changes": status.newest_changes(chosen),
        }
        click.echo(json.dumps({**found, "datasets": datasets}, default=str, indent=1))
        return
    printing.banner()
    if cut_off:
        click.echo(f"CUT OFF: {cut_off}\n")
    printing.report(datasets, False, empty="no dataset is declared", hide=("title",))
    click.echo()
    printing.warnings(chosen)
    for row in status.withdrawals(chosen):
        click.echo(
            f"WITHDRAWN: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}, on "
            f"{printing.plain(row['withdrawn_at'])} by {row['withdrawn_by']}: {row['reason']}"
            f"{'; the marts hold it until the next build' if row['is_still_published'] else ''}"
        )
    printing.set_aside_loads(chosen)
    changes = status.newest_changes(chosen)
    if changes:
        click.echo("What the newest file of each dataset changed against the one before:")
        printing.report(changes, False, empty="", hide=("loaded_at",))
        click.echo()
    if release is None:
        click.echo("nothing is published yet")
    else:
        click.echo(
            f"current release: {release['release_id']} ({release['data_kind']}), published {printing.plain(release['published_at'])}, "
            f"{release['row_count']:,} rows, verdict {release['verdict']}"
            f"{': ' + release['verdict_reason'] if release['verdict_reason'] else ''}"
        )
    if verdict and verdict["state"] == "held":
        click.echo(
            f"HELD since {printing.plain(verdict['judged_at'])}: {verdict['verdict_reason']} [{verdict['code']}]"
        )
        printing.report(status.failed_checks(chosen, verdict["release_id"]), False, empty="")


@main.command("alerts")
@json_option
def show_alerts(as_json: bool) -> None:
    """What went wrong, newest first, and whether the alert was delivered."""
    if not as_json:
        printing.banner()
    printing.report(
        alerts.alerts(settings()),
        as_json,
        empty="no alert has been raised",
        hide=("alert_id",),
    )


@main.command("watch")
@click.option(
    "--every", type=click.IntRange(min=1), help="Look again after so many minutes, until stopped (default: look once)."
)
@json_option
def keep_watch(every: int | None, as_json: bool) -> None:
    """Look for what no night can tell (late, paused, gone, stale), raise one alert for what is new, and exit 1 if anything is wrong."""
    while True:
        found, new = watch.watch(settings())
        rows = [{"is_new": one in new, "code": one.code, "problem": one.problem} for one in found]
        printing.report(rows, as_json, empty="all is well")
        if every is None:
            break
        time.sleep(every * 60)
    if found:
        sys.exit(1)


@main.command()
@click.argument("code", required=False)
@json_option
def explain(code: str | None, as_json: bool) -> None:
    """What the code at a message's end means, whose turn it is and what to do; every code where none is given.

    Of a check of the gate (`vru status` names them) it says which suite has it and what it asks.
    """
    if code is None:
        printing.report(explaining.every(), as_json, empty="", hide=("severity", "cure", "runbook"))
        return
    try:
        found = explaining.explain(code)
    except explaining.UnknownCode as unknown:
        raise click.BadParameter(str(unknown), param_hint="CODE") from None
    click.echo(json.dumps(found, indent=1) if as_json else explaining.as_text(found))


@main.command()
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
def quality(opens: bool) -> None:
    """Where the pages of the newest verdict are: each check, how it ended and how many rows break it."""
    page = data_docs.page(settings().home)
    if not page.is_file():
        raise Refusal("NOTHING_LOADED", "nothing has been judged yet", next_step="`vru build`, or run a night")
    click.echo(page)
    if opens:
        click.launch(str(page))
