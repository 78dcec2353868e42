"""Packs: the thirteen pages of a borough, and one pack by hand."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingest.errors import Refusal
from warehouse.platform.settings import Settings
from warehouse.site import areas, banners, folder, formats, rendering
from warehouse.site.model import MARKINGS, Area, Topic
from warehouse.site.open_topics import OPEN_TOPICS, nothing
from warehouse.site.reading import Reader, reading
from warehouse.site.rendering import Page
from warehouse.site.shown import show
from warehouse.site.sources import measures_page, sources_page
from warehouse.site.takeaway import files
from warehouse.site.takeaway.content import Pack
from warehouse.site.topics import TOPICS
from warehouse.site.topics.glance import cards

FORMATS = ("html", *files.WRITERS)
# Of each chapter of the fact pack the first sentence, in this order: five that a partnership should know first.
FIRST = (
    "homicide_baseline",
    "violence_with_injury_change",
    "knife_injury_under_25_level",
    "violence_with_injury_rank",
    "ambulance_assaults_level",
)
_CODE = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
CONTACT = "The Violence Reduction Unit's data team"


def topics_of(edition: str) -> tuple[Topic, ...]:
    """The pages of an edition's packs."""
    return TOPICS if edition == "partner" else OPEN_TOPICS


def shared(reader: Reader, *, is_alone: bool = False) -> dict[str, Any]:
    """What every page of an edition is given.

    Args:
        is_alone: it is of one pack, without an overview.
    """
    return {"edition": reader.edition, "banners": banners.of(reader), "is_alone": is_alone}


def pack(reader: Reader, area: Area, given: dict[str, Any], *, has_files: bool = False) -> list[Page]:
    """The pages of an area.

    Args:
        given: what `shared` gives.
        has_files: whether its files to take away stand beside them.

    Raises:
        Refusal: a figure cannot be put together.
    """
    topics = topics_of(reader.edition)
    links = [{"slug": topic.slug, "title": topic.title} for topic in topics]
    pages = [_page(reader, area, topic, links, given) for topic in topics]
    for page in pages:
        page.context["files"] = (
            files.links(area, reader.edition) if has_files and page.context["slug"] == "index" else []
        )
    return pages


def _page(reader: Reader, area: Area, topic: Topic, links: list[dict[str, str]], given: dict[str, Any]) -> Page:
    facts = [] if reader.edition == "open" else _facts(reader, area, topic)
    context = {
        **given,
        "heading": topic.title,
        "area_label": area.name,
        "asks": topic.asks,
        "number": topic.number,
        "slug": topic.slug,
        "topics": links,
        "before": links[topic.number - 1] if topic.number else None,
        "after": links[topic.number + 1] if topic.number + 1 < len(links) else None,
        "facts": facts,
        "facts_heading": "Five things to know" if topic.slug == "index" else "What the figures say",
        "gaps": _gaps(reader, topic),
        "nothing": nothing(topic.slug)
        if reader.edition == "open"
        else "The marts of this release have no rows for this page.",
    }
    is_glance = topic.slug == "index" and reader.edition == "partner"
    context["cards"] = cards(reader.rows("success_measures", area)) if is_glance else []
    if topic.slug == "status":
        context["status_lines"] = status_lines(reader)
    figures = tuple(show(reader, figure, area) for figure in topic.figures)
    return Page(f"{area.slug}/{topic.slug}.html", "topic.html.j2", area, context, figures)


def _facts(reader: Reader, area: Area, topic: Topic) -> list[dict[str, Any]]:
    facts = [dict(row) for row in reader.rows("sentences", area)]
    if topic.slug == "index":
        first = [row for code in FIRST for row in facts if row["fact_code"] == code]
        others = [row for row in facts if row["importance"] == 1 and row not in first]
        return (first + others)[: len(FIRST)]
    if topic.slug == "compared":
        return [row for row in facts if row["chapter"] == "Compared"]
    return [row for row in facts if row["chapter"] in topic.chapters]


def _gaps(reader: Reader, topic: Topic) -> list[dict[str, Any]]:
    return [dict(row) for row in reader.rows("gaps") if row["question_number"] in topic.questions]


