"""What every file of a pack says, whatever its form: its pages, marking, notices, measures, editions, markers."""

from __future__ import annotations

import dataclasses
from typing import Any

from warehouse.site.model import MARKINGS, Area, Column
from warehouse.site.rendering import Page
from warehouse.site.shown import Shown

STATUS = "status"
TITLE = "strategic needs assessment"
AUTHOR = "The Violence Reduction Unit's data team"
EDITION_SAYS = {
    "partner": "Partner edition: for the partners of the violence-reduction duty, not for publication",
    "open": "Open edition: for anyone",
}
FRESHNESS = "How fresh each dataset is stands on the status page of the site, which is written with each release."
LICENCE = (
    "Data under the Open Government Licence v3.0 unless a measure says otherwise; its publishers are named with it. "
    "Limits are 95% unless a table says otherwise. Rank 1 is the highest."
)
MARKERS = (
    ("[b]", "break of the series: figures before and after are not like for like"),
    ("[c]", "confidential: suppressed by its owner's rule"),
    ("[low]", "below half of the last digit that is shown"),
    ("[p]", "provisional: its publisher still revises it"),
    ("[r]", "revised since it was first published"),
    ("[u]", "unreliable: of too few events"),
    ("[x]", "not available"),
    ("[z]", "not applicable"),
)
GAPS = (
    Column("question", "Question"),
    Column("part", "Part"),
    Column("answered", "Answered"),
    Column("missing", "Missing", "long"),
    Column("holder", "Who holds it"),
    Column("legal_gateway", "Gateway"),
)
SENTENCES = (
    Column("page", "Page"),
    Column("sentence", "Sentence", "long"),
    Column("source_line", "Source", "long"),
    Column("caveat", "Caveat", "long"),
)
MEASURES = (
    Column("measure_name", "Measure"),
    Column("says", "Definition", "long"),
    Column("attribution", "Attribution", "long"),
    Column("licence", "Licence"),
)
_ANSWERED = {"partly": "in part", "not_available": "no", "not_loaded": "not loaded"}


@dataclasses.dataclass(frozen=True)
class Pack:
    """The pages of an area as its files hold them.

    Attributes:
        pages: those of the site, in its order, the status page among them.
        said: what a page says of the release: release_id, published, published_at (ISO 8601).
    """

    area: Area
    edition: str
    pages: tuple[Page, ...]
    said: dict[str, Any]

    @property
    def title(self) -> str:
        """Hackney: strategic needs assessment."""
        return f"{self.area.name}: {TITLE}"

    @property
    def marking(self) -> str:
        """The classification, on every page and sheet."""
        return MARKINGS[self.edition]

    @property
    def banners(self) -> list[dict[str, str]]:
        """What has to be said of invented, stale or held data."""
        return [{**banner, "text": on_paper(banner["text"])} for banner in self.pages[0].context["banners"]]

    @property
    def release(self) -> str:
        """In which release its figures were first as they are."""
        return f"Release {self.said['release_id']}, published {self.said['published']}"

    @property
    def status_lines(self) -> list[tuple[str, str]]:
        """How the release stands, by name and value."""
        found: list[tuple[str, str]] = next(
            (page.context["status_lines"] for page in self.pages if "status_lines" in page.context), []
        )
        return [*found, ("Freshness", FRESHNESS)]

    @property
    def body(self) -> tuple[Page, ...]:
        """Its pages but that of the status, which every release changes: files stand as long as their figures do."""
        return tuple(page for page in self.pages if not is_status(page))

    @property
    def figures(self) -> list[tuple[Page, int, Shown]]:
        """Each figure with its page and its place on it, from 1."""
        return [(page, place, figure) for page in self.body for place, figure in enumerate(page.figures, start=1)]

    @property
    def measures(self) -> list[dict[str, Any]]:
        """Name, definition, caveat, licence and attribution of each measure, by name."""
        found = {one["measure_name"]: one for _, _, figure in self.figures for one in figure.measures}
        return [found[name] for name in sorted(found)]

    def gaps(self, page: Page) -> list[dict[str, Any]]:
        """What a page cannot say yet, in the columns GAPS; what a page before it cannot say either stands there alone."""
        earlier = [row for one in self.body[: self.body.index(page)] for row in gaps(one)]
        return [row for row in gaps(page) if row not in earlier]

    @property
    def editions(self) -> list[str]:
        """The publishers' editions that the figures name."""
        return sorted({name for _, _, figure in self.figures for name, _ in figure.editions})


def is_status(page: Page) -> bool:
    """Whether a page is that of the status."""
    return page.context.get("slug") == STATUS


def on_paper(text: str) -> str:
    """A banner's text, which speaks of a page, for a file."""
    return text.replace("on this page", "in this file")


def gaps(page: Page) -> list[dict[str, Any]]:
    """What the page cannot say yet, in the columns GAPS."""
    return [
        {
            "question": row["question"],
            "part": row["part"],
            "answered": _ANSWERED.get(row["state"], row["state"]),
            "missing": row["missing"] or row["feed_gap"],
            "holder": row["feed_holder"] or row["feed_gap_holder"],
            "legal_gateway": row["legal_gateway"],
        }
        for row in page.context["gaps"]
    ]


def sentences(page: Page) -> list[dict[str, Any]]:
    """The sentences of a page, in the columns SENTENCES."""
    return [{"page": page.context["heading"], **row} for row in page.context["facts"]]


def definition(measure: dict[str, Any]) -> str:
    """What a measure is: definition, caveat, what it stands in for."""
    parts = [measure["definition"], f"Caveat: {measure['caveat']}" if measure["caveat"] else ""]
    if measure["proxy_of"]:
        why = f": {measure['proxy_reason']}" if measure["proxy_reason"] else ""
        parts.append(f"Stands in for {measure['proxy_of']}{why}.")
    return " ".join(part for part in parts if part) or "Its publisher gives no definition in this edition."
