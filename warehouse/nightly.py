"""The steps of a night. An Airflow task calls one of these and nothing else; `vru land` and `vru build` call them too.

Arguments and results are ids, paths and counts, because Airflow keeps them in its own database.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from expectations import gate as judging
from ingest import attempts, landing, queue, raw
from ingest.addresses import is_loopback
from ingest.connectors import check as ask
from ingest.connectors import connector_of, refuse_unforeseen
from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, LastFetch
from ingest.declaration import Source, find_source, read_sources
from ingest.errors import BodyRefused, FileRefused, PublisherUnavailable, Refusal, in_one_line, together
from ingest.http import Client
from ingest.load import Loaded, gather_statistics
from ingest.load import load as load_file
from ingest.naming import label_of
from warehouse import alerts, backup, readers, roles, session, set_aside, transform
from warehouse import publish as publishing
from warehouse.connection import LOADER, PUBLISHER, connect, has_admin
from warehouse.settings import Settings, settings

# Of a task: what it had begun, a transaction or a file, is not there.
CUT_OFF = (
    "it was cut off: its process was killed (out of memory, perhaps), it ran longer than it may, or its log in Airflow says "
    "why. Kept: what was there before it. Next: read that log, then run it again."
)


# A publisher that is away is asked again for so long after a night began, and no longer: what it has not sent by then waits for the next.
FETCHING = dt.timedelta(minutes=10)
# Seconds for which a publisher is asked that was away a moment ago (else ingest.http.DEADLINE).
IMPATIENT = 20.0


BY_HAND = "build-"  # how the id of a run begins that a person started at a terminal


class ReleaseHeld(Refusal):
    """The gate blocked the candidate: yesterday's marts stand."""


class _PartsRefused(Refusal):
    """Some of a dataset's copies, which stand alone, were refused; the others were landed."""

    landed: tuple[str, ...] = ()


@contextmanager
def _noted(run_id: str, step: str, subject: str) -> Iterator[None]:
    """Record what goes wrong in a step for the run's one alert; then let it go on up."""
    if not run_id.startswith(BY_HAND):
        session.at_work(f"a night's {step}")
    try:
        yield
    except Refusal as refusal:
        alerts.record_problem(settings(), run_id, step, subject, refusal.code, str(refusal))
        raise
    except Exception as error:
        alerts.record_problem(
            settings(),
            run_id,
            step,
            subject,
            "UNFORESEEN",
            f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        )
        raise


def base_url(chosen: Settings, source: Source) -> tuple[str, bool]:
    """Where a source is fetched from, and whether that is a stand-in publisher: those are on this machine, no other is."""
    base = chosen.base_urls.get(source.source, source.base_url)
    return base, is_loopback(_host(base))


def _for_run(stand_ins: str | None) -> Settings:
    """The settings, with the stand-in publishers of a run (JSON: address by source).

    Raises:
        Refusal: when one of them is not on this machine: who starts a run may not send it anywhere else.
    """
    chosen = settings()
    try:
        addresses = {str(name): str(address) for name, address in json.loads(stand_ins or "{}").items()}
    except (ValueError, AttributeError):
        raise Refusal(
            "OPTION_INVALID", f"stand_ins is not JSON of addresses by source: {stand_ins!r}", kept="nothing changed"
        ) from None
    for name, address in addresses.items():
        if not is_loopback(_host(address)):
            raise Refusal(
                "OPTION_INVALID", f"the stand-in publisher of {name} is at {address}, which is not this machine"
            )
    return chosen.model_copy(update={"base_urls": {**chosen.base_urls, **addresses}})


