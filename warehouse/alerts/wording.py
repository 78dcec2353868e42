"""What an alert says: its subject and its body, on lines of bounded length, without passwords."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

import psycopg

from ingest.codes import registry
from warehouse.platform.settings import LONDON

LONGEST_PROBLEM = 20_000
LONGEST_SUBJECT = 250
GATE_HELD = "GATE_HELD"
Problem = tuple[str, str, str | None, str]  # step, subject, code, sentence


def subject_of(
    connection: psycopg.Connection,
    run_id: str,
    kind: str,
    held: tuple[Any, ...] | None,
    problems: list[Problem],
) -> str:
    """The subject of a run's alert, on one line."""
    row = connection.execute("select data_kind from ops.warehouse").fetchone()
    mark = "[synthetic data] " if row and row[0] == "synthetic" else ""
    if kind == "held" and held is not None:
        what = f"release {held[0]} is held, the marts stand as they were"
    else:
        what = "; ".join(
            dict.fromkeys(
                f"{subject} was set aside" if step == "set aside" else f"{step} failed for {subject}"
                for step, subject, _, _ in problems
            )
        )
    return one_line(f"{mark}Violence-reduction warehouse: {what} (run {run_id})", LONGEST_SUBJECT)


def body_of(
    connection: psycopg.Connection,
    held: tuple[Any, ...] | None,
    problems: list[Problem],
    codes: list[str],
) -> str:
    """The body of a run's alert: what failed, how the marts stand, where to read on."""
    is_all_aside = bool(problems) and {step for step, *_ in problems} == {"set aside"}
    lines = ["What was set aside:" if is_all_aside else "What failed:"]
    lines += [f"- {step}, {subject}: {with_code(code, problem)}" for step, subject, code, problem in problems]
    if held is not None and not any(held[3] and held[3] in problem for *_, problem in problems):
        sentence = f"release {held[0]} is held since {_london(held[4])}: {one_line(held[3])}"
        lines.append(f"- {with_code(GATE_HELD if held[2] == 'blocked' else None, sentence)}")
    lines += ["", "The marts:", f"- {_standing(connection)}"]
    lines += [
        f"- {source} {dataset} is {state}"
        + (f" since {_london(since)}" if since else "")
        + (f", newest month published {newest:%Y-%m}" if newest else ", nothing published")
        for source, dataset, state, since, newest in connection.execute(
            """select source, dataset, state, since, newest_period_start_date from marts.data_status
               where state <> 'fresh'"""
        )
    ]
    lines += [
        "",
        f"Next: `vru status`, then docs/runbook.md{sections(codes)}.",
    ]
    return "\n".join(lines)


def with_code(code: str | None, problem: str) -> str:
    """A problem's sentence, its code last; a refusal's own words end with it already."""
    return problem if code is None or f"[{code}]" in problem else f"{problem} [{code}]"


def sections(codes: Iterable[str]) -> str:
    """Where the runbook has more on these codes, in words."""
    found = [registry()[code].runbook for code in codes if code in registry()]
    return "".join(f", section '{name}'" for name in dict.fromkeys(found) if name)


def _standing(connection: psycopg.Connection) -> str:
    row = connection.execute(
        """select release_id, published_at, rolled_back_to from ops.release
           where state = 'published' order by release_id desc limit 1"""
    ).fetchone()
    if row is None:
        return "nothing has been published yet"
    back = f", rolled back to release {row[2]}" if row[2] else ""
    return f"they hold release {row[0]}, published {_london(row[1])}{back}"


def _london(moment: dt.datetime) -> str:
    return f"{moment.astimezone(LONDON):%Y-%m-%d %H:%M}"


def one_line(text: str, longest: int = LONGEST_PROBLEM) -> str:
    """Text on one line and of bounded length, without the passwords that addresses carry."""
    line = re.sub(r"(://)[^/@\s]*@", r"\1***@", " ".join(text.split()))
    return line if len(line) <= longest else line[: longest - 1] + "…"
