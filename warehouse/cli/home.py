"""Commands about a home: set up, started, backed up, restored."""

from __future__ import annotations

from pathlib import Path

import click

from warehouse import airflow, runs
from warehouse.bi import serving
from warehouse.cli import printing
from warehouse.cli.group import json_option, main, say
from warehouse.home import backup, setup
from warehouse.home import restore as restoring
from warehouse.platform import embedded, privacy
from warehouse.platform.settings import settings


@main.command("setup")
@click.option("--again", is_flag=True, help="Run every statement again, to repair what was changed by hand.")
@json_option
def set_up_home(again: bool, as_json: bool) -> None:
    """Set this home up: PostgreSQL, roles, schemas, Airflow's database. Running it again changes nothing."""
    if repaired := privacy.keep_private(settings()):
        say(f"{repaired:,} files and folders of this home could be read by others of this machine; now they cannot")
    changed = setup.set_up(settings(), again=again)
    if as_json:
        click.echo(printing.as_json({"home": str(settings().home), "roles_repaired": changed}))
        return
    click.echo(f"ready: {settings().home}")


@main.command()
@json_option
def up(as_json: bool) -> None:
    """Start Airflow's scheduler, DAG processor, API server and UI for this home.

    A home that holds synthetic data gets the stand-in publishers beside them, so that its scheduled run asks those.
    """
    setup.set_up(settings())
    address = airflow.up(settings(), stand_ins_for=runs.sources_to_stand_in_for(settings()), echo=say)
    if as_json:
        click.echo(printing.as_json({"address": address}))


@main.command()
@json_option
def down(as_json: bool) -> None:
    """Stop what `vru up` and `vru bi up` started, and the embedded PostgreSQL server."""
    was_up = airflow.down(settings(), echo=say)
    if superset_was_up := serving.down(settings()):
        say("Superset is stopped")
    is_stopped = settings().is_embedded and embedded.stop(settings().home / "postgres")
    if is_stopped:
        say("the PostgreSQL server has stopped")
    if as_json:
        click.echo(
            printing.as_json(
                {"airflow_was_up": was_up, "superset_was_up": superset_was_up, "server_was_up": is_stopped}
            )
        )


@main.command("backup")
@click.option("--keep", type=click.IntRange(min=1), help="Remove all but so many of the newest backups afterwards.")
@click.option("--list", "is_list", is_flag=True, help="Show the backups there are, and take none.")
@json_option
def take_backup(keep: int | None, is_list: bool, as_json: bool) -> None:
    """Back up database and landing together; loads and builds wait meanwhile."""
    found = backup.backups(settings()) if is_list else [backup.take(settings(), keep=keep)]
    printing.report([one.as_row() for one in found], as_json, empty="there is no backup")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@json_option
def restore(folder: Path, as_json: bool) -> None:
    """Bring an empty home to what a backup holds: marts, releases and their history, ledgers, landing."""
    printing.report([restoring.restore(settings(), folder.resolve()).as_row()], as_json, empty="")


@main.command("airflow", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_airflow(arguments: tuple[str, ...]) -> None:
    """Airflow's own command, in this home's environment."""
    airflow.execute(settings(), list(arguments))