def begin(run_id: str, sources: list[str] | None, stand_ins: str | None = None) -> None:
    """Start a night: deliver alerts that are still waiting, and see that the night's data are of the home's kind.

    Raises:
        Refusal: an unknown source is named, or stand-ins are asked for in a home of real data, or the other way round.
    """
    with _noted(run_id, "begin", "nightly"):
        chosen = _for_run(stand_ins)
        _clock(chosen, run_id).write_text(chosen.now().isoformat(), encoding="utf-8")
        alerts.deliver_pending(chosen)
        with connect(chosen, PUBLISHER) as connection:
            readers.end_overdue_and_say_so(connection)
            if changed := roles.changed(chosen, connection):
                alerts.record_problem(chosen, run_id, "watch", "roles", "ROLE_CHANGED", roles.problem(changed))
        with connect(chosen, LOADER, autocommit=True) as connection:
            settle_withdrawals(chosen, connection)
        for name in sources or read_sources():
            source = find_source(name)
            _, is_stand_in = base_url(chosen, source)
            kind = landing.SYNTHETIC if is_stand_in else landing.REAL
            held = landing.kind_held(chosen.landing)
            if held not in (None, kind):
                where = f"the {'stand-in' if is_stand_in else 'real'} publisher of {name}"
                landing.claim_kind(chosen.landing, kind, what=where)


def fetch(run_id: str, source: str, dataset: str, stand_ins: str | None = None) -> list[str]:
    """Ask a publisher for every copy of a dataset's file that has changed since the last fetch, and land it.

    Returns:
        Paths of the landed files below landing, oldest first.

    Raises:
        PublisherUnavailable: worth trying again.
        BodyRefused, Refusal: not worth trying again now.
    """
    try:
        return _fetch(run_id, source, dataset, stand_ins)
    except _PartsRefused as refusal:
        # It is written down for the run's alert and on the dataset; what came goes on to be loaded.
        if not refusal.landed:
            raise
        return list(refusal.landed)


def _clock(chosen: Settings, run_id: str, source: str = "") -> Path:
    """The file that says when a night began, or since when a publisher has been away in it; those of other days are removed."""
    folder = chosen.home / "nights"
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - 86400:
            old.unlink(missing_ok=True)
    return folder / f"{hashlib.sha256(run_id.encode()).hexdigest()[:16]}{source and '.'}{source}"


@contextmanager
def _until_fetching_ends(chosen: Settings, run_id: str, source: str) -> Iterator[None]:
    """Let a publisher that is away be asked again as long as the night still fetches; after that it is refused for good."""
    clock, away_since = _clock(chosen, run_id), _clock(chosen, run_id, source)
    try:
        yield
    except PublisherUnavailable as away:
        away_since.touch()
        begun = dt.datetime.fromisoformat(clock.read_text(encoding="utf-8")) if clock.exists() else chosen.now()
        if chosen.now() - begun < FETCHING:
            raise
        raise Refusal(
            away.code,
            away.problem,
            where=away.where,
            kept=away.kept,
            next_step=f"the night has been fetching for more than {FETCHING.seconds // 60} minutes; the next one asks again",
        ) from away
    away_since.unlink(missing_ok=True)


def _fetch(run_id: str, source: str, dataset: str, stand_ins: str | None) -> list[str]:
    chosen, declared = _for_run(stand_ins), find_source(source)
    with (
        _noted(run_id, "fetch", f"{source} {dataset}"),
        _look_recorded(chosen, run_id, source, dataset),
        _until_fetching_ends(chosen, run_id, source),
    ):
        base, is_stand_in = base_url(chosen, declared)
        landed: list[str] = []
        # One that did not answer a moment ago, for this dataset or another, is not waited for as long again.
        deadline = IMPATIENT if _clock(chosen, run_id, source).exists() else None
        with _client(chosen, declared, base, is_stand_in, deadline) as client:
            context = _look(
                chosen,
                client,
                declared,
                dataset,
                base,
                is_stand_in,
                last_fetches=_last_fetches(chosen, source, dataset),
            )
            way = connector_of(declared, declared.dataset(dataset))
            refused: list[BodyRefused] = []
            unchanged: list[Fetched] = []
            with refuse_unforeseen(context):
                offers = way.list_editions(context)
            for offer in offers:
                try:
                    with refuse_unforeseen(context, offer.label):
                        found = way.fetch(context, offer)
                except BodyRefused as refusal:
                    if not offer.stands_alone:
                        raise
                    refused.append(refusal)
                    continue
                if found.landed is None:
                    unchanged.append(found)  # written down together: there may be hundreds
                    continue
                landed.append(found.landed.path.relative_to(chosen.landing).as_posix())
                _remember(chosen, source, dataset, found)
            _remember(chosen, source, dataset, *unchanged)
            if refused:
                parts = _PartsRefused(refused[0].code, together(refused))
                parts.landed = tuple(landed)
                raise parts
    return landed


