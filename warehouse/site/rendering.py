"""Pages out of plain data: HTML by the templates, and beside it each figure as CSV and its description as JSON."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ingest.errors import Refusal
from ingest.landing import REAL, SYNTHETIC
from warehouse.exports.values import without_formula
from warehouse.site import charts, compacting, formats
from warehouse.site.model import MARKINGS, Area
from warehouse.site.shown import Shown, failed, table

HERE = Path(__file__).parent
STATIC = HERE / "static"
WIDEST = 20  # columns of a table
MEASURES = "data/measures.csv"  # of an edition


@dataclasses.dataclass(frozen=True)
class Page:
    """A page that can be written.

    Attributes:
        path: its address in the edition, such as hackney/trend.html.
        template: of templates/.
        area: what it is about.
        context: what the template is given, plain data; `figures` among it are drawn first.
        figures: in the order of the page.
        failures: of drawings that are among its context, in whose place it says that there is none.
    """

    path: str
    template: str
    area: Area
    context: dict[str, Any]
    figures: tuple[Shown, ...] = ()
    failures: tuple[Refusal, ...] = ()

    def hash(self, code: str) -> str:
        """What the page depends on, the release's number aside: it says in which release its figures were first as they are.

        Args:
            code: hash of the code that writes pages.
        """
        given = [self.path, self.template, self.area, self.context, self.figures, code]
        text = json.dumps(given, default=_plain, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def marks(self) -> dict[str, str]:
        """What its files say of themselves in each row: how the edition is marked, and whether the data are real."""
        is_invented = any(banner["kind"] == SYNTHETIC for banner in self.context["banners"])
        marking = MARKINGS.get(self.context["edition"], MARKINGS["open"])
        return {"marking": marking, "data_kind": SYNTHETIC if is_invented else REAL}

    @property
    def root(self) -> str:
        """The way from the page to the edition's folder."""
        return "../" * self.path.count("/")


def _plain(value: Any) -> Any:
    if isinstance(value, Shown):
        # What the chart is given is made of the rows by code that is hashed too.
        return {name: part for name, part in vars(value).items() if name != "chart_rows"}
    return vars(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else str(value)


@cache
def code_version() -> str:
    """A hash of all that makes pages of rows: this package's code, queries, templates, style and scripts."""
    total = hashlib.sha256()
    for file in sorted(HERE.rglob("*")):
        if file.suffix in {".py", ".sql", ".j2", ".css", ".js", ".csv", ".json", ".typ"}:
            total.update(f"{file.relative_to(HERE)}\0".encode() + file.read_bytes())
    return total.hexdigest()


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "month": formats.month,
        "day": formats.day,
        "moment": formats.moment,
        "count": formats.count,
    }
    environment.globals |= {
        "cell": formats.cell,
        "NUMERIC": formats.NUMERIC,
        "MISSING": formats.MISSING,
        "body": body,
        "wordy": wordy,
    }
    return environment


def write(page: Page, folder: Path, release: dict[str, Any]) -> tuple[list[str], list[Refusal]]:
    """Draw the figures of a page and write its files.

    Args:
        folder: of the edition.
        release: what the page says of the release: release_id, published (a moment).

    Returns:
        The files, relative to the folder, the page first; and a refusal for each figure that cannot be shown: its place says so.
    """
    drawn = [_drawn(figure, page.area) for figure in page.figures]
    html = (
        _templates()
        .get_template(page.template)
        .render(**page.context, area=page.area, drawn=drawn, root=page.root, path=page.path, release=release)
    )
    files = {page.path: html}
    base = page.path.rpartition("/")[0]
    for figure, _, _ in drawn:
        if figure.rows:
            place = f"{base}/data/{figure.key}" if base else f"data/{figure.key}"
            files[f"{place}.csv"] = as_csv(figure, page.marks)
            files[f"{place}.json"] = as_json(figure, page, release)
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    return list(files), [*page.failures, *(figure.failure for figure, _, _ in drawn if figure.failure)]


def draw(figure: Shown, area: Area) -> charts.Chart | None:
    """The figure's chart; none where it is a table alone.

    Raises:
        Refusal: it cannot be drawn.
    """
    if not figure.chart:
        return None
    try:
        drawn: charts.Chart = getattr(charts, figure.chart)(
            figure.chart_rows, title=figure.title, subtitle=figure.subtitle, unit=figure.unit
        )
    except Exception as error:  # whatever goes wrong in a drawing, the pages of other areas stand
        raise failed(figure.key, area, error) from error
    return drawn


