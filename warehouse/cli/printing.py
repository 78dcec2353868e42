"""What several commands print: rows as a table or JSON, the mark of synthetic data, what a run came to."""

from __future__ import annotations

import datetime as dt
import json
import math
import textwrap
from decimal import Decimal
from typing import Any

import click
from tabulate import tabulate

from ingest.codes import registry
from ingest.landing import SYNTHETIC, SYNTHETIC_BANNER, kind_held
from warehouse.platform.settings import Settings, settings
from warehouse.reports import status

WIDTH = 120  # columns, of all that is printed for a person
INDENT = "      "
CHECKS_SHOWN = 5


def plain(value: Any) -> Any:
    """A value as a table shows it: moments in UTC to the minute, text on one line."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%MZ")
    if isinstance(value, list | tuple):
        return ", ".join(str(plain(one)) for one in value)
    return " ".join(value.split()) if isinstance(value, str) else value


def wrapped(text: str, indent: str = INDENT) -> str:
    """Text on lines of the width that all print-outs keep. A word stays whole: a path is there to be copied."""
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def shortened(text: str, width: int = WIDTH) -> str:
    """Text on one line of that width; what is too long ends in an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def as_json(value: Any) -> str:
    """JSON for programs: numbers as numbers, moments and days as text (UTC); what is no number (NaN, infinity) as null."""
    return json.dumps(_plain_json(value), default=str, indent=1)


def _plain_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_json(one) for one in value]
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report(
    rows: list[dict[str, Any]],
    is_json: bool,
    *,
    empty: str,
    hide: tuple[str, ...] = (),
    below: tuple[str, ...] = (),
) -> None:
    """Print rows as a table, or as JSON for programs.

    Args:
        empty: what is said where there is no row.
        hide: columns that a person is not shown.
        below: columns that are long: each stands below its row on lines of its own, where it has a value.
    """
    if is_json:
        click.echo(as_json(rows))
    elif not rows:
        click.echo(empty)
    else:
        shown = [{key: plain(value) for key, value in row.items() if key not in {*hide, *below}} for row in rows]
        head, rule, *lines = tabulate(shown, headers="keys", tablefmt="simple", disable_numparse=True).splitlines()
        click.echo(f"{head}\n{rule}")
        for row, line in zip(rows, lines, strict=True):
            click.echo(line.rstrip())
            for key in below:
                if row[key] not in (None, "", [], {}):
                    for part in _lines(key, row[key]):
                        click.echo(wrapped(part))


def _lines(key: str, value: Any) -> list[str]:
    if not isinstance(value, str) or "\n" not in value:
        return [f"{key}: {plain(value)}"]
    return [f"{key}:", *(f"  {line}" for line in value.splitlines() if line.strip())]


def month(value: dt.date | None) -> str:
    """A month as a table shows it: 2026-10; empty where there is none."""
    return f"{value:%Y-%m}" if value else ""


def dataset_rows(datasets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Datasets as a table shows them."""
    return [
        {
            "source": row["source"],
            "dataset": row["dataset"],
            "published": month(row["newest_period_start_date"]),
            "loaded": month(row["newest_loaded_period_start_date"]),
            "fetched_at": row["fetched_at"],
            "checked_at": row["checked_at"],
            "state": row["state"],
            "why": row["why"] and f"{row['why']} [{row['code']}]{_since(row['since'])}",
        }
        for row in datasets
    ]


def _since(moment: dt.datetime | None) -> str:
    return f", since {plain(moment)}" if moment else ""


def banner() -> None:
    """Say on standard error that the data are invented, where they are."""
    if kind_held(settings().landing) == SYNTHETIC:
        click.echo(SYNTHETIC_BANNER, err=True)


def runbook_section(code: str) -> str:
    """The section of docs/runbook.md that has more on a code; empty where the code's own cure is all."""
    entry = registry().get(code)
    return entry.runbook if entry else ""


def held(chosen: Settings, verdict: dict[str, Any] | None) -> None:
    """Print that the newest release is held, where it is: since when, by which datasets, and the first checks that failed."""
    if not verdict or verdict["state"] != "held":
        return
    since, code = plain(verdict["judged_at"]), verdict["code"]
    if code != "GATE_HELD":
        click.echo(
            wrapped(f"HELD: release {verdict['release_id']} since {since}: {verdict['verdict_reason']} [{code}]", "")
        )
        return
    failed = [row for row in status.failed_checks(chosen, verdict["release_id"]) if row["severity"] == "critical"]
    by = [f"{row['source']} {row['dataset']}" for row in status.held_over(chosen)]
    what = f"{len(failed)} critical check{'s' * (len(failed) != 1)} failed" if failed else verdict["verdict_reason"]
    click.echo(
        wrapped(
            f"HELD: release {verdict['release_id']} since {since}: {shortened(what)}; the marts stand as they were [{code}]",
            "",
        )
    )
    if by:
        click.echo(wrapped(f"over {', '.join(by[:8])}{f' and {len(by) - 8} more' if len(by) > 8 else ''}"))
    for row in failed[:CHECKS_SHOWN]:
        click.echo(INDENT + shortened(f"{row['check_name']} ({row['suite']}): {row['detail']}", WIDTH - len(INDENT)))
    more = f"and {len(failed) - CHECKS_SHOWN} more; " if len(failed) > CHECKS_SHOWN else ""
    click.echo(f"{INDENT}{more}`vru quality` has each in full; docs/runbook.md, section '{runbook_section(code)}'")


def release_line(release: dict[str, Any]) -> str:
    """A published release on one line."""
    why = f": {release['verdict_reason']}" if release["verdict_reason"] else ""
    return shortened(
        f"release {release['release_id']} ({release['data_kind']}), published {plain(release['published_at'])}, "
        f"{release['row_count']:,} rows, verdict {release['verdict']}{why}"
    )


def outcome(*, is_json: bool = False) -> None:
    """Print what a night, a build or a rebuild came to."""
    chosen = settings()
    if is_json:
        click.echo(as_json(status.everything(chosen)))
        return
    release = status.current_release(chosen)
    banner()
    held(chosen, status.newest_verdict(chosen))
    warnings(status.warnings(chosen))
    set_aside_loads(status.set_aside(chosen))
    if release is None:
        click.echo("nothing is published yet")
        return
    click.echo(release_line(release))
    click.echo()
    report(dataset_rows(status.datasets(chosen)), False, empty="", hide=("checked_at",), below=("why",))
    click.echo()
    counts = [
        {"mart": f"marts.{name}", "rows": rows} for name, rows in sorted(json.loads(release["row_counts"]).items())
    ]
    report(counts, False, empty="")
    click.echo()
    if (index := chosen.home / "site" / "index.html").is_file():
        click.echo(f"The site: {index}")
    click.echo(
        'Look next: .venv/bin/vru sql "select * from marts.rpt_borough_month limit 5"; .venv/bin/vru status; README.md'
    )


def set_aside_loads(rows: list[dict[str, Any]]) -> None:
    """Print the loads that are set aside."""
    for row in rows:
        click.echo(
            wrapped(
                f"SET ASIDE: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}: {row['reason']}"
                + (f" [{row['code']}]" if row["code"] else ""),
                "",
            )
        )


def warnings(rows: list[dict[str, Any]]) -> None:
    """Print what files had that is somebody's work."""
    for row in rows:
        click.echo(
            wrapped(
                f"WARNING: {row['source']} {row['dataset']}, file {row['file_name']}: {row['warning']} [{', '.join(row['codes'])}]",
                "",
            )
        )
