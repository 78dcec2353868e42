"""Files to take away: the PDF and the workbooks of a pack say what its pages say, and whoever reads them aloud can; the open layer's data are whole."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import csvw
import pypdf
import pytest
from frictionless import Package
from python_calamine import CalamineWorkbook

from tests.homes import Home
from tests.refused import refused_with
from tests.site_pages import Tables
from warehouse import exports, site
from warehouse.site import packs, rendering
from warehouse.site.model import Area
from warehouse.site.reading import Reader, reading
from warehouse.site.takeaway import files, folders
from warehouse.site.takeaway.content import Pack

HACKNEY = Area("E09000012", "Hackney", "hackney")
MARKERS = {"[x]", "[z]", "[c]", "[low]"}


@pytest.fixture(scope="module")
def pack(first_night: Home) -> Pack:
    with reading(first_night.settings, "partner", None) as (connection, release, is_current):
        reader = Reader(connection, "partner", release, is_current=is_current, areas=[HACKNEY])
        return Pack(
            HACKNEY,
            "partner",
            tuple(packs.pack(reader, HACKNEY, packs.shared(reader))),
            packs.release_said(reader),
        )


@pytest.fixture(scope="module")
def folder(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's pages and, beside them, its three files."""
    folder = tmp_path_factory.mktemp("takeaway")
    for page in pack.pages:
        rendering.write(page, folder, pack.said)
    files.write_all([pack], folder)
    return folder


