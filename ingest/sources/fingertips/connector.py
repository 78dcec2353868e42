"""Indicators of the Fingertips API (OHID): what is there is asked first, then one indicator a request, only where it has changed.

Which indicators are wanted stands in a seed. An indicator is known by its number alone: its name changes between editions, so for one
whose number is from memory the name has to agree before it is pulled. Contract: README.md beside this file.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ingest.connectors import file_at_url
from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, LastFetch, Offer
from ingest.declaration import SEEDS
from ingest.errors import BodyRefused, PublisherUnavailable, Wrong
from ingest.http import KEPT
from ingest.landing import LandedFile
from ingest.readers.text import encoding_of

CATALOGUE = "fingertips_indicator"  # the seed that lists the indicators that are wanted
# Of these the first that the publisher has an indicator for is asked, the current vintage first: a London borough is in each.
AREA_TYPES = (502, 501, 402, 401, 302, 301, 202, 201, 102, 101)
PARENT_AREA_TYPE = 6
IDS_A_REQUEST = 90  # of more than 100 the publisher answers with a web page
_MISSING = "indicators that are gone"
_SORTABLE = "Time period Sortable"  # a year and four digits


@dataclasses.dataclass(frozen=True)
class Wanted:
    """An indicator as the catalogue has it."""

    indicator_id: int
    name_fragment: str
    area_type: int
    is_seen: bool
    is_discontinued: bool


@cache
def wanted() -> tuple[Wanted, ...]:
    """The indicators of the catalogue."""
    with (SEEDS / f"{CATALOGUE}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Wanted(
                int(row["indicator_id"]),
                row["expected_name_fragment"],
                int(row["area_type_id"]),
                row["evidence"] == "seen",
                row["is_discontinued"] == "true",
            )
            for row in csv.DictReader(file)
        )


def list_editions(context: FetchContext) -> list[Offer]:
    """One offer an indicator with values, or one for the definitions of all.

    An indicator that the catalogue has and the publisher has not is an offer too, which is refused by name when it is fetched: the
    others do not wait for it.

    Raises:
        BodyRefused: the publisher's lists are not lists.
        PublisherUnavailable: it does not answer.
    """
    metadata = _metadata(context)
    pulled = [
        want
        for want in wanted()
        if want.indicator_id in metadata
        and (want.is_seen or want.name_fragment.casefold() in metadata[want.indicator_id][0].casefold())
    ]
    gone = [
        want.indicator_id
        for want in wanted()
        if want.indicator_id not in metadata and want.is_seen and not want.is_discontinued
    ]
    if context.name == "metadata":
        changes = [metadata[want.indicator_id][1] or "" for want in pulled]
        ids = ",".join(str(want.indicator_id) for want in pulled)
        url = _url(context, "indicator_metadata/csv/by_indicator_id", {"indicator_ids": ids})
        # Definitions change without new data too, so they are asked for again once a week.
        mark = f"{max(changes, default='')} {context.now:%G-W%V}"
        return [Offer(url, "indicator_metadata.csv", None, mark)] if pulled else []
    area_types = _area_types(context, [want.indicator_id for want in pulled], AREA_TYPES)
    offers = []
    for want in pulled:
        area_type = next((t for t in (want.area_type, *AREA_TYPES) if t in area_types.get(want.indicator_id, ())), None)
        if area_type is None:
            if want.is_seen and not want.is_discontinued:
                gone.append(want.indicator_id)
            continue
        url = _url(
            context,
            "all_data/csv/by_indicator_id",
            {
                "indicator_ids": str(want.indicator_id),
                "child_area_type_id": str(area_type),
                "parent_area_type_id": str(PARENT_AREA_TYPE),
            },
        )
        changed = metadata[want.indicator_id][1]
        offers.append(
            Offer(
                url,
                f"indicator_{want.indicator_id}_area_type_{area_type}.csv",
                _day(changed),
                changed,
                stands_alone=True,
            )
        )
    if gone:
        offers.append(
            Offer(
                _url(context, "available_data", {}),
                f"{_MISSING}: {', '.join(map(str, sorted(gone)))}",
                stands_alone=True,
            )
        )
    return offers


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """Fetch one indicator, or the definitions, and land it, unless the publisher says that it is what it was.

    Raises:
        PublisherUnavailable, BodyRefused: as the client's; and when the body is not what was asked for, or the indicator is gone.
        Refusal: when it cannot be landed.
    """
    if offer.file_name.startswith(_MISSING):
        raise BodyRefused(
            "NO_LONGER_OFFERED",
            f"the publisher no longer has {offer.file_name.removeprefix(_MISSING + ': ')} at any area type that is asked for",
            where=offer.url,
            kept="what was loaded of them before",
            next_step="look them up in indicator_metadata/csv/all and change dbt_project/seeds/fingertips_indicator.csv",
        )
    last = context.last_fetch(offer.url)
    if last and offer.mark and last.last_modified == offer.mark:
        return Fetched(offer, None, last.etag, last.last_modified, last.sha256, 0)
    found = file_at_url.fetch(dataclasses.replace(context, last_fetches=()), offer)
    assert found.landed is not None  # noqa: S101 - no validators were sent, so there is no 304
    _check(context, offer, found.landed, last)
    return dataclasses.replace(found, last_modified=offer.mark)


def check(context: FetchContext) -> list[Finding]:
    """Whether every indicator of the catalogue is still there, under the expected name and at the declared area type."""
    try:
        metadata = _metadata(context)
        ids = [want.indicator_id for want in wanted() if want.indicator_id in metadata]
        area_types = _area_types(context, ids, AREA_TYPES) if context.name == "data" else {}
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(refused.where, refused.problem, refused.code)]
    findings = []
    for want in wanted():
        asked = f"indicator {want.indicator_id}"
        if want.indicator_id not in metadata:
            findings.append(Finding(asked, "is not there"))
            continue
        name = " ".join(metadata[want.indicator_id][0].split())
        there = area_types.get(want.indicator_id, set())
        if want.name_fragment.casefold() not in name.casefold():
            findings.append(Finding(asked, f"is named {name!r}, which does not hold {want.name_fragment!r}"))
        if context.name == "data" and want.area_type not in there:
            listed = ", ".join(map(str, sorted(there))) or "none"
            findings.append(Finding(asked, f"has no values at area type {want.area_type}; it has: {listed}"))
    return findings


def _check(context: FetchContext, offer: Offer, landed: LandedFile, last: LastFetch | None) -> None:
    """See that a landed body is the indicator that was asked for, with rows, and no older than the one before.

    Raises:
        BodyRefused: it is not; its bytes stay in landing.
    """
    asked = parse_qs(urlsplit(offer.url).query)["indicator_ids"][0].split(",")
    before = (
        _summary_of(landed.path.with_name(f"{last.sha256}{landed.path.suffix}"))
        if last
        else _Summary(None, frozenset(), "")
    )
    summary = _summary_of(landed.path)
    problem = None
    if summary.wrong:
        problem = summary.wrong
    elif not summary.ids:
        problem = Wrong("NO_ROWS", "has a header and no rows, and the publisher says that there are some")
    elif not summary.ids <= set(asked):
        found = ", ".join(one[:20] for one in sorted(summary.ids)[:5])
        problem = Wrong(
            "ANSWER_NOT_AS_AGREED", f"is of the indicators {found}, and {', '.join(asked[:5])} was asked for"
        )
    elif summary.newest < before.newest:
        problem = Wrong(
            "OLDER_COPY",
            f"ends with the period {summary.newest}, and what came before with {before.newest}: it is an older copy",
        )
    if problem:
        file_at_url.note_refusal(landed, problem.reason)
        raise BodyRefused(
            problem.code,
            f"what came {problem}",
            where=offer.url,
            kept=f"its bytes are in landing ({landed.path.name}); raw and the marts are as they were",
            next_step="the next run asks again; if it stays so, look at the indicator on the publisher's site",
        )


@dataclasses.dataclass(frozen=True)
class _Summary:
    """What a body says: why it is no table of indicators, if it is none; which indicators it is of, and its newest period."""

    wrong: Wrong | None
    ids: frozenset[str]
    newest: str


def _summary_of(file: Path) -> _Summary:
    if not file.is_file():
        return _Summary(Wrong("LANDED_FILE_NOT_THERE", "is not there"), frozenset(), "")
    ids, newest = set(), ""
    with file.open("rb") as handle:
        encoding = encoding_of(handle.read(4))
    with file.open(encoding=encoding, newline="", errors="replace") as handle:
        rows = csv.DictReader(handle, strict=True)
        try:
            header = rows.fieldnames or [""]
            if "Indicator ID" not in header:
                wrong = f"begins with {header[0][:60]!r} and has no column 'Indicator ID'"
                return _Summary(Wrong("COLUMN_MISSING", wrong), frozenset(), "")
            for row in rows:
                ids.add(row["Indicator ID"] or "")
                newest = max(newest, row.get(_SORTABLE) or "")
        except csv.Error as error:
            return _Summary(Wrong("FILE_DAMAGED", f"is not valid CSV: {error}"), frozenset(), "")
    return _Summary(None, frozenset(ids), newest)


def _url(context: FetchContext, path: str, parameters: dict[str, str]) -> str:
    query = f"?{urlencode(parameters, safe=',')}" if parameters else ""
    return f"{context.base_url.rstrip('/')}/api/{path}{query}"


def _metadata(context: FetchContext) -> dict[int, tuple[str, str | None]]:
    """Name and time of the last change of each indicator of the catalogue that the publisher has."""
    ids = [want.indicator_id for want in wanted()]
    found: dict[int, tuple[str, str | None]] = {}
    for first in range(0, len(ids), IDS_A_REQUEST):
        part = ",".join(map(str, ids[first : first + IDS_A_REQUEST]))
        url = _url(context, "indicator_metadata/by_indicator_id", {"indicator_ids": part, "include_definition": "no"})
        answer, _ = context.client.json(url)
        try:
            for key, entry in answer.items():
                changed = (entry.get("DataChange") or {}).get("LastUploadedAt")
                if not isinstance(changed, str | None):
                    raise TypeError
                found[int(key)] = (str((entry.get("Descriptive") or {}).get("Name", "")), changed)
        except (AttributeError, TypeError, ValueError):
            raise _not_as_agreed(url, "metadata by indicator number") from None
    return found


def _area_types(context: FetchContext, ids: Iterable[int], area_types: Iterable[int]) -> dict[int, set[int]]:
    """The area types at which each indicator has values: at the current one all are asked for at once, then one by one."""
    current, *_ = area_types
    found: dict[int, set[int]] = {}
    wanted_ids = set(ids)
    _note_available(context, {"area_type_id": str(current)}, found)
    for indicator_id in sorted(wanted_ids - found.keys()):
        _note_available(context, {"indicator_id": str(indicator_id)}, found)
    return found


def _note_available(context: FetchContext, parameters: dict[str, str], found: dict[int, set[int]]) -> None:
    url = _url(context, "available_data", parameters)
    answer, _ = context.client.json(url)
    try:
        pairs: list[Any] = list(answer)
        for pair in pairs:
            found.setdefault(int(pair["IndicatorId"]), set()).add(int(pair["AreaTypeId"]))
    except (TypeError, KeyError, ValueError, OverflowError):
        raise _not_as_agreed(url, "a list of IndicatorId and AreaTypeId") from None


def _not_as_agreed(url: str, what: str) -> BodyRefused:
    return BodyRefused(
        "ANSWER_NOT_AS_AGREED",
        f"the answer is not {what}",
        where=url,
        kept=KEPT,
        next_step="compare the answer with ingest/sources/fingertips/README.md",
    )


def _day(moment: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat((moment or "")[:10])
    except ValueError:
        return None
