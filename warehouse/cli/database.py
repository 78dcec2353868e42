"""Commands about the database: a query, a connection URL."""

from __future__ import annotations

import csv
import io
import os
import stat
import sys
from pathlib import Path

import click
from tabulate import tabulate

from ingest.errors import Refusal
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.exports.values import without_formula
from warehouse.platform import access, privacy
from warehouse.platform.connection import ADMIN, ANALYST, LOGIN_ROLES, url
from warehouse.platform.settings import settings
from warehouse.reports import connecting, statement


class _Roles(click.Choice[str]):
    """Our own roles, and the logins of borough analysts: those whose password stands in the secrets folder beside ours."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if access.is_login_name(value) and (settings().secrets / value).is_file():
            return value
        return str(super().convert(value, param, ctx))


ROLES = _Roles([*LOGIN_ROLES, ADMIN])


@main.command("sql")
@click.argument("query")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@json_option
def run_sql(query: str, role: str, as_csv: bool, as_json: bool) -> None:
    """A query against the warehouse, as the given role: one statement."""
    names, rows = statement.run(settings(), role, query)
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


@main.group()
def db() -> None:
    """The database itself."""


@db.command("url")
@click.option("--role", type=ROLES, default=ANALYST, show_default=True)
@click.option(
    "--format",
    "form",
    type=click.Choice([*connecting.FORMS]),
    help="How to connect by TCP, in a client's own words. Without it: the address of the socket, password included, for programs of this user.",
)
@click.option("--with-password", is_flag=True, help="Put the password in (uri, jdbc, odbc and env alone).")
@click.option(
    "--host", default="", help="The name other machines know this one by, where VRU_DATABASE_LISTEN lets them in."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write a file that you alone can read; in a folder, one whose name says what it is.",
)
def show_url(role: str, form: str | None, with_password: bool, host: str, out: Path | None) -> None:
    """How to connect: an address, or what a client is configured by.

    No format carries a password unless it is asked for with --with-password; pbids, tds, r and python never do.
    """
    if form is None:
        click.echo(url(settings(), role))
        return
    one = connecting.address(settings(), role, host=host, with_password=with_password)
    text = connecting.written(form, one)
    printing.banner()
    if out is not None:
        target = out / connecting.file_name(form, one) if out.is_dir() else out
        _write_private(target, text)
        click.echo(target)
    else:
        if with_password:
            _refuse_a_file_others_can_read()
        click.echo(text)
    if not with_password:
        click.echo(f"the password of {role} is in {one.password_file}", err=True)


def _write_private(target: Path, text: str) -> None:
    """Write a file for this user alone, whatever stood there and whoever could read it."""
    fresh = target.with_name(f".{target.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(f"{text}\n", encoding="utf-8")
    fresh.replace(target)


def _refuse_a_file_others_can_read() -> None:
    """A shell makes the file of a redirection as its umask says, which is mostly for everybody to read."""
    try:
        state = os.fstat(sys.stdout.fileno())
    except io.UnsupportedOperation:  # another program's object, and no file
        return
    if stat.S_ISREG(state.st_mode) and state.st_mode & privacy.GROUP_AND_OTHERS:
        raise Refusal(
            "SECRET_READABLE",
            "a password would go to a file that others of this machine can read",
            kept="nothing was printed",
            next_step="use --out FILE, which you alone can read, or run `umask 077` before",
        )