def status_lines(reader: Reader, *, is_short: bool = False) -> list[tuple[str, str]]:
    """How the release stands, as names and values; short: without what the checks warned of."""
    release = reader.release
    lines = [
        ("Release", str(release.release_id)),
        ("Published", formats.moment(release.published_at)),
        (
            "Data",
            "real, from the publishers" if release.data_kind == "real" else "synthetic: invented, for no decision",
        ),
    ]
    if release.verdict:
        lines.append(("Verdict of the checks", release.verdict))
    if release.verdict_reason and not is_short:
        lines.append(("What the checks warned of", _in_words(reader, release.verdict_reason)))
    marking = MARKINGS[reader.edition]
    return [
        *lines,
        ("Classification of this edition", marking),
        ("Updated", "every night, where a publisher has something new"),
        ("Whom to ask", CONTACT),
    ]


def _in_words(reader: Reader, reason: str) -> str:
    """What the checks warned of with names for measures, and words for other codes."""
    names = {row["measure_code"]: row["measure_name"] for row in reader.rows("measures")}
    return _CODE.sub(lambda found: names.get(found[0]) or formats.coded(found[0]), reason)


def release_said(reader: Reader) -> dict[str, Any]:
    """What a page says of the release."""
    return {
        "release_id": reader.release.release_id,
        "published": formats.day(formats.local(reader.release.published_at)),
        "published_at": formats.local(reader.release.published_at).isoformat(timespec="seconds"),
    }


def write_pack(
    settings: Settings,
    asked: str,
    edition: str,
    out: Path | None,
    *,
    form: str = "html",
    release_id: int | None = None,
    echo: Callable[[str], None],
) -> tuple[Path, int]:
    """Write one area's pack, whole or not at all: pages into a folder of its own, or one file.

    Args:
        asked: code or name of the area.
        edition: open or partner.
        out: the folder, which is replaced where a pack stands in it, or the file, which is not there yet; None for one of the area's name in
            `packs` of the home, which is replaced.
        form: html, pdf, xlsx or ods.
        release_id: an earlier release; None for the one that the marts hold.

    Returns:
        The first page or the file, and how many pages the pack has.

    Raises:
        Refusal: the area, release, edition or format is unknown, the folder holds something else, or a figure cannot be drawn.
    """
    _check(form, out)
    with reading(settings, edition, release_id) as (connection, release, is_current):
        area = areas.find_area(asked, areas.boroughs(connection, edition))
        echo(f"reading release {release.release_id} for {area.name}")
        reader = Reader(connection, edition, release, is_current=is_current, areas=[area])
        given = shared(reader, is_alone=True)
        pages = pack(reader, area, given)
        said = release_said(reader)
        if form == "html":
            if edition == "partner":
                pages.append(sources_page(reader, given))
            pages += [measures_page(reader, given), _front(area, given)]
    if form != "html":
        file = (out or settings.home / "packs" / files.name_of(area, edition, form)).absolute()
        files.write(Pack(area, edition, tuple(pages), said), form, file)
        return file, len(pages)
    out = (out or settings.home / "packs" / area.slug).resolve()
    folder.check(out, is_pack=True)
    with folder.replacing(out) as new:
        written = {}
        for page in pages:
            made, failures = rendering.write(page, new.path, said)
            if failures:
                raise failures[0]
            written[page.path] = (page.hash(rendering.code_version()), made)
        rendering.write_static(new.path)
        folder.write_manifest(new.path, folder.Manifest(folder.BY_HAND, release.release_id, written))
    return out / "index.html", len(pages)


def _check(form: str, out: Path | None) -> None:
    """See that the format is one that a pack is written as, and that no file would be lost."""
    if form not in FORMATS:
        close = difflib.get_close_matches(form.lower(), FORMATS, n=1, cutoff=0.5)
        raise Refusal(
            "OPTION_INVALID",
            f"a pack is not written as {form!r}",
            kept="no file was written",
            next_step=f"choose the nearest, {close[0]}" if close else f"choose one of {', '.join(FORMATS)}",
        )
    if form != "html" and out is not None and out.exists():
        raise Refusal(
            "EXPORT_FOLDER_TAKEN",
            "there is something of this name already",
            where=str(out),
            kept="it as it was",
            next_step="name a new file, or move this one away",
        )


def _front(area: Area, given: dict[str, Any]) -> Page:
    doors = [(area.name, f"{area.slug}/index.html", "The pack: thirteen pages, from status to how far to trust it")]
    return Page(
        "index.html",
        "front.html.j2",
        area,
        {**given, "heading": f"{area.name}'s pack", "area_label": "", "doors": doors},
    )
