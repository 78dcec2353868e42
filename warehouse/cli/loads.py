"""Commands about loads: files taken by hand, loaded again, withdrawn, accepted; what was refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import sys
from pathlib import Path

import click

from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.errors import Refusal
from ingest.naming import label_of
from warehouse import steps
from warehouse.build import set_aside
from warehouse.cli import filters, printing
from warehouse.cli.filters import since_option, source_option, state_option
from warehouse.cli.group import json_option, main, say, with_section
from warehouse.home import setup
from warehouse.platform.settings import LONDON, settings
from warehouse.reports import status


@main.command()
@click.argument("source")
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--release",
    type=click.DateTime(["%Y-%m-%d"]),
    help="When the publisher released it (else worked out from the file).",
)
@click.option("--synthetic", is_flag=True, help="The file is invented; a home that holds real data refuses it.")
@json_option
def land(
    source: str, dataset: str, files: tuple[Path, ...], release: dt.datetime | None, synthetic: bool, as_json: bool
) -> None:
    """Take files by hand as if fetched: land them and load them."""
    chosen, declared = settings(), find_source(source)
    declared.dataset(dataset)
    setup.set_up(chosen)
    refused, done = 0, []
    for file in files:
        try:
            landed = file_drop.take(
                chosen.landing,
                declared,
                dataset,
                file,
                chosen.now(),
                release_date=release.date() if release else None,
                is_synthetic=synthetic,
            )
            loaded = steps.load_one(chosen, declared, dataset, landed)
            say(f"{label_of(landed.provenance)}: {loaded}")
            done.append({"file": str(file), **dataclasses.asdict(loaded), "code": None})
        except Refusal as refusal:
            section = printing.runbook_section(refusal.code)
            click.echo(f"vru: {with_section(str(refusal), refusal.code, section)}", err=True)
            parts = {name: getattr(refusal, name) for name in ("code", "problem", "where", "kept", "next_step")}
            done.append({"file": str(file), **parts, "runbook": section})
            refused += 1
    if as_json:
        click.echo(printing.as_json(done))
    if refused:
        sys.exit(1)


@main.command()
@source_option
@state_option("loaded", "superseded", "refused", "withdrawn", "set_aside")
@since_option
@json_option
def loads(source: str | None, state: str | None, since: dt.datetime | None, as_json: bool) -> None:
    """Each file that reached the loader: edition (by its release date), months, rows, state, path below landing, and what it changed against the edition before.

    --since is of when it was loaded.
    """
    rows = filters.matching(status.loads(settings()), source=source, state=state, since=since, moment="loaded_at")
    if as_json:
        printing.report(rows, True, empty="")
        return
    printing.banner()
    shown = [
        {
            "load_id": row["load_id"],
            "source": row["source"],
            "dataset": row["dataset"],
            "edition": row["release_date"],
            "months": _months(row["first_period"], row["last_period"]),
            "rows": row["rows_loaded"],
            "state": row["state"],
            "loaded": row["loaded_at"].astimezone(LONDON).date(),
            "quarantined": row["rows_quarantined"] or None,
            "file": row["file_name"],
            "landed_path": row["landed_path"],
            "why": row["reason"] and f"{row['reason']} [{row['code']}]",
            "drift": row["drift"],
            "changed": row["changed"],
        }
        for row in rows
    ]
    below = ("file", "landed_path", "quarantined", "why", "drift", "changed")
    printing.report(
        shown, False, empty="no file is so" if source or state or since else "no file has been loaded", below=below
    )


def _months(first: dt.date | None, last: dt.date | None) -> str:
    """The months a file is about: 2024-11 to 2026-10."""
    ends = [printing.month(first), printing.month(last)]
    return " to ".join(dict.fromkeys(end for end in ends if end))


@main.command()
@click.argument("source")
@click.argument("dataset")
@click.option("--from", "from_release", type=click.DateTime(["%Y-%m-%d"]), help="Release date of the first edition.")
@click.option("--to", "to_release", type=click.DateTime(["%Y-%m-%d"]), help="Release date of the last edition.")
@click.option("--file", help="A path below landing (`vru loads`), or a file name, instead of a range.")
@json_option
def replay(
    source: str,
    dataset: str,
    from_release: dt.datetime | None,
    to_release: dt.datetime | None,
    file: str | None,
    as_json: bool,
) -> None:
    """Load landed files again; then run `vru build`."""
    printing.banner()
    first, last = (day.date().isoformat() if day else None for day in (from_release, to_release))
    done = steps.replay(source, dataset, first, last, file)
    if as_json:
        click.echo(printing.as_json(done))
        return
    click.echo(f"loaded {done['files']} files again, {done['rows']:,} rows")
    for path in done["refused"]:
        click.echo(f"not taken, since it was refused: load it with `vru replay {source} {dataset} --file {path}`")
    for path in done["withdrawn"]:
        click.echo(
            f"not taken, since it was withdrawn: {path}; if it is to stand again, land it by hand with `vru land`"
        )


@main.command()
@click.argument("source")
@click.argument("dataset")
@click.argument("load_id", type=int)
@click.option("--reason", required=True, help="Why, in words; nothing personal, for `vru status` shows it.")
@click.option("--by", default=getpass.getuser, help="Who says so (else your user name here).")
@json_option
def withdraw(source: str, dataset: str, load_id: int, reason: str, by: str, as_json: bool) -> None:
    """Take a load back: landed by mistake, or its owner withdrew it. Its bytes are kept, and read no more; then run `vru build`."""
    before = steps.withdraw(source, dataset, load_id, reason, by)
    if as_json:
        click.echo(printing.as_json({"load_id": load_id, "speaks_again": before}))
        return
    click.echo(
        f"load {load_id} is withdrawn; `vru build` takes it out of the marts, and landing the same file again takes it back"
    )
    if before:
        click.echo(f"the edition before it speaks again: {before}")
    printing.banner()


@main.command()
@click.argument("source", required=False)
@click.argument("dataset", required=False)
@click.option("--file", help="A path below landing (`vru loads`).")
@click.option(
    "--due",
    is_flag=True,
    help="Every file that is older than its source says it may be kept (maintenance does this weekly).",
)
@click.option("--finish", is_flag=True, help="What a build was waited for: history and backups.")
@click.option("--reason", default="", help="Why, in words; nothing personal.")
@click.option("--by", default=getpass.getuser, help="Who says so (else your user name here).")
@json_option
def erase(
    source: str | None,
    dataset: str | None,
    file: str | None,
    due: bool,
    finish: bool,
    reason: str,
    by: str,
    as_json: bool,
) -> None:
    """Erase a file for good, with what was made of it: landing, raw, quarantine, and after the next `vru build` history and backups."""
    if due:
        done = steps.erase_due()
    elif finish:
        done = steps.finish_erasures()
    elif source and dataset and file and reason.strip():
        done = steps.erase(source, dataset, file, reason, by)
    else:
        raise click.UsageError("give SOURCE, DATASET, --file and --reason; or --due; or --finish")
    if as_json:
        click.echo(printing.as_json(done))
        return
    for row in done:
        click.echo(
            f"erased {row['landed_path']}: {row['landed_bytes']:,} bytes of landing, {row['raw_rows']:,} rows of raw, {row['quarantined_rows']:,} lines of "
            f"quarantine, {row['history_rows']:,} rows of history, {row['backups_removed']} backups; {row['exports_to_call_back']} exports to call back (`vru audit`)"
        )
    if file and not done:
        click.echo("its bytes and rows are erased; run `vru build`, then `vru erase --finish` for history and backups")


@main.command()
@click.argument("load_id", type=int)
@click.option("--reason", required=True, help="Why it is true; nothing personal.")
@click.option("--by", default=getpass.getuser, help="Who says so (else your user name here).")
@json_option
def accept(load_id: int, reason: str, by: str, as_json: bool) -> None:
    """Let a load stand that was set aside for having less than what stands beside it: it is true; then run `vru build`."""
    name = set_aside.accept(settings(), load_id, reason, by)
    if as_json:
        click.echo(printing.as_json({"load_id": load_id, "accepted": name}))
        return
    click.echo(f"{name} stands; `vru build` takes it into the marts")
    printing.banner()


@main.command()
@source_option
@click.option("--limit", default=50, show_default=True, help="At most so many rows.")
@json_option
def quarantine(source: str | None, limit: int, as_json: bool) -> None:
    """Rows that were refused, and why."""
    rows = status.refused_rows(settings(), limit, source)
    if as_json:
        printing.report(rows, True, empty="")
        return
    printing.banner()
    shown = [
        {
            **{name: row[name] for name in ("source", "dataset", "row_number")},
            "column_name": printing.shortened(row["column_name"] or "", 20),
            "value": printing.shortened(row["value"] or "", 20),
            **{name: row[name] for name in ("code", "file_name", "landed_path", "reason")},
        }
        for row in rows
    ]
    printing.report(shown, False, empty="no row has been refused", below=("file_name", "landed_path", "reason"))
