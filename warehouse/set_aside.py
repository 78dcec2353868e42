"""Setting aside: a load that what stands beside it contradicts, or with which the build fails, is left out of the build and named.

Its rows leave raw and its bytes stay in landing. It is judged again before every build, from the ledger alone: so the order in which
files came does not matter, and a file comes back by itself when the months beside it say that it was right. `vru accept` makes it
stand whatever they say.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ingest import landing, queue, raw
from ingest.checks import MONTHS_BESIDE, few
from ingest.declaration import CountedIn, find_source, read_sources
from ingest.errors import Refusal, Wrong, in_one_line
from ingest.load import load as load_file
from ingest.naming import label_by_hash
from warehouse import alerts, readers, transform
from warehouse.connection import LOADER, connect
from warehouse.settings import Settings

STEP = "set aside"  # of a run's problems
BESIDE, BUILD = "beside", "build"  # why: what stands beside it, or the build

ATTEMPTS = 12  # builds, to find the load with which one fails
FILES_TOLD = 10  # by name, where no load is found


@dataclasses.dataclass(frozen=True)
class Load:
    """A load that stands in raw, or is set aside, as the ledger has it."""

    load_id: int
    source: str
    dataset: str
    part: str
    file_name: str
    landed_path: str
    rows_loaded: int
    label_counts: dict[str, int]
    totals: dict[str, float]
    release_date: dt.date
    landed_at: dt.datetime
    state: str
    reason: str | None
    code: str | None
    set_aside: dict[str, str]
    is_synthetic: bool
    is_accepted: bool

    @property
    def called(self) -> str:
        """What messages call it."""
        sha256 = self.landed_path.rpartition("/")[2].partition(".")[0]
        return f"{self.source} {self.dataset}, {label_by_hash(self.source, self.file_name, sha256)}"

    @property
    def month(self) -> int:
        """Months since the year 0."""
        return int(self.part[:4]) * 12 + int(self.part[5:7]) - 1

    def by_month(self, label: str) -> dict[str, float]:
        """What it counts in each month (YYYY-MM): under a label of its own, or in all where that is empty."""
        if not label:
            return {month: total for month, total in self.totals.items() if month}
        begin = f"{label} "
        return {key.removeprefix(begin): n for key, n in self.label_counts.items() if key.startswith(begin)}


def build(settings: Settings, run_id: str, *, unless_current: bool = False, whole: bool = False) -> str | None:
    """Build the candidate of what stands, without the loads that are set aside now; each of those is a problem of the run.

    Args, Returns: as transform.build.

    Raises:
        Refusal: as transform.build; where the build fails whatever is left out, with the files that are new since the last good one.
    """
    with connect(settings, LOADER, autocommit=True) as connection, queue.lock_exclusive(connection):
        readers.end_overdue_and_say_so(connection)
        # Of these a candidate was built that the one to come takes the place of.
        for source, by_dataset in raw.left_behind(connection).items():
            for dataset, load_ids in by_dataset.items():
                raw.take_out_for_good(connection, source, dataset, load_ids)
        for load in _judge(settings, connection):
            _tell(settings, run_id, load)
        try:
            return transform.build(settings, unless_current=unless_current, whole=whole)
        except transform.BuildFailed as failed:
            candidate, culprits = _build_without(settings, connection, failed)
    for load in culprits:
        _tell(settings, run_id, load)
    return candidate


def judge(settings: Settings) -> list[Load]:
    """Set aside what the loads beside it contradict, and load again what they no longer do.

    Returns:
        The loads that are set aside now and stood before.
    """
    with connect(settings, LOADER, autocommit=True) as connection, queue.lock_exclusive(connection):
        return _judge(settings, connection)


def _judge(settings: Settings, connection: psycopg.Connection) -> list[Load]:
    now_aside = []
    loads = _loads(connection)
    reasons = _contradicted(loads) | _less_than_another_feed(loads)
    for load in loads:
        reason = None if load.is_accepted else reasons.get(load.load_id)
        if load.state == "loaded":
            if reason:
                now_aside.append(_put_aside(connection, load, BESIDE, reason))
        elif _may_be_tried(load, reason):
            _take_back(settings, connection, load)
        elif reason:
            connection.execute(
                "update ops.load set reason = %s, code = %s where load_id = %s",
                [reason.reason, reason.code, load.load_id],
            )
    return now_aside


def accept(settings: Settings, load_id: int, reason: str, by: str) -> str:
    """Make a load that is set aside stand, because a person says that it is true.

    Returns:
        Its file's name.

    Raises:
        Refusal: there is no such load, it is not set aside, or it cannot be loaded again.
    """
    with connect(settings, LOADER, autocommit=True) as connection, connection.transaction():
        known = connection.execute("select source, state from ops.load where load_id = %s", [load_id]).fetchone()
        if known:
            queue.lock_shared(connection, known[0])
        load = next((one for one in _loads(connection) if one.load_id == load_id), None)
        if load is None or load.state != "set_aside":
            state = f"it is {load.state if load else known[1]}" if known else "the ledger has no such load"
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} is not set aside ({state}), so there is nothing to accept",
                kept="nothing changed",
                next_step="`vru status` names the loads that are set aside, and `vru loads` the state of each",
            )
        if load.set_aside.get("kind") == BUILD:
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} cannot be accepted: {load.reason}",
                kept="nothing changed",
                next_step="docs/runbook.md, section 'A file was set aside'",
            )
        connection.execute(
            """insert into ops.acceptance (source, dataset, sha256, accepted_at, accepted_by, reason)
               select source, dataset, sha256, %s, %s, %s from ops.load where load_id = %s
               on conflict (source, dataset, sha256) do update
               set accepted_at = excluded.accepted_at, accepted_by = excluded.accepted_by, reason = excluded.reason""",
            [settings.now(), in_one_line(by), in_one_line(reason), load_id],
        )
        if refused := _take_back(settings, connection, load):
            raise refused
        stands = connection.execute(
            "select 1 from ops.load where source = %s and dataset = %s and landed_path = %s and state = 'loaded'",
            [load.source, load.dataset, load.landed_path],
        ).fetchone()
        if stands is None:
            raise Refusal(
                "LOAD_IN_ANOTHER_STATE",
                f"load {load_id} would not stand: a newer release speaks for {load.part}",
                kept="nothing changed",
                next_step="`vru loads` names it",
            )
        return load.file_name


def _loads(connection: psycopg.Connection) -> list[Load]:
    with connection.cursor(row_factory=class_row(Load)) as cursor:
        return cursor.execute(
            """select l.load_id, l.source, l.dataset, l.part, l.file_name, l.landed_path, l.rows_loaded, l.label_counts, l.totals,
                   l.release_date, l.landed_at, l.state, l.reason, l.code, l.set_aside, l.is_synthetic,
                   exists (select from ops.acceptance as a
                           where a.source = l.source and a.dataset = l.dataset and a.sha256 = l.sha256) as is_accepted
               from ops.load as l where l.state in ('loaded', 'set_aside') order by l.load_id"""
        ).fetchall()


def _contradicted(loads: Sequence[Load]) -> dict[int, Wrong]:
    """Why loads are no whole month beside the months before and after it, by load."""
    monthly = {(s.source, name) for s in read_sources().values() for name, d in s.datasets.items() if d.part_is_month}
    series: dict[tuple[str, str, str], dict[int, Load]] = {}
    for load in loads:
        if (load.source, load.dataset) in monthly:
            months = series.setdefault((load.source, load.dataset, load.part[7:]), {})
            other = months.get(load.month)
            if other is None or other.state == "set_aside":  # of two about one month the one that stands
                months[load.month] = load
    reasons = {}
    for months in series.values():
        for month, load in months.items():
            beside = [
                months[other]
                for other in range(month - MONTHS_BESIDE, month + MONTHS_BESIDE + 1)
                if other != month and other in months
            ]
            reason = few("rows", load.rows_loaded, [one.rows_loaded for one in beside])
            for label, count in load.label_counts.items():
                reason = reason or few(
                    f"rows of {label}", count, [n for one in beside if (n := one.label_counts.get(label))]
                )
            if reason:
                reasons[load.load_id] = Wrong("MONTH_NOT_WHOLE", reason)
    return reasons


def _less_than_another_feed(loads: Sequence[Load]) -> dict[int, Wrong]:
    """Why loads are not whole beside another feed that counts the same (`counted_in` of their dataset), by load.

    Stand-in publishers give each feed a size of its own, so invented files say nothing here.
    """
    declared = {(s.source, name): d for s in read_sources().values() for name, d in s.datasets.items() if d.counted_in}
    theirs = {}
    reasons = {}
    for load in loads:
        dataset = declared.get((load.source, load.dataset))
        rule = dataset.counted_in if dataset else None
        if dataset is None or rule is None or load.is_synthetic or re.fullmatch(rule.only_parts, load.part) is None:
            continue
        if rule not in theirs:
            theirs[rule] = _counted(loads, rule)
        own = load.by_month(rule.label_here)
        if dataset.part_is_month:  # the few rows of other months are late entries
            own = {month: count for month, count in own.items() if month == load.part[:7]}
        if dataset.layout.first_month_may_be_partial and own:
            del own[min(own)]
        if reason := _less(own, theirs[rule], rule):
            reasons[load.load_id] = Wrong("LESS_THAN_ANOTHER_FEED", reason)
    return reasons


def _counted(loads: Sequence[Load], rule: CountedIn) -> dict[str, float]:
    """What the feed that a rule names counts in each month, by the newest release that has it."""
    found: dict[str, tuple[tuple[dt.date, dt.datetime, int], float]] = {}
    for load in loads:
        if (
            load.source != rule.source
            or load.dataset not in rule.datasets
            or load.state != "loaded"
            or load.is_synthetic
        ):
            continue
        age = (load.release_date, load.landed_at, load.load_id)
        for month, count in load.by_month(rule.label_there).items():
            if month not in found or age > found[month][0]:
                found[month] = (age, count)
    return {month: count for month, (_, count) in found.items()}


def _less(own: Mapping[str, float], theirs: Mapping[str, float], rule: CountedIn) -> str | None:
    """Why what a load counts is less than its share of what another feed does, in words."""
    months = sorted(own.keys() & theirs.keys())
    groups = [months] if rule.together else [[month] for month in months]
    for group in groups:
        here, there = (sum(feed[month] for month in group) for feed in (own, theirs))
        if there >= rule.enough and here < rule.least_share * there:
            when = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
            return f"has {here:,.0f} in {when}, less than {rule.least_share:.0%} of the {there:,.0f} {rule.counts}: rows are missing"
    return None


def _may_be_tried(load: Load, reason: Wrong | None) -> bool:
    """Whether a load that is set aside may stand in the next build: nothing contradicts it, and the code that failed is another."""
    found_by_this_code = load.set_aside.get("code") == transform.code_version()
    return reason is None and not (load.set_aside.get("kind") == BUILD and found_by_this_code)


def _put_aside(connection: psycopg.Connection, load: Load, kind: str, wrong: Wrong) -> Load:
    told = {"kind": kind, "code": transform.code_version()}
    with connection.transaction():
        raw.take_out_for_good(connection, load.source, load.dataset, [load.load_id])
        connection.execute(
            "update ops.load set state = 'set_aside', reason = %s, code = %s, set_aside = %s where load_id = %s",
            [wrong.reason, wrong.code, Jsonb(told), load.load_id],
        )
    return dataclasses.replace(load, state="set_aside", reason=wrong.reason, code=wrong.code, set_aside=told)


def _take_back(settings: Settings, connection: psycopg.Connection, load: Load) -> Refusal | None:
    """Load a file again that was set aside. Where it is refused now it stays aside, and the refusal is returned."""
    try:
        with connection.transaction():
            connection.execute(
                "update ops.load set state = 'superseded', reason = null, code = null where load_id = %s",
                [load.load_id],
            )
            file = landing.find(settings.landing, load.landed_path)
            load_file(connection, find_source(load.source), load.dataset, file, settings.now(), settings.landing)
    except Refusal as refusal:
        return refusal
    return None


def _build_without(
    settings: Settings, connection: psycopg.Connection, failed: transform.BuildFailed
) -> tuple[str | None, list[Load]]:
    """Build without the loads with which the build fails, looked for among those that no good build has had.

    Returns:
        The candidate, and the loads that were set aside for it.

    Raises:
        Refusal: it fails without those of any one source too, or what failed is made from no load; all stand again.
    """
    good = {
        load_id
        for (load_id,) in connection.execute(
            """select load_id from ops.candidate_load where candidate_id = (
                   select candidate_id from ops.release where state in ('published', 'unchanged') order by release_id desc limit 1
               )"""
        )
    }
    standing = [load for load in _loads(connection) if load.state == "loaded"]
    new = [load for load in standing if load.load_id not in good]
    search = _Search(settings, connection, failed, new)
    for source in (*failed.closest, *failed.others):
        out = [load.landed_path for load in new if load.source == source]
        if not out:
            continue
        # Where nothing else stands there is no build without all of them.
        if len(out) == len(standing) or search.builds_without(out):
            candidate, aside = search.narrowed(out)
            if candidate is not None:
                return candidate, aside
    search.leave_out(())
    files = "; ".join(load.called for load in new[:FILES_TOLD])
    more = f" and {len(new) - FILES_TOLD} more" if len(new) > FILES_TOLD else ""
    raise Refusal(
        failed.code,
        failed.problem + (f"; new since the last good build: {files}{more}" if new else ""),
        where=failed.where,
        kept=failed.kept,
        next_step=failed.next_step,
    )


class _Search:
    """Builds that leave some of the new loads out, told by their paths: a load that comes back has a new line in the ledger."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        failed: transform.BuildFailed,
        suspects: Sequence[Load],
    ) -> None:
        self.settings, self.connection = settings, connection
        self.suspects = {load.landed_path for load in suspects}
        self.wrong = Wrong("BUILD_FAILS_WITH_IT", f"the build fails with it: {failed.problem}")
        self.builds_left = ATTEMPTS
        self.candidate: str | None = None

    def leave_out(self, paths: Sequence[str]) -> list[Load]:
        """Set aside the suspects of these paths, and let all others stand; returns those that are aside."""
        aside = []
        for load in [one for one in _loads(self.connection) if one.landed_path in self.suspects]:
            if load.landed_path not in paths:
                if load.state == "set_aside":
                    _take_back(self.settings, self.connection, load)
            elif load.state == "loaded":
                aside.append(_put_aside(self.connection, load, BUILD, self.wrong))
            else:
                aside.append(load)
        return aside

    def builds_without(self, paths: Sequence[str]) -> bool:
        """Whether a build without the loads of these paths succeeds."""
        self.leave_out(paths)
        self.builds_left -= 1
        try:
            self.candidate = transform.build(self.settings)
        except Refusal:
            self.candidate = None
        return self.candidate is not None

    def narrowed(self, out: Sequence[str]) -> tuple[str | None, list[Load]]:
        """Of paths without which the build succeeds, those that must stay out: halves are tried while builds are left.

        Returns:
            The candidate built without them, and their loads.
        """
        while len(out) > 1 and self.builds_left > 1:
            halves = out[: len(out) // 2], out[len(out) // 2 :]
            smaller = next((half for half in halves if self.builds_without(half)), None)
            if smaller is None:
                break
            out = smaller
        if self.candidate is None:
            self.builds_without(out)
        return self.candidate, self.leave_out(out)


def _tell(settings: Settings, run_id: str, load: Load) -> None:
    alerts.record_problem(
        settings,
        run_id,
        STEP,
        load.called,
        load.code or "MONTH_NOT_WHOLE",
        f"load {load.load_id} {load.reason}",
    )
