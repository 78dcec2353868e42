"""Commands about the database: a query, a connection URL."""

from __future__ import annotations

import csv
import json
import sys

import click
from tabulate import tabulate

from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.exports.values import without_formula
from warehouse.platform.connection import ADMIN, ANALYST, LOGIN_ROLES, connect, url
from warehouse.platform.settings import settings

ROLES = click.Choice([*LOGIN_ROLES, ADMIN])


@main.command("sql")
@click.argument("query")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@json_option
def run_sql(query: str, role: str, as_csv: bool, as_json: bool) -> None:
    """A query against the warehouse, as the given role."""
    with connect(settings(), role) as connection:
        cursor = connection.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall() if names else []
    printing.banner()
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([without_formula(value) for value in row] for row in rows)
    elif as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str, indent=1))
    elif names:
        click.echo(tabulate(rows, headers=names, tablefmt="simple", missingval="∅", disable_numparse=True))
        click.echo(f"({len(rows):,} row{'' if len(rows) == 1 else 's'})")


@main.group()
def db() -> None:
    """The database itself."""


@db.command("url")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
def show_url(role: str) -> None:
    """The connection URL for a client, password included."""
    click.echo(url(settings(), role))
