"""What several commands print: rows as a table or JSON, the mark of synthetic data, what a run came to."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from typing import Any

import click
from tabulate import tabulate

from ingest.landing import SYNTHETIC, SYNTHETIC_BANNER, kind_held
from warehouse.platform.settings import Settings, settings
from warehouse.reports import status


def plain(value: Any) -> Any:
    """A value as a table shows it: moments in UTC to the minute, text wrapped."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%MZ")
    # tabulate's own wrapping takes text for numbers where it looks like one. A path stays whole: it is there to be copied.
    return textwrap.fill(value, 70, break_long_words=False, break_on_hyphens=False) if isinstance(value, str) else value


def report(rows: list[dict[str, Any]], as_json: bool, *, empty: str, hide: tuple[str, ...] = ()) -> None:
    """Print rows as a table, or as JSON for programs."""
    if as_json:
        click.echo(json.dumps(rows, default=str, indent=1))
    elif not rows:
        click.echo(empty)
    else:
        shown = [{k: plain(v) for k, v in row.items() if k not in hide} for row in rows]
        click.echo(tabulate(shown, headers="keys", tablefmt="simple", disable_numparse=True))


def banner() -> None:
    """Say on standard error that the data are invented, where they are."""
    if kind_held(settings().landing) == SYNTHETIC:
        click.echo(SYNTHETIC_BANNER, err=True)


def outcome() -> None:
    """Print what a night, a build or a rebuild came to."""
    chosen = settings()
    release, verdict = status.current_release(chosen), status.newest_verdict(chosen)
    banner()
    if verdict and verdict["state"] == "held":
        click.echo(f"HELD: {verdict['verdict_reason']} [{verdict['code']}]")
    warnings(chosen)
    set_aside_loads(chosen)
    if release is None:
        click.echo("nothing is published yet")
        return
    click.echo(
        f"release {release['release_id']} ({release['data_kind']}), published {plain(release['published_at'])}, "
        f"verdict: {release['verdict']}{': ' + release['verdict_reason'] if release['verdict_reason'] else ''}"
    )
    click.echo()
    report(status.datasets(chosen), False, empty="", hide=("title", "newest_loaded_period_start_date", "checked_at"))
    click.echo()
    counts = [
        {"mart": f"marts.{name}", "rows": rows} for name, rows in sorted(json.loads(release["row_counts"]).items())
    ]
    report(counts, False, empty="")
    click.echo()
    click.echo(
        'Look next: .venv/bin/vru sql "select * from marts.rpt_borough_month limit 5"; .venv/bin/vru status; README.md'
    )


def set_aside_loads(chosen: Settings) -> None:
    """Print the loads that are set aside, a line each."""
    for row in status.set_aside(chosen):
        click.echo(
            f"SET ASIDE: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}: {row['reason']}"
            + (f" [{row['code']}]" if row["code"] else "")
        )


def warnings(chosen: Settings) -> None:
    """Print what files had that is somebody's work, a line each."""
    for row in status.warnings(chosen):
        click.echo(
            f"WARNING: {row['source']} {row['dataset']}, file {row['file_name']}: {row['warning']} [{', '.join(row['codes'])}]"
        )
