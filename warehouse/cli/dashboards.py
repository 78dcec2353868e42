"""Commands about Superset: started, told what to show, stopped."""

from __future__ import annotations

import click

from warehouse import bi
from warehouse.bi import importing, metadata, serving, superset
from warehouse.cli import printing
from warehouse.cli.group import json_option, main, say
from warehouse.platform.connection import ANALYST, password
from warehouse.platform.settings import settings
from warehouse.reports import connecting


@main.group("bi")
def bi_group() -> None:
    """Superset with the dashboards of this warehouse (`make bi`)."""


@bi_group.command("up")
@json_option
def start(as_json: bool) -> None:
    """Start Superset on loopback, in its own environment and with its own database, and give it datasets and dashboards."""
    texts = _texts()
    address = serving.up(settings(), echo=say)
    _import(address, texts)
    if as_json:
        click.echo(printing.as_json({"address": address, "user": importing.ADMIN}))
        return
    printing.banner()
    click.echo(f"{address}  user {importing.ADMIN}, password in {serving.password_file(settings())}")


@bi_group.command("down")
@json_option
def stop(as_json: bool) -> None:
    """Stop Superset; its users and dashboards stay in its database."""
    was_up = serving.down(settings())
    say("Superset is stopped" if was_up else "Superset was not running")
    if as_json:
        click.echo(printing.as_json({"superset_was_up": was_up}))


@bi_group.command("import")
@click.option("--address", required=True, help="Where Superset answers, such as http://superset:8088.")
@json_option
def import_assets(address: str, as_json: bool) -> None:
    """Give datasets and dashboards to a Superset that runs, as the administrator of the secrets folder. Again changes nothing."""
    counts = _import(address.rstrip("/"), _texts())
    if as_json:
        click.echo(printing.as_json(counts))


@bi_group.command("database")
@json_option
def make_database(as_json: bool) -> None:
    """Make Superset's own role and database on the warehouse's server, as its administrator. Again changes nothing."""
    is_new = metadata.set_up(settings())
    if as_json:
        click.echo(printing.as_json({"database": metadata.DATABASE, "role": metadata.ROLE, "is_new": is_new}))
        return
    click.echo(f"ready: database {metadata.DATABASE}, role {metadata.ROLE}")


def _texts() -> dict[str, str]:
    one = connecting.address(settings(), ANALYST)
    model = bi.read(settings().home / "dbt" / "manifest.json", one.name)
    # Without a password: Superset reads it from the secrets folder (bi/superset_config.py).
    return superset.texts(model, f"postgresql+psycopg2://{one.user}@{one.host}:{one.port}/{one.database}")


def _import(address: str, texts: dict[str, str]) -> dict[str, int]:
    counts = importing.load(address, password(settings(), metadata.ADMIN_PASSWORD), texts)
    say("Superset has " + ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items()))
    return counts