def check(source: str, dataset: str, stand_ins: str | None = None) -> list[Finding]:
    """Ask a publisher whether what is declared of a dataset is still there. Lands, loads and notes nothing.

    Returns:
        What differs; nothing where all is as declared.
    """
    chosen, declared = _for_run(stand_ins), find_source(source)
    base, is_stand_in = base_url(chosen, declared)
    with _client(chosen, declared, base, is_stand_in) as client:
        context = _look(chosen, client, declared, dataset, base, is_stand_in, last_fetches=())
        return ask(context)


def _client(chosen: Settings, source: Source, base: str, is_stand_in: bool, deadline: float | None = None) -> Client:
    allowed = (_host(base),) if is_stand_in else (_host(base), *source.allowed_hosts)
    return Client(
        allowed, ca_bundle=chosen.ca_bundle, deadline=deadline, pacing=chosen.home / "turns", scratch=chosen.landing
    )


def _look(
    chosen: Settings,
    client: Client,
    source: Source,
    dataset: str,
    base: str,
    is_stand_in: bool,
    *,
    last_fetches: tuple[LastFetch, ...],
) -> FetchContext:
    return FetchContext(
        client=client,
        source=source,
        name=dataset,
        base_url=base,
        landing=chosen.landing,
        inbox=chosen.inbox,
        now=chosen.now(),
        last_fetches=last_fetches,
        must_be_synthetic=is_stand_in,
        key=_publishers_key(chosen, source.source),
        inbox_url=chosen.inbox_url or None,
    )


def load(run_id: str, source: str, dataset: str, landed: list[str]) -> dict[str, Any]:
    """Load landed files into raw: those named, any that an earlier night landed and did not get to load, and those that were refused
    for what has changed since.

    Returns:
        How many files and rows are new.

    Raises:
        FileRefused: after every file has been tried; names each that was refused.
    """
    chosen, declared = settings(), find_source(source)
    refused: list[Refusal] = []
    files = rows = 0
    with _noted(run_id, "load", f"{source} {dataset}"), connect(chosen, LOADER, autocommit=True) as connection:
        returned = _returned(chosen, source, dataset)
        refused_before = _refused_before(chosen, source, dataset)
        again = [path for path in refused_before if path not in landed]
        for path in dict.fromkeys([*_unloaded(chosen, source, dataset), *returned, *landed, *again]):
            try:
                file = landing.find(chosen.landing, path)
                if told := landing.read_withdrawal(file.path):
                    raise _is_withdrawn(file, told, "came again", "; else ask its sender to take it away")
                if refused_before.get(path):
                    attempts.forget(file.path)
                if path in landed or path in returned:
                    file = dataclasses.replace(file, arrived_at=chosen.now())
                done = load_file(connection, declared, dataset, file, chosen.now(), chosen.landing)
            except Refusal as refusal:
                # Of a file that is refused as it was, the alert went out then.
                if path not in again or not isinstance(refusal, FileRefused):
                    refused.append(refusal)
                continue
            files += done.is_new
            rows += done.rows if done.is_new else 0
        if files:
            gather_statistics(connection, declared, dataset)
        if len(refused) == 1:
            raise refused[0]
        if refused:
            raise FileRefused(refused[0].code, together(refused))
    return {"files": files, "rows": rows}


def load_one(chosen: Settings, source: Source, dataset: str, landed: landing.LandedFile) -> Loaded:
    """Load one landed file. Raises as ingest.load.load."""
    attempts.forget(landed.path)
    with connect(chosen, LOADER, autocommit=True) as connection:
        settle_withdrawals(chosen, connection)
        done = load_file(connection, source, dataset, landed, chosen.now(), chosen.landing)
        if done.is_new:
            gather_statistics(connection, source, dataset)
        return done


