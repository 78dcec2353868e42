"""`vru`: the tool a person uses. Exit status 0 only on success; what goes wrong is a sentence on standard error."""

from __future__ import annotations

import csv
import datetime as dt
import getpass
import json
import os
import sys
import textwrap
import time
import unicodedata
from pathlib import Path
from typing import Any, NoReturn

import click
import psycopg
from tabulate import tabulate

from ingest.connectors import file_drop
from ingest.declaration import find_source, read_sources
from ingest.errors import NO_ROOM, Refusal
from ingest.landing import SYNTHETIC, kind_held
from ingest.naming import label_of
from warehouse import (
    airflow,
    alerts,
    backup,
    bootstrap,
    embedded,
    explaining,
    night,
    nightly,
    privacy,
    session,
    set_aside,
    status,
    watch,
)
from warehouse import publish as publishing
from warehouse.connection import ADMIN, ANALYST, LOGIN_ROLES, connect, url
from warehouse.settings import Settings, settings

SYNTHETIC_BANNER = "SYNTHETIC DATA: invented by the stand-in publishers, for no decision whatever."
AS_JSON = "vru.as_json"  # of a command's context: whether a program reads what it prints
ROLES = click.Choice([*LOGIN_ROLES, ADMIN])


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


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%MZ")
    # tabulate's own wrapping takes text for numbers where it looks like one. A path stays whole: it is there to be copied.
    return textwrap.fill(value, 70, break_long_words=False, break_on_hyphens=False) if isinstance(value, str) else value


def _report(rows: list[dict[str, Any]], as_json: bool, *, empty: str, hide: tuple[str, ...] = ()) -> None:
    """Print rows as a table, or as JSON for programs."""
    if as_json:
        click.echo(json.dumps(rows, default=str, indent=1))
    elif not rows:
        click.echo(empty)
    else:
        shown = [{k: _plain(v) for k, v in row.items() if k not in hide} for row in rows]
        click.echo(tabulate(shown, headers="keys", tablefmt="simple", disable_numparse=True))


def _banner() -> None:
    if kind_held(settings().landing) == SYNTHETIC:
        click.echo(SYNTHETIC_BANNER, err=True)


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


@main.command()
@click.option("--again", is_flag=True, help="Run every statement again, to repair what was changed by hand.")
def setup(again: bool) -> None:
    """Set this home up: PostgreSQL, roles, schemas, Airflow's database. Running it again changes nothing."""
    if repaired := privacy.keep_private(settings()):
        click.echo(
            f"{repaired:,} files and folders of this home could be read by others of this machine; now they cannot"
        )
    bootstrap.set_up(settings(), again=again)
    click.echo(f"ready: {settings().home}")


@main.command("nightly")
@click.option(
    "--sources", default="sandbox", show_default=True, help="sandbox, live, or a list such as mps,nomis or live:mps."
)
def run_nightly(sources: str) -> None:
    """Run the nightly job through Airflow, then say what it published."""
    is_green = night.run(settings(), sources, echo=click.echo)
    _print_outcome()
    if not is_green:
        newest = alerts.alerts(settings())[:1]
        click.echo("\n".join(f"\nALERT: {alert['subject']}\n{alert['body']}" for alert in newest), err=True)
        sys.exit(1)


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
    bootstrap.set_up(chosen)
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
            click.echo(f"{label_of(landed.provenance)}: {nightly.load_one(chosen, declared, dataset, landed)}")
        except Refusal as refusal:
            click.echo(f"vru: {refusal}", err=True)
            refused += 1
    if refused:
        sys.exit(1)


@main.command()
def build() -> None:
    """Transform what is loaded, judge it, and publish it if it is fit. Where the marts hold it already, nothing is done."""
    if not night.build_and_publish(settings(), echo=click.echo, unless_current=True):
        _print_outcome()
        sys.exit(1)
    _print_outcome()


