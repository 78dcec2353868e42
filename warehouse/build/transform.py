"""Building the candidate: dbt, as a program beside us, from raw to the marts as this run would publish them."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

import psycopg

from ingest.declaration import read_sources
from ingest.errors import Refusal
from warehouse.build import catalogue
from warehouse.platform import children, session
from warehouse.platform.connection import TRANSFORMER, connect, parameters
from warehouse.platform.settings import PROJECT, Settings

DBT_PROJECT = PROJECT / "dbt_project"
# What a build's result depends on besides the landed files.
CODE = ("dbt_project", "expectations", "ingest", "warehouse")
QUOTING = (
    "DETAIL:",
    "CONTEXT:",
    "compiled code at ",
)  # how the lines begin in which PostgreSQL and dbt quote rows and statements
# A value that PostgreSQL quotes in its first line: invalid input syntax for type date: "...".
_VALUE = re.compile(r': "[^"]*"')


class BuildFailed(Refusal):
    """dbt failed in a model, a seed or a test.

    Attributes:
        closest, others: the sources whose loads may be to blame: those one of the failed nodes is made from alone, and the others that
            one is made from. Both empty where no load can be.
    """

    closest: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a build is made from: the loads that stand in raw, and a fingerprint of them and the code."""

    load_ids: tuple[int, ...]
    fingerprint: str
    data_kind: str