def _drawn(figure: Shown, area: Area) -> tuple[Shown, Markup, Markup]:
    """The figure with its chart, wide and narrow; neither where it is a table alone, and its place alone where the chart fails."""
    try:
        chart = draw(figure, area)
    except Refusal as refusal:
        return figure.without(refusal), Markup(""), Markup("")
    if chart is None:
        return figure, Markup(""), Markup("")
    narrow = compacting.named_by(chart.narrow, chart.svg)
    return figure, Markup(compacting.compact(chart.svg)), Markup(compacting.compact(narrow))  # noqa: S704 - the chart escapes what is in its rows


def as_csv(figure: Shown, marks: dict[str, str]) -> str:
    """The rows of a figure as the query gave them: exact, with the names of the mart's columns, and how the file is marked in each row."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    names = list(figure.rows[0])
    marked = {name: mark for name, mark in marks.items() if name not in names}
    lines.writerow([*names, *marked])
    lines.writerows([*(_written(row[name]) for name in names), *marked.values()] for row in figure.rows)
    return text.getvalue()


def _written(value: Any) -> Any:
    return _text(value) if isinstance(value, str) else formats.plain(value)


@lru_cache(maxsize=20_000)
def _text(value: str) -> Any:
    return without_formula(value)


def wordy(figure: Shown) -> str:
    """Which columns of a figure's table have words, as classes of the table: w3 for the third, l3 where they are sentences."""
    kinds = enumerate((column.kind for column in figure.columns), start=1)
    return " ".join(f"{'l' if kind == 'long' else 'w'}{place}" for place, kind in kinds if kind not in formats.NUMERIC)


def table_rules() -> str:
    """The style sheet of those classes."""
    lines = []
    for place in range(1, WIDEST + 1):
        lines.append(
            f".w{place} td:nth-child({place}),.l{place} td:nth-child({place}){{text-align:left;white-space:normal}}"
        )
        lines.append(
            f".w{place} td:nth-child({place}){{min-width:6.5rem}}.l{place} td:nth-child({place}){{min-width:17rem}}"
        )
    return "\n".join(lines) + "\n"


def body(figure: Shown) -> Markup:
    """The rows of a figure's table, as HTML: the first cell names the row. Ends of cells and rows, which HTML does not need, are left out."""
    lines = []
    for cells in table(figure):
        first, *others = [escape(cell) for cell in cells]
        told = "".join(f"<td>{cell}" for cell in others)
        lines.append(f"<tr><th scope=row>{first}{told}\n")
    return Markup("".join(lines))  # noqa: S704 - each cell is escaped


def as_json(figure: Shown, page: Page, release: dict[str, Any]) -> str:
    """What a figure's file of rows is: its title, release, SQL, what has to be said of it, and where its measures are defined: once for all figures, with caveat and licence."""
    about = {
        "title": figure.title,
        "subtitle": figure.subtitle,
        "area_code": page.area.code,
        "area_name": page.area.name,
        "release_id": release["release_id"],
        "published_at": release["published_at"],
        **page.marks,
        "notices": [banner["text"] for banner in page.context["banners"]],
        "columns": [{"name": column.name, "heading": column.heading, "kind": column.kind} for column in figure.columns],
        "row_count": len(figure.rows),
        "note": figure.note,
        "measures": [measure["measure_code"] for measure in figure.measures],
        "measures_defined_in": f"../{page.root}{MEASURES}",
        "editions": [name for name, _ in figure.editions],
        "sql": figure.sql,
        "trace": figure.trace,
    }
    return json.dumps(about, separators=(",", ":"), ensure_ascii=False, default=str) + "\n"


def write_static(folder: Path) -> None:
    """Write the style sheets and the scripts."""
    (folder / "static").mkdir(exist_ok=True)
    (folder / "static/charts.css").write_text(compacting.rules() + table_rules(), encoding="utf-8")
    for file in sorted(STATIC.iterdir()):
        (folder / "static" / file.name).write_bytes(file.read_bytes())
