"""Commands about loads: files taken by hand, loaded again, withdrawn, accepted; what was refused."""

from __future__ import annotations

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
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.home import setup
from warehouse.platform.settings import settings
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
def land(source: str, dataset: str, files: tuple[Path, ...], release: dt.datetime | None, synthetic: bool) -> None:
    """Take files by hand as if fetched: land them and load them."""
    chosen, declared = settings(), find_source(source)
    declared.dataset(dataset)
    setup.set_up(chosen)
    refused = 0
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
            click.echo(f"{label_of(landed.provenance)}: {steps.load_one(chosen, declared, dataset, landed)}")
        except Refusal as refusal:
            click.echo(f"vru: {refusal}", err=True)
            refused += 1
    if refused:
        sys.exit(1)


@main.command()
@json_option
def loads(as_json: bool) -> None:
    """Each file that reached the loader: release, months, rows, state, path below landing, and what it changed against the release before."""
    if not as_json:
        printing.banner()
    printing.report(status.loads(settings()), as_json, empty="no file has been loaded", hide=("changes", "sha256"))


@main.command()
@click.argument("source")
@click.argument("dataset")
@click.option("--from", "from_release", type=click.DateTime(["%Y-%m-%d"]), help="First release.")
@click.option("--to", "to_release", type=click.DateTime(["%Y-%m-%d"]), help="Last release.")
@click.option("--file", help="A path below landing (`vru loads`), or a file name, instead of a range.")
def replay(
    source: str, dataset: str, from_release: dt.datetime | None, to_release: dt.datetime | None, file: str | None
) -> None:
    """Load landed files again; then run `vru build`."""
    printing.banner()
    first, last = (day.date().isoformat() if day else None for day in (from_release, to_release))
    done = steps.replay(source, dataset, first, last, file)
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
def withdraw(source: str, dataset: str, load_id: int, reason: str, by: str) -> None:
    """Take a load back: landed by mistake, or its owner withdrew it. Its bytes are kept, and read no more; then run `vru build`."""
    before = steps.withdraw(source, dataset, load_id, reason, by)
    click.echo(
        f"load {load_id} is withdrawn; `vru build` takes it out of the marts, and landing the same file again takes it back"
    )
    if before:
        click.echo(f"the release before it speaks again: {before}")
    printing.banner()


@main.command()
@click.argument("load_id", type=int)
@click.option("--reason", required=True, help="Why it is true; nothing personal.")
@click.option("--by", default=getpass.getuser, help="Who says so (else your user name here).")
def accept(load_id: int, reason: str, by: str) -> None:
    """Let a load stand that was set aside for having less than what stands beside it: it is true; then run `vru build`."""
    name = set_aside.accept(settings(), load_id, reason, by)
    click.echo(f"{name} stands; `vru build` takes it into the marts")
    printing.banner()


@main.command()
@click.option("--limit", default=50, show_default=True, help="At most so many rows.")
@json_option
def quarantine(limit: int, as_json: bool) -> None:
    """Rows that were refused, and why."""
    if not as_json:
        printing.banner()
    printing.report(status.refused_rows(settings(), limit), as_json, empty="no row has been refused", hide=("sha256",))