def build(run_id: str) -> str | None:
    """Build the candidate, unless the marts already hold what it would be. Returns its id, or None. Raises Refusal.

    Loads that are set aside for it are problems of the run: one alert names them, and the rest is published.
    """
    with _noted(run_id, "transform", "candidate"):
        return set_aside.build(settings(), run_id, unless_current=True)


def gate(run_id: str, candidate_id: str) -> str:
    """Judge the candidate. Returns the verdict (passed or warned).

    Raises:
        ReleaseHeld: it is blocked; names checks, areas and months.
    """
    with _noted(run_id, "gate", "candidate"):
        verdict = judging.judge(settings(), candidate_id)
        _clear_what_waited(settings())
        if verdict.verdict == "blocked":
            raise ReleaseHeld(
                "GATE_HELD",
                f"the release is held: {verdict.reason}",
                kept="the marts are as they were",
                next_step="docs/runbook.md, section 'A release is held'; `vru status` says since when",
            )
    return str(verdict.verdict)


def _clear_what_waited(chosen: Settings) -> None:
    """Take out of raw what was superseded while a candidate built from it waited for its verdict."""
    with connect(chosen, LOADER, autocommit=True) as connection:
        for source, by_dataset in raw.left_behind(connection).items():
            with connection.transaction():
                queue.lock_shared(connection, source)
                for dataset, load_ids in by_dataset.items():
                    raw.take_out_for_good(connection, source, dataset, load_ids)


def publish(run_id: str, candidate_id: str, *, force: bool = False) -> dict[str, Any]:
    """Publish the judged candidate. Returns release id and state. Raises Refusal.

    Args:
        force: a person asked for it: publish it also when the marts were rolled back from the same files.
    """
    with _noted(run_id, "publish", "candidate"):
        try:
            done = publishing.publish(settings(), candidate_id, force=force)
        except publishing.RolledBackFrom:
            # Somebody went back on purpose; `marts.data_status` says so until new files come. That is no failure of the night.
            return {"release_id": None, "state": "held"}
    return {"release_id": done.release_id, "state": done.state}


def notify(run_id: str, failed: Sequence[str] = ()) -> None:
    """Raise the run's one alert where anything went wrong.

    Args:
        failed: Airflow's ids of the tasks that failed. One that nobody wrote a word of was killed, or ran out of time.
    """
    told = alerts.problems(settings(), run_id)
    for task_id in failed:
        source, _, task = task_id.rpartition(".")
        step, _, dataset = task.partition("_") if source else (task, "", "")
        if not any(step == other and (not source or subject == f"{source} {dataset}") for other, subject in told):
            alerts.record_problem(
                settings(),
                run_id,
                step,
                f"{source} {dataset}" if source else "the run",
                "NIGHT_CUT_OFF",
                CUT_OFF,
            )
    alerts.raise_alert(settings(), run_id)


def replay(
    source: str, dataset: str, from_release: str | None = None, to_release: str | None = None, file: str | None = None
) -> dict[str, Any]:
    """Load landed files again, from landing alone: those of a range of releases, or one file.

    Args:
        from_release, to_release: release dates (YYYY-MM-DD), both included; None leaves that end open.
        file: path below landing, or the name of the only landed file of that name, instead of a range.

    Returns:
        How many files and rows were loaded, and of a range the paths of the refused and of the withdrawn files that were left
        out of it.

    Raises:
        Refusal: when no landed file is meant, one of them is refused, or the one that is meant is withdrawn.
    """
    chosen, declared = settings(), find_source(source)
    declared.dataset(dataset)
    done = []
    with connect(chosen, LOADER, autocommit=True) as connection:
        settle_withdrawals(chosen, connection)
        files = _landed(chosen, source, dataset) if file is None else [_meant(chosen, source, dataset, file)]
        for landed in files:
            if told := landing.read_withdrawal(landed.path):
                raise _is_withdrawn(landed, told, "is read no more")
            if file is not None:
                attempts.forget(landed.path)
            with connection.transaction():  # out and in again together, or not at all
                queue.lock_shared(connection, source)
                load_id, release = _ledger_line(connection, source, dataset, landed.provenance.sha256)
                # A range is of files that stand in raw; one that was refused is asked for by its path.
                if file is None and (load_id is None or not _within(release, from_release, to_release)):
                    continue
                if load_id is not None:
                    raw.take_out(connection, source, dataset, [load_id])
                    connection.execute("update ops.load set state = 'superseded' where load_id = %s", [load_id])
                done.append(load_file(connection, declared, dataset, landed, chosen.now(), chosen.landing))
        gather_statistics(connection, declared, dataset)
        asked = (connection, source, dataset, from_release, to_release)
        refused = _left_out(*asked, "refused") if file is None else []
        withdrawn = _left_out(*asked, "withdrawn") if file is None else []
    if not done:
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            f"no loaded file of {source} {dataset} lies in that range",
            next_step="a range is of files that stand in raw; one that was refused is loaded by its path: "
            f"`vru replay {source} {dataset} --file {refused[0] if refused else 'PATH'}` (`vru loads` gives each path)"
            + (f"; one that was withdrawn by landing it by hand: {', '.join(withdrawn)}" if withdrawn else ""),
        )
    rows = sum(loaded.rows for loaded in done)
    return {"files": len(done), "rows": rows, "refused": refused, "withdrawn": withdrawn}


