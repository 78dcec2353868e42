"""dbt as a test's build needs it: loaded, and the project parsed, once for all builds of a test process.

A build of a few rows is short, and dbt takes most of it to load its code and its parsing. So one program does both and stays; each run of
dbt is a fork of it, with the arguments and the environment that warehouse.build.transform would have started dbt with. Nights and whatever
else goes by `vru` start dbt as users do.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from warehouse.platform import children

DATABASE = "VRU_DBT_DBNAME"
# Before a test puts WarmDbt.run in its place.
_run_program = children.run


class WarmDbt:
    """The program, for as long as its test process needs it; `run` stands in for warehouse.platform.children.run."""

    def __init__(self) -> None:
        self.program = subprocess.Popen(
            [sys.executable, "-m", "tests.warm_dbt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )

    def run(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run dbt with the arguments of that command, and any other program as warehouse.platform.children does.

        Returns:
            Its exit status, and what it wrote to standard output and standard error.
        """
        if Path(command[0]).name != "dbt":
            return _run_program(command, **options)
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as errors:
            asked = {
                "arguments": command[1:],
                "env": options["env"],
                "cwd": str(options["cwd"]),
                "out": out.name,
                "errors": errors.name,
            }
            self.program.stdin.write(json.dumps(asked) + "\n")
            self.program.stdin.flush()
            status = int(self.program.stdout.readline())
            return subprocess.CompletedProcess(command, status, out.read().decode(), errors.read().decode())

    def stop(self) -> None:
        assert self.program.stdin is not None
        self.program.stdin.close()
        self.program.wait()


def _parsed(arguments: list[str]) -> Manifest | None:
    """The project as dbt parses it for the database of the environment; None where it cannot, which the run then says itself."""
    after = arguments.index("--project-dir")
    result = dbtRunner().invoke(["--quiet", "parse", "--no-write-json", *arguments[after:]])
    return result.result if isinstance(result.result, Manifest) else None


def _run(arguments: list[str], manifest: Manifest | None, out: str, errors: str) -> int:
    """Run dbt in a fork; its exit status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for path, number in ((out, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_WRONLY), number)
    result = dbtRunner(manifest).invoke(arguments)
    if result.exception:
        print(result.exception, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if result.success else 1)


def main() -> None:
    """Run what standard input asks for, a line of JSON a run, and answer each with its exit status, until it closes."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what dbt prints while it parses is no answer
    parsed: dict[tuple[str, str], Manifest | None] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        key = (os.environ[DATABASE], asked["cwd"])
        if key not in parsed:
            parsed[key] = _parsed(asked["arguments"])
            gc.freeze()  # so that a fork writes to none of it
        print(_run(asked["arguments"], parsed[key], asked["out"], asked["errors"]), file=answers, flush=True)


if __name__ == "__main__":
    main()
