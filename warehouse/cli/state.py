"""Commands that say how things stand: status, alerts, the watch, what a code means."""

from __future__ import annotations

import datetime as dt
import sys
import time

import click

from expectations import data_docs
from ingest.errors import Refusal
from warehouse import airflow, alerts
from warehouse.cli import filters, printing
from warehouse.cli.filters import since_option, source_option, state_option
from warehouse.cli.group import json_option, main
from warehouse.platform.settings import settings
from warehouse.reports import explaining, status, watch


@main.command("status")
@source_option
@state_option("fresh", "stale", "held", "missing")
@since_option
@json_option
def show_status(source: str | None, state: str | None, since: dt.datetime | None, as_json: bool) -> None:
    """Each dataset: newest period, fetched, state, why; the current release and its verdict.

    --source and --state choose datasets, and --since those of which a file was fetched since that day.
    """
    chosen = settings()
    cut_off = airflow.newest_night_cut_off(chosen)
    found = status.everything(chosen)
    found["datasets"] = filters.matching(
        found["datasets"], source=source, state=state, since=since, moment="fetched_at"
    )
    for part in ("held_over", "withdrawals", "set_aside", "warnings", "newest_changes"):
        found[part] = filters.matching(found[part], source=source)
    if as_json:
        click.echo(printing.as_json({"home": found.pop("home"), "night_cut_off": cut_off, **found}))
        return
    printing.banner()
    if cut_off:
        click.echo(printing.wrapped(f"CUT OFF: {cut_off}", "") + "\n")
    printing.held(chosen, found["verdict"])
    printing.report(printing.dataset_rows(found["datasets"]), False, empty="no dataset is so", below=("why",))
    click.echo()
    printing.warnings(found["warnings"])
    for row in found["withdrawals"]:
        click.echo(
            printing.wrapped(
                f"WITHDRAWN: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}, on "
                f"{printing.plain(row['withdrawn_at'])} by {row['withdrawn_by']}: {row['reason']}"
                f"{'; the marts hold it until the next build' if row['is_still_published'] else ''}",
                "",
            )
        )
    printing.set_aside_loads(found["set_aside"])
    if found["newest_changes"]:
        click.echo("What the newest file of each dataset changed against the one before:")
        printing.report(found["newest_changes"], False, empty="", hide=("loaded_at",), below=("changes",))
        click.echo()
    if found["release"] is None:
        click.echo("nothing is published yet")
    else:
        click.echo(printing.shortened(f"current {printing.release_line(found['release'])}"))


@main.command("alerts")
@since_option
@json_option
def show_alerts(since: dt.datetime | None, as_json: bool) -> None:
    """What went wrong, newest first, and whether the alert was delivered."""
    if not as_json:
        printing.banner()
    rows = alerts.alerts(settings())
    for name in alerts.unusable(settings()):
        click.echo(f"vru: the channel {name} cannot be used as it is set (CHANNEL_UNUSABLE)", err=True)
    printing.report(
        filters.matching(rows, since=since, moment="raised_at"),
        as_json,
        empty="no alert has been raised",
        hide=("alert_id",),
        below=("subject", "run_id", "last_error", "body"),
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
        printing.report(explaining.every(), as_json, empty="", hide=("severity", "cure", "runbook"), below=("meaning",))
        return
    try:
        found = explaining.explain(code)
    except explaining.UnknownCode as unknown:
        raise click.BadParameter(str(unknown), param_hint="CODE") from None
    click.echo(printing.as_json(found) if as_json else explaining.as_text(found))


@main.command()
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@json_option
def quality(opens: bool, as_json: bool) -> None:
    """Where the pages of the newest verdict are: each check, how it ended and how many rows break it."""
    page = data_docs.page(settings().home)
    if not page.is_file():
        raise Refusal("NOTHING_LOADED", "nothing has been judged yet", next_step="`vru build`, or run a night")
    click.echo(printing.as_json({"page": str(page)}) if as_json else page)
    if opens:
        click.launch(str(page))