def _is_withdrawn(file: landing.LandedFile, told: dict[str, str], but: str, else_do: str = "") -> Refusal:
    return Refusal(
        "FILE_WITHDRAWN",
        f"was withdrawn on {told['withdrawn_at'][:10]} by {told['withdrawn_by']} ({told['reason']}) and {but}",
        where=f"{file.provenance.source} {file.provenance.dataset}, {label_of(file.provenance)}",
        kept="its bytes are in landing; it is in no build",
        next_step=f"if it is to stand again, land it by hand: `vru land`{else_do}",
    )


def withdraw(source: str, dataset: str, load_id: int, reason: str, by: str) -> str | None:
    """Take a load back: its rows out of raw, its bytes kept and read by no build and no rebuild, who and why in ops.withdrawal.

    Of a dataset that keeps only the newest release of each part, the one before it speaks again.

    Args:
        load_id: a load of that dataset whose rows stand in raw (`vru loads`).
        reason: why, in words; without anything personal, for it is shown.
        by: who says so.

    Returns:
        What loading the release before it came to, in words; None where none had to be.

    Raises:
        Refusal: it is no such load, the release before it cannot be loaded, or `reason` or `by` is no text; nothing changed.
    """
    chosen, declared = settings(), find_source(source)
    declared_dataset = declared.dataset(dataset)
    reason, by = _told("reason", reason), _told("by", by)
    again = None
    with connect(chosen, LOADER, autocommit=True) as connection:
        if load_id in settle_withdrawals(chosen, connection):
            return None  # it was withdrawn by a command that was killed before it had noted that beside the file
        with connection.transaction():
            queue.lock_shared(connection, source)
            row = connection.execute(
                "select landed_path, part, state from ops.load where source = %s and dataset = %s and load_id = %s",
                [source, dataset, load_id],
            ).fetchone()
            if row is None or row[2] not in {"loaded", "set_aside"}:
                raise Refusal(
                    "LOAD_IN_ANOTHER_STATE",
                    f"load {load_id} of {source} {dataset} {f'is {row[2]}' if row else 'is not in the ledger'}",
                    kept="nothing changed",
                    next_step="only a load that stands or is set aside can be withdrawn: state loaded or set_aside in `vru loads`",
                )
            landing.find(chosen.landing, row[0])
            raw.take_out_for_good(connection, source, dataset, [load_id])
            connection.execute("update ops.load set state = 'withdrawn' where load_id = %s", [load_id])
            connection.execute(
                "insert into ops.withdrawal (load_id, withdrawn_at, withdrawn_by, reason) values (%s, %s, %s, %s)",
                [load_id, chosen.now(), by, reason],
            )
            if declared_dataset.keep_releases == "newest_of_each_part":
                again = _load_before(connection, chosen, declared, dataset, row[1])
        # Only now: what is refused or killed before this is as if it had not been asked for.
        settle_withdrawals(chosen, connection)
    return again


