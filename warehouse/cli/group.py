"""The `vru` command itself: what is refused becomes a sentence on standard error and a failing exit status."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import Any, NoReturn

import click
import psycopg

from ingest.errors import NO_ROOM, Refusal
from warehouse.cli import heartbeat, printing
from warehouse.platform import embedded, privacy, session
from warehouse.platform.settings import settings

AS_JSON = "vru.as_json"  # of a command's context: whether a program reads what it prints
# They look and change nothing: they start no server and make no folder.
READ_ONLY = frozenset(
    {
        "alerts",
        "audit",
        "compare",
        "db",
        "explain",
        "export",
        "loads",
        "quality",
        "quarantine",
        "releases",
        "sources",
        "sql",
        "status",
        "trace",
    }
)
LONG = frozenset(
    {"backup", "bi", "build", "nightly", "rebuild", "restore", "setup", "up"}
)  # they tell how they get on, whoever reads it
WAITING = frozenset({"airflow", "watch"})  # they are silent for as long as nothing happens
STOPPED_BY_HAND = 130  # exit status of a program that was stopped by Ctrl-C: 128 and the number of the signal


class _Command(click.Group):
    """Turns what was refused into a sentence and a failing exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            _fail(ctx, refusal)
        except psycopg.Error as error:
            _fail(ctx, Refusal("DATABASE_REFUSED", f"the database refused: {' '.join(str(error).split())}"))
        except KeyboardInterrupt:
            click.echo(
                "vru: stopped by Ctrl-C. What was finished stands; a step that was cut off changed nothing. Run it again at any time.",
                err=True,
            )
            sys.exit(STOPPED_BY_HAND)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # who read our output has gone (`vru loads | head`): Click ends without a word
            code = "DISK_FULL" if error.errno in NO_ROOM else "FOLDER_NOT_USABLE"
            _fail(ctx, Refusal(code, str(error.strerror or error), where=str(error.filename or "")))


def _fail(context: click.Context, refusal: Refusal) -> NoReturn:
    """Say what was refused, where the runbook has more, and last the code; to a program that asked for JSON as an object too."""
    section = printing.runbook_section(refusal.code)
    if context.meta.get(AS_JSON):
        parts = {name: getattr(refusal, name) for name in ("code", "problem", "where", "kept", "next_step")}
        click.echo(json.dumps({"error": {**parts, "runbook": section}}, indent=1))
    click.echo(f"vru: {with_section(str(refusal), refusal.code, section)}", err=True)
    sys.exit(STOPPED_BY_HAND if refusal.code == "NIGHT_STOPPED" else 1)


def with_section(sentence: str, code: str, section: str) -> str:
    """A refusal's sentence that names the runbook's section before its code, unless it does already."""
    if not section or section in sentence:
        return sentence
    words, mark, rest = sentence.rpartition(f"[{code}]")
    more = f"More: docs/runbook.md, section '{section}'."
    return f"{words}{more} {mark}{rest}" if mark and not rest else f"{sentence} {more}"


def _note_json(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[AS_JSON] = value or context.meta.get(AS_JSON, False)
    return value


json_option = click.option("--json", "as_json", is_flag=True, callback=_note_json, help="As JSON, for programs.")


def say(line: str) -> None:
    """Print how a command gets on: on standard output, or on standard error where a program reads that.

    Where the reader has gone, nothing is printed any more, and the command goes on: no night ends because nobody listens.
    """
    heartbeat.note_output()
    _print(line, click.get_current_context(silent=True))


def _print(line: str, context: click.Context | None) -> None:
    is_error = bool(context and context.meta.get(AS_JSON))
    try:
        click.echo(line, err=is_error)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, (sys.stderr if is_error else sys.stdout).fileno())
        os.close(nowhere)


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vru-warehouse", prog_name="vru")
def main() -> None:
    """London's violence-reduction data warehouse."""
    context = click.get_current_context()
    command = context.invoked_subcommand or ""
    session.at_work(f"vru {command}")
    os.umask(privacy.mask(settings()))
    if command in READ_ONLY:
        context.with_resource(embedded.left_stopped())
    if command in LONG:
        context.with_resource(heartbeat.beating(f"vru {command}", lambda line: _print(line, context)))
    elif command not in WAITING:
        context.with_resource(heartbeat.beating(f"vru {command}"))