def sheets(file: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(file)
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def table_of(rows: list[list[Any]]) -> list[list[Any]]:
    """The rows of a sheet's table, which begins below the sentence that speaks of it."""
    start = next(place for place, row in enumerate(rows) if str(row[0]).startswith("This sheet has one table")) + 1
    return rows[start:]


def is_as_shown(cell: Any, shown: str) -> bool:
    """Whether a cell is what the page shows, which rounds it."""
    if isinstance(cell, dt.datetime):
        return shown == f"{cell.day} {cell:%B %Y, %H:%M}"
    if isinstance(cell, dt.date):
        return shown in (f"{cell:%B %Y}", f"{cell.day} {cell:%B %Y}")
    if isinstance(cell, float):
        number = shown.strip("+%").replace(",", "").replace("\N{MINUS SIGN}", "-")
        places = len(number.partition(".")[2])
        return abs(float(number) - cell) <= 0.5 * 10**-places + 1e-9
    return str(cell) == shown


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_a_workbook_has_each_table_of_the_pages_with_its_values(pack: Pack, folder: Path, form: str) -> None:
    found = sheets(folder / f"hackney/hackney-partner.{form}")
    assert list(found)[:3] == ["cover", "contents", "notes"]
    compared = 0
    for page, place, figure in pack.figures:
        shown = Tables(folder / page.path).by_caption.get(figure.title)
        if shown is None:
            assert not figure.rows
            continue
        rows = found[f"{page.context['number']}_{place:02d}_{page.context['slug']}"]
        assert rows[0][0] == figure.title
        header, *cells = table_of(rows)
        assert header == [column.heading for column in figure.columns]
        assert len(cells) == len(shown)
        wrong = [
            (cell, text)
            for row, texts in zip(cells, shown, strict=True)
            for cell, text in zip(row, texts, strict=True)
            if not is_as_shown(cell, text)
        ]
        assert wrong == [], figure.key
        compared += len(cells)
    assert compared > 1_000


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_no_cell_of_a_table_is_empty_and_every_sheet_says_what_it_is(folder: Path, form: str) -> None:
    for name, rows in sheets(folder / f"hackney/hackney-partner.{form}").items():
        told = " ".join(str(row[0]) for row in rows)
        assert "OFFICIAL-SENSITIVE" in told, name
        assert "Invented by the stand-in publishers" in told, name
        if name != "cover":
            assert [row for row in table_of(rows) if "" in row] == [], name


def test_each_table_of_an_xlsx_is_marked_up_as_one_and_the_language_is_said(folder: Path) -> None:
    with zipfile.ZipFile(folder / "hackney/hackney-partner.xlsx") as archive:
        names = archive.namelist()
        tables = [name for name in names if name.startswith("xl/tables/")]
        pages = [name for name in names if name.startswith("xl/worksheets/sheet")]
        assert len(tables) == len(pages) - 1  # the cover has none
        assert b"<dc:language>en-GB</dc:language>" in archive.read("docProps/core.xml")
        frozen = [name for name in pages if b'state="frozen"' in archive.read(name)]
        assert len(frozen) == len(tables)
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_pdf_is_tagged_in_english_with_words_for_every_chart_and_marked_on_every_page(
    pack: Pack, folder: Path
) -> None:
    reader = pypdf.PdfReader(folder / "hackney/hackney-partner.pdf")
    catalog = reader.root_object
    assert catalog["/Lang"] == "en-GB"
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in catalog["/Metadata"].get_data()
    tags: list[tuple[str, str]] = []

    def walk(element: Any) -> None:
        element = element.get_object()
        if isinstance(element, list):
            for one in element:
                walk(one)
        elif isinstance(element, dict):
            if "/S" in element:
                tags.append((str(element["/S"]), str(element.get("/Alt", ""))))
            if "/K" in element:
                walk(element["/K"])

    walk(catalog["/StructTreeRoot"]["/K"])
    drawn = [f"{figure.title}. {figure.subtitle}" for _, _, figure in pack.figures if figure.chart]
    assert [alt for kind, alt in tags if kind == "/Figure"] == drawn
    assert {"/H1", "/H2", "/Table", "/TH", "/TD"} <= {kind for kind, _ in tags}
    for page in (reader.pages[0], reader.pages[len(reader.pages) // 2], reader.pages[-1]):
        text = page.extract_text()
        assert "OFFICIAL-SENSITIVE" in text
        assert "Synthetic data" in text
        assert "Release 1, published" in text


def test_the_same_release_gives_the_same_bytes(pack: Pack, folder: Path, tmp_path: Path) -> None:
    files.write_all([pack], tmp_path)
    for path in files.paths(pack):
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes(), path


def test_a_file_that_cannot_be_written_leaves_none(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(pack: Pack, file: Path) -> None:
        file.write_bytes(b"half")
        raise ValueError("two columns of it have one heading")

    monkeypatch.setitem(files.WRITERS, "ods", fails)
    with refused_with("SITE_FILE_FAILED") as refusal:
        files.write(pack, "ods", tmp_path / "hackney-partner.ods")
    assert "the ODS of Hackney cannot be written" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("form", "words"), [("xls", "the nearest, xlsx"), ("tex", "html, pdf, xlsx, ods")])
def test_a_format_that_there_is_not_is_refused_with_what_there_is(
    first_night: Home, tmp_path: Path, form: str, words: str
) -> None:
    with refused_with("OPTION_INVALID") as refusal:
        site.write_pack(first_night.settings, "Hackney", "partner", tmp_path / "x", form=form, echo=lambda line: None)
    assert words in str(refusal.value)


def test_a_file_of_somebody_s_is_not_written_over(first_night: Home, tmp_path: Path) -> None:
    (tmp_path / "thesis.pdf").write_text("years of work", encoding="utf-8")
    with refused_with("EXPORT_FOLDER_TAKEN"):
        site.write_pack(
            first_night.settings, "Hackney", "open", tmp_path / "thesis.pdf", form="pdf", echo=lambda line: None
        )
    assert (tmp_path / "thesis.pdf").read_text(encoding="utf-8") == "years of work"


def test_the_open_layer_is_given_out_with_metadata_that_hold(
    first_night: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = exports.export
    # Of its two views the small one: the other has 700,000 rows, and is written the same way.
    monkeypatch.setattr(
        exports, "export", lambda settings, names, *given, **more: export(settings, ("publication",), *given, **more)
    )
    with reading(first_night.settings, "open", None) as (_, release, _):
        given = folders.open_data(first_night.settings, release)
    given.write(tmp_path / "open-data")
    for form in ("csv", "parquet"):
        place = tmp_path / "open-data" / form
        sums = dict(reversed(line.split("  ")) for line in (place / "SHA256SUMS").read_text().splitlines())
        there = {file.name for file in place.iterdir()} - {"SHA256SUMS"}
        assert {name: hashlib.sha256((place / name).read_bytes()).hexdigest() for name in there} == sums
    place = tmp_path / "open-data/csv"
    resource = Package(str(place / "datapackage.json")).get_resource("publication")
    assert resource.validate().valid
    published = first_night.rows("select release_id, data_kind from marts_open.publication")
    assert [(row["release_id"], row["data_kind"]) for row in resource.read_rows()] == published
    table = csvw.Table.from_file(place / "publication.csv-metadata.json")
    table.dialect.encoding = "utf-8-sig"  # the package does not know of the mark that UTF-8 may begin with
    assert [(row["release_id"], row["data_kind"]) for row in table] == published


def test_connections_for_bi_tools_hold_no_password(first_night: Home, tmp_path: Path) -> None:
    given = folders.bi_files(first_night.settings)
    assert given is not None
    given.write(tmp_path / "bi")
    password = (first_night.settings.secrets / "vru_analyst").read_text(encoding="utf-8").strip()
    texts = {file.suffix: file.read_text(encoding="utf-8") for file in (tmp_path / "bi").iterdir()}
    assert set(texts) == {".pbids", ".tds", ".odc", ".ini"}
    port = (first_night.folder / "postgres.port").read_text(encoding="utf-8").split()[0]
    for text in texts.values():
        assert port in text
        assert password not in text
    assert json.loads(texts[".pbids"])["connections"]