def _told(option: str, text: str) -> str:
    """What a person gave as an option, in one line. Raises Refusal where it is blank or has bytes that are no UTF-8."""
    if not text.strip() or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal(
            "OPTION_INVALID",
            f"--{option} is {'not text in UTF-8' if text.strip() else 'empty'}",
            kept="nothing changed",
            next_step="give a reason",
        )
    return in_one_line(text.strip())


def settle_withdrawals(chosen: Settings, connection: psycopg.Connection) -> list[int]:
    """Make the notes beside landed files say what the ledger says, where a command was killed between the two.

    Bytes that the ledger does not know keep theirs: a home that is restored from landing alone has nothing else.

    Args:
        connection: as vru_loader, not in a transaction.

    Returns:
        The withdrawn loads that were noted now.
    """
    noted = []
    for load_id, path, withdrawn_at, by, reason in connection.execute(
        """select l.load_id, l.landed_path, w.withdrawn_at, w.withdrawn_by, w.reason
           from (select distinct on (source, dataset, sha256) * from ops.load where state <> 'refused'
                 order by source, dataset, sha256, load_id desc) as l
           left join ops.withdrawal as w on w.load_id = l.load_id"""
    ).fetchall():
        file = chosen.landing / path
        if withdrawn_at is None:
            landing.clear_withdrawal(file)
        elif file.is_file() and landing.read_withdrawal(file) is None:
            landing.note_withdrawal(file, withdrawn_at, by, reason)
            noted.append(load_id)
    return noted


def _load_before(
    connection: psycopg.Connection, chosen: Settings, declared: Source, dataset: str, part: str
) -> str | None:
    """Load the newest release of a part that was superseded and not withdrawn since; what that came to, None where there is none."""
    row = connection.execute(
        """select landed_path from ops.load as l where source = %s and dataset = %s and part = %s and state = 'superseded'
               and not exists (select from ops.load as o where o.source = l.source and o.dataset = l.dataset
                               and o.sha256 = l.sha256 and o.load_id > l.load_id and o.state = 'withdrawn')
           order by release_date desc, landed_at desc, load_id desc limit 1""",
        [declared.source, dataset, part],
    ).fetchone()
    if row is None:
        return None
    try:
        before = landing.find(chosen.landing, row[0])
        done = load_file(connection, declared, dataset, before, chosen.now(), chosen.landing)
    except Refusal as refusal:
        raise Refusal(
            refusal.code,
            f"the release before it cannot take its place: {refusal.problem}",
            where=refusal.where,
            kept="nothing changed, and nothing is withdrawn",
            next_step="put that right, then withdraw again",
        ) from refusal
    return f"{label_of(before.provenance)}: {done}"


def maintain() -> dict[str, Any]:
    """Deliver alerts that are still waiting, and tidy what the nights leave: half-landed files, planner statistics.

    Returns:
        How many alerts went out and how many half-landed files were removed.
    """
    chosen = settings()
    folders = [chosen.landing, *chosen.landing.glob("*/*/")]
    removed = sum(landing.remove_half_landed(folder) for folder in folders)
    return {"alerts_delivered": alerts.deliver_pending(chosen), "half_landed_files_removed": removed}


def back_up(*, keep: int) -> dict[str, Any]:
    """Take the weekly backup, where this process may read every table.

    In a stack whose services have no admin's connection, `vru backup` is run where `vru setup` is (docs/runbook.md).

    Args:
        keep: so many of the newest backups stay.
    """
    chosen = settings()
    if not has_admin(chosen):
        return {
            "backup": None,
            "why": "this process has no admin's connection; run `vru backup` where `vru setup` runs",
        }
    return {name: str(value) for name, value in backup.take(chosen, keep=keep).as_row().items() if name != "folder"}


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