def _print_outcome() -> None:
    chosen = settings()
    release, verdict = status.current_release(chosen), status.newest_verdict(chosen)
    _banner()
    if verdict and verdict["state"] == "held":
        click.echo(f"HELD: {verdict['verdict_reason']} [{verdict['code']}]")
    _print_warnings(chosen)
    _print_set_aside(chosen)
    if release is None:
        click.echo("nothing is published yet")
        return
    click.echo(
        f"release {release['release_id']} ({release['data_kind']}), published {_plain(release['published_at'])}, "
        f"verdict: {release['verdict']}{': ' + release['verdict_reason'] if release['verdict_reason'] else ''}"
    )
    click.echo()
    _report(status.datasets(chosen), False, empty="", hide=("title", "newest_loaded_period_start_date", "checked_at"))
    click.echo()
    counts = [
        {"mart": f"marts.{name}", "rows": rows} for name, rows in sorted(json.loads(release["row_counts"]).items())
    ]
    _report(counts, False, empty="")
    click.echo()
    click.echo(
        'Look next: .venv/bin/vru sql "select * from marts.rpt_borough_month limit 5"; .venv/bin/vru status; README.md'
    )


def _print_set_aside(chosen: Settings) -> None:
    for row in status.set_aside(chosen):
        click.echo(
            f"SET ASIDE: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}: {row['reason']}"
            + (f" [{row['code']}]" if row["code"] else "")
        )


def _print_warnings(chosen: Settings) -> None:
    for row in status.warnings(chosen):
        click.echo(
            f"WARNING: {row['source']} {row['dataset']}, file {row['file_name']}: {row['warning']} [{', '.join(row['codes'])}]"
        )


@main.command("status")
@json_option
def show_status(as_json: bool) -> None:
    """Each dataset: newest period, fetched, state, why; the current release and its verdict."""
    chosen = settings()
    cut_off = airflow.newest_night_cut_off(chosen)
    release, verdict, datasets = status.current_release(chosen), status.newest_verdict(chosen), status.datasets(chosen)
    if as_json:
        found: dict[str, Any] = {
            "home": str(chosen.home),
            "data_kind": status.data_kind(chosen),
            "release": release
            and {**release, **{key: json.loads(release[key]) for key in ("row_counts", "row_changes")}},
            "verdict": verdict,
        }
        found |= {
            "night_cut_off": cut_off,
            "withdrawals": status.withdrawals(chosen),
            "set_aside": status.set_aside(chosen),
            "warnings": status.warnings(chosen),
            "newest_changes": status.newest_changes(chosen),
        }
        click.echo(json.dumps({**found, "datasets": datasets}, default=str, indent=1))
        return
    _banner()
    if cut_off:
        click.echo(f"CUT OFF: {cut_off}\n")
    _report(datasets, False, empty="no dataset is declared", hide=("title",))
    click.echo()
    _print_warnings(chosen)
    for row in status.withdrawals(chosen):
        click.echo(
            f"WITHDRAWN: {row['source']} {row['dataset']}, load {row['load_id']}, file {row['file_name']}, on "
            f"{_plain(row['withdrawn_at'])} by {row['withdrawn_by']}: {row['reason']}"
            f"{'; the marts hold it until the next build' if row['is_still_published'] else ''}"
        )
    _print_set_aside(chosen)
    changes = status.newest_changes(chosen)
    if changes:
        click.echo("What the newest file of each dataset changed against the one before:")
        _report(changes, False, empty="", hide=("loaded_at",))
        click.echo()
    if release is None:
        click.echo("nothing is published yet")
    else:
        click.echo(
            f"current release: {release['release_id']} ({release['data_kind']}), published {_plain(release['published_at'])}, "
            f"{release['row_count']:,} rows, verdict {release['verdict']}"
            f"{': ' + release['verdict_reason'] if release['verdict_reason'] else ''}"
        )
    if verdict and verdict["state"] == "held":
        click.echo(f"HELD since {_plain(verdict['judged_at'])}: {verdict['verdict_reason']} [{verdict['code']}]")
        _report(status.failed_checks(chosen, verdict["release_id"]), False, empty="")


