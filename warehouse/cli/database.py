"""Commands about the database: a query, a connection URL."""

from __future__ import annotations

import csv
import sys
import unicodedata
from typing import Any

import click
from tabulate import tabulate

from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform.connection import ADMIN, ANALYST, LOGIN_ROLES, url
from warehouse.platform.settings import settings
from warehouse.reports import asking

ROLES = click.Choice([*LOGIN_ROLES, ADMIN])


@main.command("sql")
@click.argument("query")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@json_option
def run_sql(query: str, role: str, as_csv: bool, as_json: bool) -> None:
    """A query against the warehouse, as the given role: one statement."""
    names, rows = asking.ask(settings(), role, query)
    printing.banner()
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([without_formula(value) for value in row] for row in rows)
    elif as_json:
        click.echo(printing.as_json([dict(zip(names, row, strict=True)) for row in rows]))
    elif names:
        click.echo(tabulate(rows, headers=names, tablefmt="simple", missingval="∅", disable_numparse=True))
        click.echo(f"({len(rows):,} row{'' if len(rows) == 1 else 's'})")


_FORMULA_STARTS = ("=", "+", "-", "@")
# Nothing is seen of these, and their categories do not say so.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def without_formula(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, made text again (OWASP, CSV injection).

    What is invisible at its beginning is looked through, since some program that passes it on takes it away; and wide, small and raised
    forms of a sign are that sign.
    """
    if not isinstance(value, str):
        return value
    first = next((one for one in value if one not in _BLANKS and unicodedata.category(one)[0] not in "ZCM"), "")
    is_formula = unicodedata.normalize("NFKC", first).startswith(_FORMULA_STARTS) or value.startswith(
        ("\t", "\r", "\n")
    )
    return f"'{value}" if is_formula else value


@main.group()
def db() -> None:
    """The database itself."""


@db.command("url")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
def show_url(role: str) -> None:
    """The connection URL for a client, password included."""
    click.echo(url(settings(), role))
