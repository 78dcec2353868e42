"""Observations from the NOMIS API: what is released is asked first, then what has changed, in pages until every record is there.

Without a key NOMIS gives 25,000 records a call and says nothing of the rest, so every call says which records it wants, and the records
say how many there are. A delivery of several pages is landed as one stored zip of them. Contract: README.md beside this file.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

from ingest.connectors.fetch_context import FetchContext, Fetched, Finding, Offer
from ingest.connectors.file_at_url import check_kind, keep_body, note_refusal, refuse_other_file_type
from ingest.errors import BodyRefused, PublisherUnavailable, Wrong
from ingest.http import KEPT, Body
from ingest.landing import sha256_of
from ingest.readers.records import is_count, records_wrong
from ingest.readers.text import UTF_8, encoding_of, not_delimited_text
from ingest.scratch import scratch_folder
from ingest.sources.nomis.queries import QUERIES, Query, codes_of

PAGES = 400  # of one delivery; more is a publisher that never ends
_LONDON = ZoneInfo("Europe/London")


@dataclasses.dataclass(frozen=True)
class Period:
    """A period of a dataset: its code, and when its present revision was released (London time), where NOMIS says."""

    code: str
    released: str | None


def list_editions(context: FetchContext) -> list[Offer]:
    """One offer for so many periods of the dataset as a query takes, oldest first, marked by their newest revision.

    Raises:
        BodyRefused: the publisher's list of periods is not one, or has none of those that are asked for.
        PublisherUnavailable: it does not answer.
    """
    query = _query(context)
    periods = [period for period in _periods(context) if period.code >= query.first_period]
    if not periods:
        raise BodyRefused(
            "NO_LONGER_OFFERED",
            f"the dataset has no period from {query.first_period} on",
            where=_url(context, "time.def.sdmx.json"),
            kept=KEPT,
            next_step="see on the publisher's site whether the dataset has moved to another id; change queries.py",
        )
    revised = {period.code for period in periods[-query.revised_periods :]} if query.revised_periods else set()
    newest = _mark(periods)
    offers = []
    for first in range(0, len(periods), query.periods):
        chunk = periods[first : first + query.periods]
        mark = newest if any(period.code in revised for period in chunk) else _mark(chunk)
        asked = {
            **query.parameters,
            "date": ",".join(period.code for period in chunk),
            "select": ",".join(column.headers[0] for column in context.dataset.layout.columns),
        }
        name = f"{query.dataset_id}_{chunk[0].code}_{chunk[-1].code}"
        offers.append(
            Offer(
                f"{_url(context, 'data.csv')}?{urlencode(asked, safe=',.')}",
                f"{name}.csv",
                dt.date.fromisoformat(mark[:10]) if mark else None,
                mark,
                stands_alone=True,
            )
        )
    return offers


def fetch(context: FetchContext, offer: Offer) -> Fetched:
    """Fetch a delivery page by page and land it, unless none of its periods was revised since.

    Raises:
        PublisherUnavailable, BodyRefused: as the client's; and when what came is no page, or the pages are not the whole.
        Refusal: when it cannot be landed.
    """
    last = context.last_fetch(offer.url)
    if last and offer.mark and last.last_modified == offer.mark:
        return Fetched(offer, None, last.etag, last.last_modified, last.sha256, 0)
    with scratch_folder(context.landing) as folder:
        pages, problem = _pages(context, offer, folder)
        body, named = pages[0][1], offer
        if len(pages) > 1:
            whole = folder / "pages.zip"
            _put_together(whole, [page.file for _, page in pages if page.file])
            sha256, size = sha256_of(whole)
            body = dataclasses.replace(body, file=whole, sha256=sha256, bytes=size)
            named = dataclasses.replace(offer, file_name=f"{Path(offer.file_name).stem}.zip")
        check_kind(context, named, is_synthetic=body.is_synthetic)
        landed = keep_body(context, named, body, tuple(url for url, _ in pages))
        if problem is None:
            refuse_other_file_type(context, named, landed)
        else:
            note_refusal(landed, problem.reason)
            raise BodyRefused(
                problem.code,
                f"what came {problem}",
                where=offer.url,
                kept=f"its bytes are in landing ({body.sha256[:12]}…); raw and the marts are as they were",
                next_step="the next run asks again; if it stays so, open the address without its RecordOffset",
            )
    return Fetched(offer, landed, None, offer.mark, body.sha256, sum(page.bytes for _, page in pages))


def check(context: FetchContext) -> list[Finding]:
    """Whether the dataset has periods, the dimensions that are asked for, and every code of them."""
    query = _query(context)
    findings = []
    try:
        list_editions(context)
    except (BodyRefused, PublisherUnavailable) as refused:
        findings.append(Finding(query.dataset_id, refused.problem, refused.code))
    for dimension, asked in query.parameters.items():
        if dimension == "geography":
            continue  # asked for by GSS codes, which NOMIS does not list
        try:
            there = _codes(context, dimension)
        except (BodyRefused, PublisherUnavailable) as refused:
            findings.append(Finding(f"{query.dataset_id}, dimension {dimension}", refused.problem, refused.code))
            continue
        wanted = [code for part in asked.split(",") for code in part.split("...")]
        gone = [code for code in wanted if code not in there]
        if gone:
            findings.append(Finding(f"{query.dataset_id}, dimension {dimension}", f"has no code {', '.join(gone)}"))
    return findings


def _codes(context: FetchContext, dimension: str) -> set[str]:
    url = f"{context.base_url.rstrip('/')}/api/v01/dataset/{_query(context).dataset_id}/{dimension}.def.sdmx.json"
    answer, _ = context.client.json(url, secret=_key(context))
    try:
        lists = _many(answer["structure"]["codelists"]["codelist"])
        return {str(code["value"]) for codelist in lists for code in _many(codelist["code"])}
    except (AttributeError, KeyError, TypeError):
        raise BodyRefused(
            "ANSWER_NOT_AS_AGREED", "the answer is not the list of a dimension's codes", where=url, kept=KEPT
        ) from None


def _pages(context: FetchContext, offer: Offer, folder: Path) -> tuple[list[tuple[str, Body]], Wrong | None]:
    """The pages of a delivery with their addresses, and what is wrong with them as a whole."""
    query = _query(context)
    pages: list[tuple[str, Body]] = []
    offsets: list[str] = []
    totals: set[str] = set()
    periods: set[str] = set()
    areas: set[str] = set()
    while True:
        url = f"{offer.url}&RecordLimit={query.page_records}&RecordOffset={len(offsets)}"
        body = context.client.fetch(url, folder, max_bytes=context.dataset.max_bytes, secret=_key(context))
        assert body.file is not None  # noqa: S101 - no validators were sent, so there is no 304
        pages.append((url, body))
        rows, problem = _records(body.file, query)
        if problem:
            return pages, problem
        offsets += [offset for offset, _, _, _ in rows]
        totals |= {total for _, total, _, _ in rows}
        periods |= {period for _, _, period, _ in rows}
        areas |= {area for _, _, _, area in rows}
        wrong = records_wrong(len(offsets), sum(map(is_count, offsets)), len(set(offsets)), sorted(totals))
        if wrong is None:
            asked = set(parse_qs(urlsplit(offer.url).query)["date"][0].split(","))
            expected = set() if query.asks_for_a_type else set(codes_of(query.geography))
            other_areas = _other_than(expected, areas | set(query.may_lack)) if expected else None
            return pages, _other_than(asked, periods) or other_areas
        total = int(next(iter(totals))) if len(totals) == 1 and is_count(next(iter(totals))) else 0
        is_repeated = len(set(offsets)) < len(offsets)
        if is_repeated or len(offsets) >= total or not rows or len(pages) == PAGES:
            return pages, wrong


def _records(file: Path, query: Query) -> tuple[list[tuple[str, str, str, str]], Wrong | None]:
    """Number, total, period and area (blank where the record does not say) of each record of a page; and what is wrong with it where it is none."""
    body = file.read_bytes()
    first = body[:200].decode("utf-8", "replace").splitlines()[0] if body.strip() else ""
    if not first:
        return [], Wrong("NO_ROWS", "is empty: NOMIS answers so where nothing matches the query")
    if encoding_of(body[:4]) != UTF_8:
        return [], Wrong("ENCODING_UNKNOWN", "is UTF-16, and NOMIS answers in UTF-8")
    with file.open(encoding="utf-8-sig", newline="", errors="replace") as handle:
        rows = csv.DictReader(handle, strict=True)
        try:
            if not {"RECORD_OFFSET", "RECORD_COUNT"} <= set(rows.fieldnames or ()):
                foreign = not_delimited_text(body[:512])
                if foreign and not first.isprintable():
                    return [], Wrong(foreign.code, str(foreign))
                return [], Wrong("NOT_THE_FILE", f"is not a table; it says {first[:120]!r}")
            names = ("RECORD_OFFSET", "RECORD_COUNT", "DATE", "GEOGRAPHY_CODE")
            found = [
                (r.get(names[0]) or "", r.get(names[1]) or "", r.get(names[2]) or "", r.get(names[3]) or "")
                for r in rows
            ]
        except csv.Error as error:
            return [], Wrong("FILE_DAMAGED", f"is not valid CSV: {error}")
    return found, None if found else Wrong("NO_ROWS", "has a header and no records")


def _other_than(asked: set[str], found: set[str]) -> Wrong | None:
    """How what a delivery is of differs from what was asked for: an answer to another question, an older copy, an area left out."""
    if found in (asked, {""}):
        return None
    lacks, has = sorted(asked - found), sorted(found - asked)
    reason = " and ".join(
        [
            *([f"lacks {', '.join(lacks[:5])}, which was asked for"] if lacks else []),
            *([f"has {', '.join(has[:5])}, which was not asked for"] if has else []),
        ]
    )
    return Wrong("ANSWER_NOT_AS_AGREED", reason)


def _put_together(whole: Path, pages: Iterable[Path]) -> None:
    """A stored zip of pages, each as it came: the same pages make the same bytes, whenever that is."""
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for number, page in enumerate(pages, start=1):
            member = zipfile.ZipInfo(f"page-{number:04d}.csv", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o444 << 16
            archive.writestr(member, page.read_bytes())


def _query(context: FetchContext) -> Query:
    return QUERIES[context.name]


def _key(context: FetchContext) -> dict[str, str]:
    return {"uid": context.key} if context.key else {}


def _url(context: FetchContext, what: str) -> str:
    return f"{context.base_url.rstrip('/')}/api/v01/dataset/{_query(context).dataset_id}{'/' if what.startswith('time') else '.'}{what}"


def _mark(periods: list[Period]) -> str | None:
    """The newest release of some periods; None where NOMIS does not say it of each."""
    released = [period.released for period in periods if period.released]
    return max(released) if len(released) == len(periods) else None


def _periods(context: FetchContext) -> list[Period]:
    """The released periods of a dataset, oldest first."""
    url = _url(context, "time.def.sdmx.json")
    answer, _ = context.client.json(url, secret=_key(context))
    now = context.now.astimezone(_LONDON).strftime("%Y-%m-%d %H:%M:%S")
    try:
        codes = [
            code for codelist in _many(answer["structure"]["codelists"]["codelist"]) for code in _many(codelist["code"])
        ]
        periods = [Period(str(code["value"]), _released(code)) for code in codes]
    except (AttributeError, KeyError, TypeError):
        said = answer.get("error") if isinstance(answer, dict) else None
        raise BodyRefused(
            "ANSWER_NOT_AS_AGREED",
            f"the answer says {str(said)[:120]!r}" if said else "the answer is not the list of a dataset's periods",
            where=url,
            kept=KEPT,
            next_step="compare the answer with ingest/sources/nomis/README.md",
        ) from None
    return sorted((p for p in periods if p.released is None or p.released <= now), key=lambda p: p.code)


def _released(code: dict[str, Any]) -> str | None:
    annotations = (code.get("annotations") or {}).get("annotation") or []
    for annotation in _many(annotations):
        if annotation.get("annotationtitle") == "CurrentRevisionReleased":
            text = str(annotation.get("annotationtext"))
            try:
                return dt.datetime.fromisoformat(text[:10]).strftime("%Y-%m-%d") + text[10:]
            except ValueError:
                return None
    return None


def _many(found: Any) -> list[Any]:
    """What SDMX as JSON writes as a list, or bare where there is one."""
    return found if isinstance(found, list) else [found]