@main.command()
@json_option
def releases(as_json: bool) -> None:
    """Published releases, newest first."""
    if not as_json:
        _banner()
    _report(
        publishing.releases(settings()),
        as_json,
        empty="nothing is published yet",
        hide=("candidate_id", "code_version"),
    )


@main.command()
@click.argument("release", type=int)
def rollback(release: int) -> None:
    """Make the marts what they were at an earlier release."""
    done = publishing.roll_back(settings(), release)
    click.echo(f"release {done.release_id}: the marts are what they were at release {release}")
    _banner()


@main.command()
def rebuild() -> None:
    """Rebuild every table from landing alone: empty raw, load every landed file again, build, judge, publish."""
    if not night.rebuild(settings(), echo=click.echo):
        _print_outcome()
        sys.exit(1)
    _print_outcome()


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
    _banner()
    first, last = (day.date().isoformat() if day else None for day in (from_release, to_release))
    done = nightly.replay(source, dataset, first, last, file)
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
    before = nightly.withdraw(source, dataset, load_id, reason, by)
    click.echo(
        f"load {load_id} is withdrawn; `vru build` takes it out of the marts, and landing the same file again takes it back"
    )
    if before:
        click.echo(f"the release before it speaks again: {before}")
    _banner()


@main.command()
@click.argument("load_id", type=int)
@click.option("--reason", required=True, help="Why it is true; nothing personal.")
@click.option("--by", default=getpass.getuser, help="Who says so (else your user name here).")
def accept(load_id: int, reason: str, by: str) -> None:
    """Let a load stand that was set aside for having less than what stands beside it: it is true; then run `vru build`."""
    name = set_aside.accept(settings(), load_id, reason, by)
    click.echo(f"{name} stands; `vru build` takes it into the marts")
    _banner()


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
    _banner()
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_without_formula(value) for value in row] for row in rows)
    elif as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str, indent=1))
    elif names:
        click.echo(tabulate(rows, headers=names, tablefmt="simple", missingval="∅", disable_numparse=True))
        click.echo(f"({len(rows):,} row{'' if len(rows) == 1 else 's'})")


_FORMULA_STARTS = ("=", "+", "-", "@")
# Nothing is seen of these, and their categories do not say so.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def _without_formula(value: Any) -> Any:
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


@main.group(invoke_without_command=True)
@json_option
@click.pass_context
def sources(context: click.Context, as_json: bool) -> None:
    """What is declared: each dataset, where it comes from, under what licence. `check` asks the publishers."""
    if context.invoked_subcommand:
        return
    if not as_json:
        _banner()
    rows = [
        {
            "source": source.source,
            "dataset": name,
            "title": dataset.title,
            "cadence": dataset.cadence,
            "licence": source.licence,
            "page": dataset.page_url,
        }
        for source in read_sources().values()
        for name, dataset in source.datasets.items()
    ]
    _report(rows, as_json, empty="no source is declared")


@sources.command("check")
@click.argument("names", metavar="[SOURCE]...", nargs=-1)
@click.option("--live", is_flag=True, help="Ask the real publishers instead of the stand-ins.")
@json_option
def check_sources(names: tuple[str, ...], live: bool, as_json: bool) -> None:
    """Ask each publisher whether what we declare still exists, and say what differs. Exit status 1 where something does."""
    asked = list(names) or list(read_sources())
    for name in asked:
        find_source(name)
    found = night.check_sources(
        settings(), asked, is_live=live, echo=(lambda line: click.echo(line, err=True)) if as_json else click.echo
    )
    _report(found, as_json, empty="everything is as declared")
    if found:
        sys.exit(1)