def code_version() -> str:
    """A hash of the code that decides what a build comes to (12 hex digits): the same code gives the same version anywhere."""
    digest = hashlib.sha256()
    for folder in CODE:
        for file in sorted((PROJECT / folder).rglob("*")):
            if file.suffix in {".py", ".sql", ".yml", ".csv"} and "target" not in file.relative_to(PROJECT).parts:
                digest.update(file.relative_to(PROJECT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def inputs(settings: Settings) -> Inputs:
    """What a build made now would be made from.

    Raises:
        Refusal: when nothing has been loaded yet.
    """
    with connect(settings, TRANSFORMER) as connection:
        loads = connection.execute(
            """select load_id, source, dataset, release_date, sha256, landed_at from ops.load
               where state = 'loaded' order by source, dataset, release_date, landed_at, sha256"""
        ).fetchall()
        kind = connection.execute("select data_kind from ops.warehouse").fetchone()
    if not loads or kind is None or kind[0] is None:
        raise Refusal(
            "NOTHING_LOADED",
            "there is nothing to build from: no file has been loaded",
            kept="the marts are as they were",
            next_step="`make nightly` fetches from the stand-in publishers; `vru land SOURCE DATASET FILE` takes a file by hand",
        )
    text = json.dumps([code_version(), *[[str(value) for value in load[1:]] for load in loads]])
    return Inputs(tuple(load[0] for load in loads), hashlib.sha256(text.encode()).hexdigest(), kind[0])


def build(settings: Settings, *, unless_current: bool = False, whole: bool = False) -> str | None:
    """Build the models into schema candidate and note what it was built from. The caller stands alone in the queue, so that what is
    built is what stood loaded, to the end.

    What lies between raw and the marts and belongs to one source is left as it stands where nothing of that source has been loaded or
    superseded since the build before, by the same code. The marts, and what several sources share, are always built.

    Args:
        unless_current: do nothing where the current release was built from the same files by the same code.
        whole: rebuild every table, whatever stands.

    Returns:
        The candidate's id; None where nothing was built because nothing has changed.

    Raises:
        BuildFailed: dbt fails; names the models and tests that failed and where its log is.
        Refusal: nothing has been loaded.
    """
    with connect(settings, TRANSFORMER, autocommit=True) as connection:
        _end_orphaned_builds(connection)
        found = inputs(settings)
        if unless_current and _is_current(settings, found):
            return None
        settled = None if whole else _settled_sources(connection, found)
        candidate_id = f"{found.fingerprint[:12]}-{uuid.uuid4().hex[:8]}"
        # From here on the tables are this candidate's: a verdict on the one before is void, whatever becomes of this build.
        connection.execute(
            "insert into ops.candidate (candidate_id, input_fingerprint, code_version, data_kind) values (%s, %s, %s, %s)",
            [candidate_id, found.fingerprint, code_version(), found.data_kind],
        )
        if settled is None:
            _drop_what_stands(connection)
        _run_dbt(settings, settled)
        if settled is None:
            manifest = json.loads((settings.home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
            catalogue.write(connection, manifest, read_sources())
        with connection.transaction():
            connection.cursor().executemany(
                "insert into ops.candidate_load (candidate_id, load_id) values (%s, %s)",
                [(candidate_id, load_id) for load_id in found.load_ids],
            )
            connection.execute(
                "update ops.candidate set built_at = %s where candidate_id = %s", [settings.now(), candidate_id]
            )
    return candidate_id


def _end_orphaned_builds(connection: psycopg.Connection) -> None:
    """End what dbt still does for a build that was killed: it lost the lock, which we hold, and would write into this one."""
    connection.execute(
        """select pg_terminate_backend(pid, 10000) from pg_stat_activity
           where datname = current_database() and usename = current_user and application_name = 'dbt'"""
    )


def _drop_what_stands(connection: psycopg.Connection) -> None:
    """Drop every table and view between raw and the marts: a whole build creates each under its own name."""
    connection.execute(
        """do $$
           declare
               command text;
           begin
               for command in
                   select format('drop %s if exists %I.%I cascade', case relkind when 'v' then 'view' else 'table' end, nspname, relname)
                   from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
                   where nspname in ('staging', 'intermediate', 'candidate') and relkind in ('r', 'v')
               loop
                   execute command;
               end loop;
           end
           $$"""
    )


def _settled_sources(connection: psycopg.Connection, found: Inputs) -> list[str] | None:
    """The sources of which this build would find what the build before found; None where that one ended early or was of other code."""
    before = connection.execute(
        "select candidate_id, code_version, built_at from ops.candidate order by begun_at desc limit 1"
    ).fetchone()
    if before is None or before[1] != code_version() or before[2] is None:
        return None
    moved = connection.execute(
        """select distinct l.source from ops.load as l
           left join ops.candidate_load as b on b.load_id = l.load_id and b.candidate_id = %s
           where (b.load_id is not null) <> (l.load_id = any(%s))""",
        [before[0], list(found.load_ids)],
    ).fetchall()
    return sorted(read_sources().keys() - {source for (source,) in moved})


def _is_current(settings: Settings, found: Inputs) -> bool:
    """Whether the newest judged release stands in the marts and was built from this."""
    with connect(settings, TRANSFORMER) as connection:
        row = connection.execute(
            """select c.input_fingerprint, r.state from ops.release as r join ops.candidate as c using (candidate_id)
               order by r.release_id desc limit 1"""
        ).fetchone()
    return row is not None and row[0] == found.fingerprint and row[1] in {"published", "unchanged"}


def dbt(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """dbt with these arguments, on this warehouse as its transformer; what it made stands in <home>/dbt."""
    target = settings.home / "dbt"
    connection = parameters(settings, TRANSFORMER)
    environment = {
        **os.environ,
        "VRU_DBT_HOST": connection["host"],
        "VRU_DBT_PORT": connection["port"],
        "VRU_DBT_USER": connection["user"],
        "VRU_DBT_PASSWORD": connection["password"],
        "VRU_DBT_DBNAME": connection["dbname"],
        "VRU_DBT_SSLMODE": connection.get("sslmode", "prefer"),
        "VRU_DBT_SSLROOTCERT": connection.get("sslrootcert", ""),
        "PGOPTIONS": session.as_options(),  # a profile has no key for them
        "DO_NOT_TRACK": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # otherwise dbt is compiled again at every start
    }
    return children.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            "--quiet",
            # The statements of every node stand in <home>/dbt/run and compiled: written to the log as well they cost a fifth of a small build.
            *("--log-level-file", "info", "--log-format-file", "text"),
            *arguments,
            *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
            *("--target-path", str(target), "--log-path", str(target / "logs")),
        ],
        env=environment,
        cwd=DBT_PROJECT,
        capture_output=True,
        text=True,
    )


def _run_dbt(settings: Settings, settled: list[str] | None) -> None:
    """Everything, or (settled given) all but the seeds and what these sources alone have."""
    _forget_parsing_of_other_code(settings.home / "dbt")
    if settled is None:
        options = ["--full-refresh", "--exclude-resource-type", "unit_test"]
    else:
        # The manifest of a whole build stands beside it; written again it is a tenth of what dbt itself takes for a small one.
        # A view stands as it is: tables are filled again where they are (dbt_project/macros/materializations.sql).
        options = ["--no-write-json", "--select", "resource_type:model", "--exclude", "config.materialized:view"]
        for source in settled:
            options += ["--exclude", f"int_{source}_*"]
        # A test of a table that stays and of one that is rebuilt is run: cautious leaves out those alone that look at nothing new,
        # the seeds' among them, which the whole build of this code passed.
        options += ["--indirect-selection", "cautious", "--exclude-resource-types", "unit_test"]
    result = dbt(settings, "build", "--log-format", "json", *options)
    if result.returncode:
        _take_values_out(settings.home / "dbt")
        nodes, problem = _failure(result.stdout, result.stderr)
        sources = [_sources_of(node, settings.home / "dbt" / "manifest.json") for node in nodes]
        failed = BuildFailed(
            "BUILD_FAILED",
            f"the build failed: {problem}",
            where="dbt",
            kept="the marts are as they were",
            next_step=f"read {settings.home / 'dbt' / 'logs' / 'dbt.log'}; docs/runbook.md, section 'The build failed'",
        )
        failed.closest = tuple(sorted({name for names in sources if len(names) == 1 for name in names}))
        failed.others = tuple(sorted({name for names in sources for name in names} - {*failed.closest}))
        raise failed


def _forget_parsing_of_other_code(target: Path) -> None:
    """Remove what dbt keeps of its parsing in the folder <home>/dbt, unless it is of this code.

    A description that has moved to another file would stand there twice. Of the same code it saves ten seconds of a whole build.
    """
    parsed_by = target / "parsed_by"
    if not parsed_by.exists() or parsed_by.read_text(encoding="utf-8") != code_version():
        (target / "partial_parse.msgpack").unlink(missing_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        parsed_by.write_text(code_version(), encoding="utf-8")


def _failure(said: str, complained: str) -> tuple[tuple[str, ...], str]:
    """What failed, by unique id and in words, from dbt's lines of JSON (https://docs.getdbt.com/reference/events-logging) and what Python
    said of dbt itself."""
    events = [json.loads(line) for line in said.splitlines() if line.startswith('{"data":')]
    failed = [
        (event["data"]["node_info"]["unique_id"], _first_line(event["info"]["msg"]))
        for event in events
        if event["info"]["name"] == "RunResultError"
    ]
    words = "; ".join(f"{node.split('.', 2)[-1]} ({message})" for node, message in failed)
    return tuple(node for node, _ in failed), words or _last_lines(
        "\n".join([*(event["info"]["msg"] for event in events), complained])
    )


def _sources_of(node: str, manifest: Path) -> set[str]:
    """The sources whose loads a node is made from, by dbt's manifest of the last whole build; all of them where somebody removed it."""
    if not manifest.exists():
        return set(read_sources())
    parents = json.loads(manifest.read_text(encoding="utf-8"))["parent_map"]
    found: set[str] = set()
    ahead, seen = [node], {node}
    while ahead:
        for parent in parents.get(ahead.pop(), ()):
            if parent.startswith("source."):
                table = parent.rpartition(".")[2]
                found |= {table.partition("__")[0]} if "__" in table else set()
            elif parent not in seen:
                seen.add(parent)
                ahead.append(parent)
    return found


def _first_line(text: str) -> str:
    """An error of dbt in one line, without the row that PostgreSQL quotes below it: what counts as few must not stand in an alert."""
    lines = itertools.takewhile(lambda line: not line.lstrip().startswith(QUOTING), text.splitlines())
    return " ".join(_VALUE.sub(': "..."', " ".join(lines)).split())[:300]


def _take_values_out(folder: Path) -> None:
    """Take out of what dbt wrote of a failed build the values that PostgreSQL quotes: a log is read by people who may not see them."""
    log, results = folder / "logs" / "dbt.log", folder / "run_results.json"
    if log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        kept = [_VALUE.sub(': "..."', line) for line in lines if not line.lstrip().startswith(QUOTING[:2])]
        log.write_text("\n".join(kept) + "\n", encoding="utf-8")
    if results.exists():
        found = json.loads(results.read_text(encoding="utf-8"))
        for one in found["results"]:
            one["message"] = _first_line(one["message"] or "")
        results.write_text(json.dumps(found), encoding="utf-8")


def _last_lines(text: str, lines: int = 3) -> str:
    found: Iterable[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(list(found)[-lines:]) or "dbt said nothing"