@contextmanager
def _look_recorded(chosen: Settings, run_id: str, source: str, dataset: str) -> Iterator[None]:
    """Note the outcome of a fetch on the dataset, where `marts.data_status` reads it."""

    def note(reason: str | None, code: str | None = None) -> None:
        with connect(chosen, LOADER) as connection:
            connection.execute(
                """update ops.dataset set last_checked_at = %(now)s, last_check_failed_because = %(reason)s,
                       last_check_failed_code = %(code)s,
                       failing_since = case when %(reason)s::text is null then null else coalesce(failing_since, %(now)s) end
                   where source = %(source)s and dataset = %(dataset)s""",
                {"now": chosen.now(), "reason": reason, "code": code, "source": source, "dataset": dataset},
            )
            if reason is None:  # at this try: what went wrong at one before is nobody's concern any more
                connection.execute(
                    "delete from ops.run_problem where run_id = %s and step = 'fetch' and subject = %s",
                    [run_id, f"{source} {dataset}"],
                )

    try:
        yield
    except Refusal as refusal:
        note(str(refusal), refusal.code)
        raise
    note(None)


def _publishers_key(chosen: Settings, source: str) -> str | None:
    """The key that a publisher gave us, from VRU_<SOURCE>_KEY, else from secrets/<source>_key; None where there is neither."""
    if given := chosen.publisher_keys.get(source):
        return given.get_secret_value().strip() or None
    file = chosen.secrets / f"{source}_key"
    return file.read_text(encoding="utf-8").strip() or None if file.is_file() else None


def _last_fetches(chosen: Settings, source: str, dataset: str) -> tuple[LastFetch, ...]:
    """What was where at the last fetch, as far as its bytes still stand in landing and were read."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            "select url, etag, last_modified, sha256 from ops.fetched_address where source = %s and dataset = %s",
            [source, dataset],
        ).fetchall()
    folder = chosen.landing / source / dataset
    held = {file.name.partition(".")[0] for file in folder.glob("*.papers.json")}
    return tuple(LastFetch(*row) for row in rows if row[3] in held)


def _remember(chosen: Settings, source: str, dataset: str, *found: Fetched) -> None:
    if not found:
        return
    with connect(chosen, LOADER) as connection:
        connection.cursor().executemany(
            """insert into ops.fetched_address (source, dataset, url, etag, last_modified, sha256, bytes, fetched_at, checked_at)
               values (%(source)s, %(dataset)s, %(url)s, %(etag)s, %(modified)s, %(sha256)s, %(bytes)s, %(now)s, %(now)s)
               on conflict (source, dataset, url) do update set checked_at = excluded.checked_at, etag = excluded.etag,
                   last_modified = excluded.last_modified, sha256 = excluded.sha256,
                   bytes = case when %(is_new)s then excluded.bytes else fetched_address.bytes end,
                   fetched_at = case when %(is_new)s then excluded.fetched_at else fetched_address.fetched_at end""",
            [
                {
                    "source": source,
                    "dataset": dataset,
                    "url": one.offer.url,
                    "etag": one.etag,
                    "modified": one.last_modified,
                    "sha256": one.sha256,
                    "bytes": one.bytes,
                    "now": chosen.now(),
                    "is_new": one.landed is not None,
                }
                for one in found
            ],
        )


def _landed(chosen: Settings, source: str, dataset: str) -> list[landing.LandedFile]:
    return [
        f
        for f in landing.every_file(chosen.landing)
        if (f.provenance.source, f.provenance.dataset) == (source, dataset)
    ]


def _unloaded(chosen: Settings, source: str, dataset: str) -> list[str]:
    """Landed files that no line of the ledger speaks of: a night was killed between landing and loading them."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute("select sha256 from ops.load where source = %s and dataset = %s", [source, dataset])
        known = {sha256 for (sha256,) in rows}
    return [
        file.path.relative_to(chosen.landing).as_posix()
        for file in _landed(chosen, source, dataset)
        if file.provenance.sha256 not in known
    ]


