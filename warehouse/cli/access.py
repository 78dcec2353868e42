"""Commands about who may see what, and who did what: borough analysts' access, and the audit trail."""

from __future__ import annotations

import datetime as dt

import click

from ingest.errors import Refusal
from warehouse.cli import printing
from warehouse.cli.group import json_option, main
from warehouse.platform import access, audit
from warehouse.platform.connection import AUDITOR
from warehouse.platform.settings import settings

why_option = click.option("--why", required=True, help="For what, in words; it is kept and shown.")


@main.group("access")
def access_group() -> None:
    """Which logins see the restricted rows of which boroughs (docs/access.md)."""


@access_group.command("grant")
@click.argument("login")
@click.argument("boroughs", metavar="BOROUGH...", nargs=-1, required=True)
@why_option
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), help="The last day (London); without it, until it is revoked."
)
@json_option
def grant(login: str, boroughs: tuple[str, ...], why: str, until: dt.datetime | None, as_json: bool) -> None:
    """Let a borough analyst see restricted rows of boroughs, by code or name. A login that is not there is made."""
    found = access.boroughs(boroughs)
    rows = access.grant(settings(), login, list(found), why, until=until.date() if until else None)
    printing.report(rows, as_json, empty="")
    if not as_json:
        click.echo(
            f"the password of {login} is in {settings().secrets / login}; `vru db url --role {login} --format ...` says how to connect"
        )


@access_group.command("revoke")
@click.argument("login")
@click.argument("boroughs", metavar="[BOROUGH]...", nargs=-1)
@why_option
@json_option
def revoke(login: str, boroughs: tuple[str, ...], why: str, as_json: bool) -> None:
    """Take boroughs from a login; all, where none is named, and with the last one it cannot log in any more."""
    found = access.boroughs(boroughs)
    rows = access.revoke(settings(), login, list(found), why)
    printing.report(rows, as_json, empty=f"{login} sees no borough's restricted rows, and cannot log in")


@access_group.command("list")
@click.option("--login", help="Of this login alone.")
@click.option("--past", is_flag=True, help="Those that are over too.")
@json_option
def list_memberships(login: str | None, past: bool, as_json: bool) -> None:
    """Who sees which borough's restricted rows, since when, and why."""
    printing.report(
        access.memberships(settings(), login, past=past), as_json, empty="no login sees a borough's restricted rows"
    )


@main.command("audit")
@click.option("--limit", default=50, show_default=True, help="At most so many rows, the newest first.")
@click.option(
    "--check",
    "is_check",
    is_flag=True,
    help="Work the chain of hashes out again, and say the first row that does not fit.",
)
@json_option
def show_audit(limit: int, is_check: bool, as_json: bool) -> None:
    """The audit trail: access given and taken, exports, queries of restricted tables, what was overridden."""
    if not is_check:
        printing.report(audit.rows(settings(), AUDITOR, limit), as_json, empty="nothing is written yet")
        return
    count, misfit = audit.check(settings(), AUDITOR)
    if misfit is not None:
        raise Refusal(
            "AUDIT_BROKEN",
            f"the audit trail does not fit from row {misfit.audit_id} on: {misfit.problem}",
            kept="the trail as it is",
            next_step="compare it with the newest backup before that row, and find out who could act as the database's administrator",
        )
    if as_json:
        click.echo(printing.as_json({"rows": count, "fits": True}))
    else:
        click.echo(f"all {count:,} rows fit, and so does every hash that was noted in {audit.heads(settings())}")
