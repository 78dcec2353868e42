"""The options by which a person chooses rows of a report: a source, a state, since when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ingest.declaration import find_source
from warehouse.platform.settings import LONDON

Row = dict[str, Any]
Command = TypeVar("Command", bound=Callable[..., Any])


def _declared(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    return find_source(value).source if value else None


source_option = click.option("--source", callback=_declared, help="Of this source alone.")
since_option = click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (London), YYYY-MM-DD.")


def state_option(*states: str) -> Callable[[Command], Command]:
    """The option --state, of these states."""
    return click.option("--state", type=click.Choice(states), help="In this state alone.")


def matching(
    rows: list[Row],
    *,
    source: str | None = None,
    state: str | None = None,
    since: dt.datetime | None = None,
    moment: str = "",
) -> list[Row]:
    """The rows of a source, in a state, since a day in London.

    Args:
        moment: the column that says when; a row that has none is not since any day.
    """
    first = since.replace(tzinfo=LONDON) if since else None
    return [
        row
        for row in rows
        if (source is None or row["source"] == source)
        and (state is None or row["state"] == state)
        and (first is None or (row[moment] is not None and row[moment] >= first))
    ]
