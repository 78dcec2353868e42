"""The `vru` command itself: what is refused becomes a sentence on standard error and a failing exit status."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

import click
import psycopg

from ingest.errors import NO_ROOM, Refusal
from warehouse.platform import privacy, session
from warehouse.platform.settings import settings

AS_JSON = "vru.as_json"  # of a command's context: whether a program reads what it prints


class _Command(click.Group):
    """Turns what was refused into a sentence and a failing exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            _fail(ctx, refusal)
        except psycopg.Error as error:
            _fail(ctx, Refusal("DATABASE_REFUSED", f"the database refused: {' '.join(str(error).split())}"))
        except OSError as error:
            code = "DISK_FULL" if error.errno in NO_ROOM else "FOLDER_NOT_USABLE"
            _fail(ctx, Refusal(code, str(error.strerror or error), where=str(error.filename or "")))


def _fail(context: click.Context, refusal: Refusal) -> NoReturn:
    """Say what was refused, its code last, and to a program that asked for JSON as an object too."""
    if context.meta.get(AS_JSON):
        parts = {name: getattr(refusal, name) for name in ("code", "problem", "where", "kept", "next_step")}
        click.echo(json.dumps({"error": parts}, indent=1))
    click.echo(f"vru: {refusal}", err=True)
    sys.exit(1)


def _note_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[AS_JSON] = value or context.meta.get(AS_JSON, False)
    return value


json_option = click.option("--json", "as_json", is_flag=True, callback=_note_json, help="As JSON, for programs.")


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vru-warehouse", prog_name="vru")
def main() -> None:
    """London's violence-reduction data warehouse."""
    session.at_work(f"vru {click.get_current_context().invoked_subcommand}")
    os.umask(privacy.mask(settings()))
