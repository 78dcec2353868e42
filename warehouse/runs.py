"""A whole night, a build, a rebuild: the steps put together for a person at a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator

import psycopg

from ingest import landing, ledger, queue, raw
from ingest.declaration import find_source, read_sources
from ingest.errors import FileRefused, Refusal
from ingest.landing import events
from ingest.load import gather_statistics
from ingest.load import load as load_file
from ingest.naming import label_of
from warehouse import airflow, alerts, site, steps
from warehouse.build import candidate
from warehouse.home import setup
from warehouse.platform.connection import LOADER, TRANSFORMER, connect
from warehouse.platform.settings import PROJECT, Settings
from warehouse.reports import status, watch

Echo = Callable[[str], None]


def run(chosen: Settings, sources: str, echo: Echo) -> bool:
    """Run the nightly job through Airflow.

    Args:
        sources: `sandbox` (stand-in publishers, started for the run), `live`, or a comma-separated list of sources, which
            narrows the stand-ins, or the real publishers where it begins with `live:`.
        echo: prints a line.

    Returns:
        Whether the run was green.

    Raises:
        Refusal: an unknown source, or data of the kind this home does not hold.
    """
    is_live, names = _chosen(sources)
    for name in names or []:
        find_source(name)
    kind = landing.REAL if is_live else landing.SYNTHETIC
    if landing.kind_held(chosen.landing) not in (None, kind):
        landing.claim_kind(chosen.landing, kind, what=f"the night that SOURCES={sources} asks for")
    echo(f"home: {chosen.home}")
    try:
        repaired = setup.set_up(chosen)
    except Refusal as refusal:
        watch.alert_no_night(chosen, refusal)
        raise
    watch.alert_repaired(chosen, repaired)
    before = status.current_release(chosen)
    with _stand_ins(chosen, names, is_live, echo) as stand_ins:
        is_green = airflow.run_nightly(chosen, names, stand_ins=stand_ins, echo=echo)
    if is_green and before is not None and before == status.current_release(chosen):
        echo(f"nothing was new: release {before['release_id']} stands")
    build_site(chosen, echo)
    return is_green


def build_site(chosen: Settings, echo: Echo) -> None:
    """Build the site of the release that the marts hold, after a run that may have published one.

    A run in a process of its own runs one DAG and triggers no other, so that its site is built here; where a scheduler is up and has built
    it, nothing is left to do. A site that cannot be built raises one alert and changes nothing about the run.
    """
    if not chosen.site_after_night or status.current_release(chosen) is None:
        return
    try:
        built = site.build(chosen, echo=echo)
    except Refusal as refusal:
        run_id = f"site-{uuid.uuid4().hex[:12]}"
        alerts.record_problem(chosen, run_id, "site", "the site", refusal.code, str(refusal))
        alerts.raise_alert(chosen, run_id)
        echo(f"the site was not built whole: {refusal}")
    else:
        echo(
            f"site: {built.rendered} pages written, {built.kept} kept as they were; {built.files} files to take away written"
        )
        echo(str(built.index))


def check_sources(chosen: Settings, names: list[str], *, is_live: bool, echo: Echo) -> list[dict[str, str]]:
    """Ask publishers whether every dataset, file and column we declare still exists.

    Args:
        names: the sources.
        is_live: ask the real publishers; else stand-ins, started for this.

    Returns:
        What differs, one row a finding: source, dataset, asked, differs, code.
    """
    found: list[dict[str, str]] = []
    with _stand_ins(chosen, names, is_live, echo) as stand_ins:
        for name in names:
            for dataset in find_source(name).datasets:
                findings = steps.check(name, dataset, json.dumps(stand_ins) if stand_ins else None)
                echo(f"{name} {dataset}: {'as declared' if not findings else f'{len(findings)} differ'}")
                found += [
                    {"source": name, "dataset": dataset, "asked": one.asked, "differs": one.differs, "code": one.code}
                    for one in findings
                ]
    return found


def _chosen(sources: str) -> tuple[bool, list[str] | None]:
    if sources in {"sandbox", "live"}:
        return sources == "live", None
    is_live = sources.startswith("live:")
    names = [name.strip() for name in sources.removeprefix("live:").split(",") if name.strip()]
    if not names:
        raise Refusal(
            "NOT_DECLARED",
            f"SOURCES={sources!r} names no source",
            next_step=f"use sandbox, live, or {','.join(read_sources())}",
        )
    return is_live, names


def sources_to_stand_in_for(chosen: Settings) -> list[str]:
    """The sources that a scheduled run of this home asks a stand-in for: none unless it holds synthetic data."""
    if landing.kind_held(chosen.landing) != landing.SYNTHETIC:
        return []
    return [name for name in read_sources() if name not in chosen.base_urls]


@contextlib.contextmanager
def _stand_ins(chosen: Settings, names: list[str] | None, is_live: bool, echo: Echo) -> Iterator[dict[str, str] | None]:
    """Where the stand-in publishers of these sources (None: all) are, which live as long as the block; None where the run needs none."""
    wanting = [name for name in names or read_sources() if name not in chosen.base_urls]
    if is_live or not wanting:
        yield None
        return
    command = [sys.executable, "-m", "sandbox", "--while-stdin-is-open", "--today", chosen.london_date().isoformat()]
    command += ["--inbox", str(chosen.inbox)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # closes when we are gone, which ends them
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env=dict(os.environ),
        start_new_session=True,  # Ctrl-C is for us, who end them in our turn
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        line = process.stdout.readline()
        if not line:
            raise Refusal(
                "STAND_INS_DOWN",
                "the stand-in publishers did not start",
                next_step="run `.venv/bin/python -m sandbox` to see why",
            )
        base_url = json.loads(line)["base_url"]
        echo(f"stand-in publishers: {base_url} (synthetic data)")
        yield dict.fromkeys(wanting, base_url)
    finally:
        process.terminate()
        try:
            process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            process.kill()  # they keep nothing
            process.wait()


def build_and_publish(chosen: Settings, echo: Echo, *, unless_current: bool = False, whole: bool = False) -> bool:
    """Transform, judge and publish what is loaded, with one alert where that fails.

    Args:
        unless_current: do nothing where the current release was built from the same files by the same code.
        whole: rebuild every table, not only what new files touch.

    Returns:
        Whether the marts now hold what was loaded.
    """
    setup.set_up(chosen)
    run_id = f"{steps.BY_HAND}{uuid.uuid4().hex[:12]}"
    with _only_build(chosen), airflow.no_run(chosen):
        return _build_and_publish(chosen, run_id, echo, unless_current=unless_current, whole=whole)


@contextlib.contextmanager
def _only_build(chosen: Settings) -> Iterator[None]:
    """Let a second build by hand wait, that it does not replace the candidate while the first judges and publishes it."""
    with connect(chosen, TRANSFORMER, autocommit=True) as connection:
        queue.take(connection, "vru build by hand", "session")
        yield


def _build_and_publish(chosen: Settings, run_id: str, echo: Echo, *, unless_current: bool, whole: bool) -> bool:
    try:
        echo("building the candidate")
        candidate_id = candidate.build(chosen, run_id, unless_current=unless_current, whole=whole)
        if candidate_id is None:
            echo("nothing is new: the marts hold what this build would come to")
            alerts.raise_alert(chosen, run_id)
            return True
        echo("judging it")
        steps.gate(run_id, candidate_id)
        echo("publishing it")
        steps.publish(run_id, candidate_id, force=True)
        alerts.raise_alert(chosen, run_id)
    except steps.ReleaseHeld:
        alerts.raise_alert(chosen, run_id)
        return False
    except Refusal as refusal:
        alerts.record_problem(chosen, run_id, "build", "candidate", refusal.code, str(refusal))
        alerts.raise_alert(chosen, run_id)
        raise
    return True


def rebuild(chosen: Settings, echo: Echo) -> bool:
    """Empty raw and the ledger of loads, load every landed file again in the order it was landed, build and publish.

    Raises:
        Refusal: when a file that stood in raw is now refused; then everything is as it was.
    """
    setup.set_up(chosen)
    with connect(chosen, LOADER, autocommit=True) as connection, queue.lock_exclusive(connection):
        steps.settle_withdrawals(chosen, connection)
        stood = _standing(connection)
        with connection.transaction():
            raw.empty(connection)
            ledger.supersede_all(connection)
            files = list(landing.every_file(chosen.landing))
            never_loaded = [file for file in files if events.state_of(file.path).was_never_loaded]
            waiting, loaded_in_round = _load_round(connection, chosen, files, echo)
            # A file that left a hole when it was first landed was loaded later, once its neighbour had come. One that never was is not
            # loaded beside files that came after it either.
            refused = [file for file in waiting if file in never_loaded]
            waiting = [file for file in waiting if file not in never_loaded]
            while waiting and loaded_in_round:
                waiting, loaded_in_round = _load_round(connection, chosen, waiting, echo)
            for file in [*refused, *waiting]:
                echo(f"{label_of(file.provenance)}: refused, as it was")
            lost = stood - _standing(connection)
            if lost:
                raise Refusal(
                    "REBUILD_LOSES_FILES",
                    f"{len(lost)} files that stood in raw are not in landing or are refused now: {', '.join(sorted(lost))}",
                    kept="raw and the marts are as they were",
                    next_step="restore landing from its backup",
                )
        for source in read_sources().values():
            for dataset in source.datasets:
                gather_statistics(connection, source, dataset)
    return build_and_publish(chosen, echo, whole=True)


def _load_round(
    connection: psycopg.Connection, chosen: Settings, files: list[landing.LandedFile], echo: Echo
) -> tuple[list[landing.LandedFile], bool]:
    """Load what can be loaded now: the files that were refused, and whether any was not."""
    refused = []
    for file in files:
        source = find_source(file.provenance.source)
        try:
            loaded = load_file(connection, source, file.provenance.dataset, file, chosen.now(), chosen.landing)
        except FileRefused:
            refused.append(file)
        else:
            echo(f"{label_of(file.provenance)}: {loaded}")
    return refused, len(refused) < len(files)


def _standing(connection: psycopg.Connection) -> set[str]:
    rows = connection.execute("select source || '/' || dataset || '/' || sha256 from ops.load where state = 'loaded'")
    return {name for (name,) in rows}