@main.command("alerts")
@json_option
def show_alerts(as_json: bool) -> None:
    """What went wrong, newest first, and whether the alert was delivered."""
    if not as_json:
        _banner()
    _report(
        alerts.alerts(settings()),
        as_json,
        empty="no alert has been raised",
        hide=("alert_id",),
    )


@main.command()
@click.option("--limit", default=50, show_default=True, help="At most so many rows.")
@json_option
def quarantine(limit: int, as_json: bool) -> None:
    """Rows that were refused, and why."""
    if not as_json:
        _banner()
    _report(status.refused_rows(settings(), limit), as_json, empty="no row has been refused", hide=("sha256",))


@main.command()
@json_option
def loads(as_json: bool) -> None:
    """Each file that reached the loader: release, months, rows, state, path below landing, and what it changed against the release before."""
    if not as_json:
        _banner()
    _report(status.loads(settings()), as_json, empty="no file has been loaded", hide=("changes", "sha256"))


@main.command()
def up() -> None:
    """Start Airflow's scheduler, DAG processor, API server and UI for this home.

    A home that holds synthetic data gets the stand-in publishers beside them, so that its scheduled run asks those.
    """
    bootstrap.set_up(settings())
    airflow.up(settings(), stand_ins_for=night.sources_to_stand_in_for(settings()), echo=click.echo)


@main.command()
def down() -> None:
    """Stop what `vru up` started, and the embedded PostgreSQL server."""
    airflow.down(settings(), echo=click.echo)
    if settings().is_embedded and embedded.stop(settings().home / "postgres"):
        click.echo("the PostgreSQL server has stopped")


@main.command("backup")
@click.option("--keep", type=click.IntRange(min=1), help="Remove all but so many of the newest backups afterwards.")
@click.option("--list", "is_list", is_flag=True, help="Show the backups there are, and take none.")
@json_option
def take_backup(keep: int | None, is_list: bool, as_json: bool) -> None:
    """Back up database and landing together; loads and builds wait meanwhile."""
    found = backup.backups(settings()) if is_list else [backup.take(settings(), keep=keep)]
    _report([one.as_row() for one in found], as_json, empty="there is no backup")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@json_option
def restore(folder: Path, as_json: bool) -> None:
    """Bring an empty home to what a backup holds: marts, releases and their history, ledgers, landing."""
    _report([backup.restore(settings(), folder.resolve()).as_row()], as_json, empty="")


@main.command("watch")
@click.option(
    "--every", type=click.IntRange(min=1), help="Look again after so many minutes, until stopped (default: look once)."
)
@json_option
def keep_watch(every: int | None, as_json: bool) -> None:
    """Look for what no night can tell (late, paused, gone, stale), raise one alert for what is new, and exit 1 if anything is wrong."""
    while True:
        found, new = watch.look_and_tell(settings())
        rows = [{"is_new": one in new, "code": one.code, "problem": one.problem} for one in found]
        _report(rows, as_json, empty="all is well")
        if every is None:
            break
        time.sleep(every * 60)
    if found:
        sys.exit(1)


@main.command()
@click.argument("code", required=False)
@json_option
def explain(code: str | None, as_json: bool) -> None:
    """What the code at a message's end means, whose turn it is and what to do; every code where none is given.

    Of a check of the gate (`vru status` names them) it says which suite has it and what it asks.
    """
    if code is None:
        _report(explaining.every(), as_json, empty="", hide=("severity", "cure", "runbook"))
        return
    try:
        found = explaining.explain(code)
    except explaining.UnknownCode as unknown:
        raise click.BadParameter(str(unknown), param_hint="CODE") from None
    click.echo(json.dumps(found, indent=1) if as_json else explaining.in_words(found))


@main.command("airflow", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run_airflow(arguments: tuple[str, ...]) -> None:
    """Airflow's own command, in this home's environment."""
    airflow.execute(settings(), list(arguments))


if __name__ == "__main__":
    main()