def _refused_before(chosen: Settings, source: str, dataset: str) -> dict[str, bool]:
    """Files that their publisher offers, that were refused, and that may be taken now, each with whether the code is another.

    A refusal is not of the bytes alone. Another file of the source has been loaded since (one that leaves no hole any more, say), or the code, a correction or a seed has
    changed since the last build before.
    """
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            """select
                 refused.landed_path,
                 exists (
                   select from ops.load as other
                   where other.source = refused.source and other.state in ('loaded', 'superseded')
                     and other.loaded_at > refused.loaded_at
                 ),
                 (
                   select c.code_version from ops.candidate as c where c.begun_at <= refused.loaded_at
                   order by c.begun_at desc limit 1
                 )
               from (
                 select distinct on (sha256) * from ops.load where source = %(source)s and dataset = %(dataset)s
                 order by sha256, load_id desc
               ) as refused
               where refused.state = 'refused'
                 and refused.sha256 in (
                   select sha256 from ops.fetched_address where source = %(source)s and dataset = %(dataset)s
                 )
               order by refused.load_id""",
            {"source": source, "dataset": dataset},
        ).fetchall()
    version = transform.code_version() if rows else None
    return {
        path: code not in (None, version)
        for path, is_other_loaded, code in rows
        if (is_other_loaded or code not in (None, version)) and (chosen.landing / path).is_file()
    }


def _returned(chosen: Settings, source: str, dataset: str) -> list[str]:
    """Landed files that their publisher went back to, and that do not speak for it: a night was killed before it loaded them again."""
    with connect(chosen, LOADER) as connection:
        rows = connection.execute(
            """select distinct this.landed_path
               from ops.fetched_address as seen
               inner join ops.load as this
                 on this.source = seen.source and this.dataset = seen.dataset and this.sha256 = seen.sha256
                   and this.state in ('loaded', 'superseded')
               inner join ops.load as later
                 on later.source = this.source and later.dataset = this.dataset and later.part = this.part
                   and later.release_date = this.release_date and later.state = 'loaded' and later.sha256 <> this.sha256
                   and later.landed_at > this.landed_at and later.landed_at < seen.fetched_at
               where seen.source = %s and seen.dataset = %s
                 and not exists (
                   select from ops.load as newer
                   where newer.source = this.source and newer.dataset = this.dataset and newer.sha256 = this.sha256
                     and newer.landed_at >= seen.fetched_at
                 )""",
            [source, dataset],
        ).fetchall()
    return [path for (path,) in rows]


def _ledger_line(
    connection: psycopg.Connection, source: str, dataset: str, sha256: str
) -> tuple[int | None, dt.date | None]:
    row = connection.execute(
        """select load_id, release_date from ops.load
           where source = %s and dataset = %s and sha256 = %s and state in ('loaded', 'set_aside')""",
        [source, dataset, sha256],
    ).fetchone()
    return row or (None, None)


def _meant(chosen: Settings, source: str, dataset: str, file: str) -> landing.LandedFile:
    """The landed file that a person means by its path below landing, or by its name."""
    if "/" in file:
        return landing.find(chosen.landing, file)
    paths = landing.find_by_name(chosen.landing, source, dataset, file)
    if len(paths) != 1:
        raise Refusal(
            "LANDED_FILE_NOT_THERE",
            f"{len(paths) or 'no'} landed files of {source} {dataset} have the name {file}",
            next_step=f"give the path of one: {', '.join(paths)}" if paths else "`vru loads` gives the path of each",
        )
    return landing.find(chosen.landing, paths[0])


def _left_out(
    connection: psycopg.Connection, source: str, dataset: str, first: str | None, last: str | None, state: str
) -> list[str]:
    """Paths of the files that were refused, or withdrawn, and have not stood since.

    Of most that were refused nobody knows which release they would have been.
    """
    rows = connection.execute(
        """select landed_path, max(release_date) from ops.load
           where source = %s and dataset = %s
           group by landed_path, sha256
           having coalesce((array_agg(state order by load_id desc) filter (where state <> 'refused'))[1], 'refused') = %s
           order by min(load_id)""",
        [source, dataset, state],
    ).fetchall()
    return [path for path, release in rows if release is None or _within(release, first, last)]


def _within(release: dt.date | None, first: str | None, last: str | None) -> bool:
    if release is None:
        return first is None and last is None
    return (first is None or release >= dt.date.fromisoformat(first)) and (
        last is None or release <= dt.date.fromisoformat(last)
    )
