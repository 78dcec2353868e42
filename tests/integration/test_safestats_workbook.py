"""The published ambulance workbook: refused while it contradicts itself, exact once a person has said what its header should be."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
import python_calamine

from ingest import declaration
from ingest.connectors import file_drop
from ingest.declaration import find_source
from ingest.landing import sha256_of
from ingest.load import Loaded
from sandbox.safestats import feeds
from sandbox.safestats.workbook import Row, workbook
from tests.builds import build_and_publish, found_by
from tests.conftest import SAMPLES, Server, warehouse_to_build
from tests.queries import rows
from tests.refused import refused_with
from warehouse import steps
from warehouse.platform.settings import Settings

SAFESTATS = find_source("safestats")
NAME = "ambulance-borough-monthly.xlsx"
SHEETS = list(SAFESTATS.dataset("ambulance_borough").layout.sheets.required)  # type: ignore[union-attr]


def land(warehouse: Settings, dataset: str, file: Path) -> Loaded:
    landed = file_drop.take(warehouse.landing, SAFESTATS, dataset, file, warehouse.now())
    return steps.load_one(warehouse, SAFESTATS, dataset, landed)


def confirm(monkeypatch: pytest.MonkeyPatch, folder: Path, file: Path, **changed: object) -> None:
    """Put a confirmed correction of a file where the loader looks."""
    correction = {
        "sha256": sha256_of(file)[0],
        "sheet": "All Ambulance Attended",
        "header": "May2014",
        "read_as": "May 2016",
        "confirmed_by": "the operator",
        "confirmed_on": "2026-11-22",
        "reason": "it stands between April and June 2016",
    } | changed
    (folder / "sources" / "safestats").mkdir(parents=True, exist_ok=True)
    lines = "".join(f"    {key}: {value}\n" for key, value in correction.items()).replace("    ", "  - ", 1)
    (folder / "sources" / "safestats" / "corrections.yml").write_text("corrections:\n" + lines, encoding="utf-8")
    monkeypatch.setattr(declaration, "SOURCES", folder / "sources")


@pytest.fixture
def published(samples: Path) -> Path:
    return samples / "safestats" / NAME


def test_the_published_workbook_is_refused_for_its_header_by_sheet_and_name(
    warehouse: Settings, published: Path
) -> None:
    sheet = "sheet All Ambulance Attended, header"
    named = rf"{sheet} 'May2014' .*'May 2014' \(columns 61 and 85\); {sheet} .*201605"
    with refused_with("COLUMN_REPEATED", match=named) as refusal:
        land(warehouse, "ambulance_borough", published)
    told = str(refusal.value)
    assert f"corrections.yml (sha256 {sha256_of(published)[0]})" in told
    assert rows(warehouse, "select state, rows_loaded from ops.load") == [("refused", 0)]
    assert rows(warehouse, "select count(*) from raw.safestats__ambulance_borough") == [(0,)]


def test_it_loads_once_the_correction_is_confirmed_and_says_which_one_it_used(
    warehouse: Settings, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused_with("COLUMN_REPEATED"):
        land(warehouse, "ambulance_borough", published)
    confirm(monkeypatch, tmp_path, published)
    done = land(warehouse, "ambulance_borough", published)
    assert (done.rows, done.release_date) == (11 * 34, dt.date(2016, 8, 1))
    said = (
        "sheet All Ambulance Attended, header 'May2014' read as 'May 2016' "
        "(confirmed by the operator on 2026-11-22: it stands between April and June 2016)"
    )
    assert said in str(done)
    assert rows(warehouse, "select drift->'corrections', classification from ops.load where state = 'loaded'") == [
        ([said], "2016-11")
    ]
    sheets = python_calamine.CalamineWorkbook.from_path(published)
    cells = sum(34 * sum(1 for name in sheets.get_sheet_by_name(sheet).to_python()[0][2:] if name) for sheet in SHEETS)
    assert rows(warehouse, "select count(*), count(distinct sheet) from raw.safestats__ambulance_borough") == [
        (cells, 11)
    ]


@pytest.fixture(scope="module")
def published_marts(server: Server, tmp_path_factory: pytest.TempPathFactory) -> object:
    if not SAMPLES.is_dir():
        pytest.skip("the real published files (../shared/samples) are not beside this checkout")
    folder = tmp_path_factory.mktemp("published")
    file = SAMPLES / "safestats" / NAME
    with warehouse_to_build(server, folder) as settings:
        with pytest.MonkeyPatch.context() as patch:
            confirm(patch, folder, file)
            land(settings, "ambulance_borough", file)
            land(settings, "ambulance_london", file)
        assert build_and_publish(settings)
        yield settings


def test_every_printed_cell_reaches_the_marts(published_marts: Settings) -> None:
    sheets = python_calamine.CalamineWorkbook.from_path(_published())
    series = dict(
        rows(published_marts, "select published_sheet, measure_code from intermediate.safestats_ambulance_series")
    )
    names = dict(rows(published_marts, "select area_name, area_code from marts.dim_area"))
    names["Total"] = "LONDON_33"
    printed = {}
    for sheet in SHEETS:
        lines = sheets.get_sheet_by_name(sheet).to_python()
        months = ["May 2016" if name == "May2014" else name for name in lines[0]]
        for line in lines[1:35]:
            for name, cell in zip(months[2:], line[2:], strict=True):
                if name:
                    month = dt.datetime.strptime(str(name), "%b %Y").date()
                    printed[series[sheet], names[str(line[1])], month] = int(cell)  # type: ignore[arg-type]
    found = {
        (measure, area, month): int(value)  # type: ignore[call-overload]
        for measure, area, month, value in rows(
            published_marts,
            """select measure_code, area_code, period_start_date, value from marts.fct_measure
               where measure_code like 'safestats%' and measure_code not like '%_london'
                 and area_code not in ('LONDON_32', 'INNER', 'OUTER')""",
        )
    }
    assert found == printed
    assert len({measure for measure, _, _ in found}) == 11
    assert len({area for _, area, _ in found}) == 34


def test_the_totals_are_those_of_the_ward_atlas_of_the_same_publisher(published_marts: Settings) -> None:
    assert rows(
        published_marts,
        """select extract(year from period_start_date)::int, sum(value)::int from marts.fct_measure
           where measure_code = 'safestats_las_assaults' and area_code = 'LONDON_33'
             and period_start_date between '2010-01-01' and '2014-12-01' group by 1 order by 1""",
    ) == [(2010, 45935), (2011, 39816), (2012, 34323), (2013, 32491), (2014, 26338)]


def test_the_workbooks_own_derived_figures_come_out_of_the_marts_as_printed(published_marts: Settings) -> None:
    lines = python_calamine.CalamineWorkbook.from_path(_published()).get_sheet_by_name("London Summary").to_python()
    columns = dict(
        rows(
            published_marts,
            "select replace(published_column, '_', ''), london_measure_code from intermediate.safestats_ambulance_series",
        )
    )
    for index, header in enumerate(lines[0][1:], start=1):
        ((three, six, twelve, mean),) = rows(
            published_marts,
            f"""select change_on_year_3_months_percent / 100, change_on_year_6_months_percent / 100,
                   change_on_year_12_months_percent / 100, mean_of_12_months from marts.rpt_ambulance_month
               where area_code = 'LONDON_PUBLISHED' and month_start_date = '2015-10-01'
                 and measure_code = '{columns[str(header).lower()]}'""",
        )
        # To the digits printed: the sheet holds six significant ones, less the zeros at their end.
        printed = [Decimal(str(line[index])) for line in lines[1:5]]
        found = [
            Decimal(str(value)).quantize(Decimal(1).scaleb(figure.as_tuple().exponent))
            for value, figure in zip((three, six, twelve, mean), printed, strict=True)
        ]
        assert found == printed, header


@pytest.mark.parametrize(("times", "is_named"), [(10, True), (0.4, True), (1.8, False), (0.6, False)])
def test_a_figure_for_london_that_the_boroughs_do_not_come_near_is_named(
    published_marts: Settings, times: float, is_named: bool
) -> None:
    found = found_by(
        published_marts,
        "landing/safestats/ambulance_london",
        "london_is_about_what_the_boroughs_come_to",
        f"""update candidate.fct_measure set value = value * {times}
            where measure_code = 'safestats_las_knife_injuries_london' and period_start_date = '2013-05-01'""",
    )
    assert [row[1:3] for row in found] == [(dt.date(2013, 5, 1), "safestats_las_knife_injuries_london")] * is_named


def test_a_trend_across_the_change_of_coding_is_marked(published_marts: Settings) -> None:
    assert rows(
        published_marts,
        """select month_count, has_series_break, break_reason from marts.rpt_ambulance_month
           where measure_code = 'safestats_las_assaults' and area_code = 'LONDON_33'
             and month_start_date in ('2015-08-01', '2015-09-01') order by month_start_date""",
    ) == [(2382, False, None), (1361, True, "ambulance coding changed (September 2015)")]


def _published() -> Path:
    return SAMPLES / "safestats" / NAME


# ---- traps, in a workbook of the same form


def sheets_of(months: list[str]) -> dict[str, list[Row]]:
    """The eleven sheets over some months: every area has its row number in every month."""
    sheets: dict[str, list[Row]] = {}
    for sheet in SHEETS:
        lines: list[Row] = [["Code", "Borough", *months]]
        lines += [
            [feeds._CODES[name], name, *([number] * len(months))] for number, name in enumerate(feeds._CODES, start=1)
        ]
        sheets[sheet] = [*lines, ["", "Total", *([sum(range(1, 34))] * len(months))]]
    return sheets


def put(folder: Path, sheets: dict[str, list[Row]]) -> Path:
    file = folder / NAME
    file.write_bytes(workbook(sheets))
    return file


MONTHS = ["Jun 2009", "Jul 2009"]


def test_text_for_numbers_notes_and_an_empty_column_at_the_end_are_read_over(
    warehouse: Settings, tmp_path: Path
) -> None:
    sheets = sheets_of(MONTHS)
    sheets["Heroin Overdose Report"][1] = ["E09000002", "Barking and Dagenham", "1", 1, ""]
    sheets["Gun Injury Borough"] += [[], ["", "The number of incidents where a gun injury was reported"]]
    assert land(warehouse, "ambulance_borough", put(tmp_path, sheets)).rows == 11 * 34
    assert rows(
        warehouse,
        """select distinct cell from raw.safestats__ambulance_borough
           where sheet = 'Heroin Overdose Report' and borough_name = 'Barking and Dagenham'""",
    ) == [("1",)]


@pytest.mark.parametrize(
    ("months", "code", "named"),
    [
        (["Jun 2009", "Jun2009"], "COLUMN_REPEATED", r"'Jun2009' .*'Jun 2009' \(columns 3 and 4\)"),
        (["Jun 2009", "Aug 2009"], "MONTHS_MISSING", "200907"),
        (["Jun 2009", "June 2009"], "HEADER_UNKNOWN", r"'June 2009' .*\(column 4\)"),
        (["Jun 2009", "Jux 2009"], "HEADER_UNKNOWN", "'Jux 2009'"),
        (["Jun 2009", "Indicator"], "HEADER_UNKNOWN", r"'Indicator' .*\(column 4\)"),
    ],
)
def test_months_that_contradict_each_other_are_refused(
    warehouse: Settings, tmp_path: Path, months: list[str], code: str, named: str
) -> None:
    sheets = sheets_of(MONTHS) | {"Gun Injury Borough": sheets_of(months)["Gun Injury Borough"]}
    with refused_with(code, match=f"sheet Gun Injury Borough, header .*{named}"):
        land(warehouse, "ambulance_borough", put(tmp_path, sheets))


def test_a_workbook_without_one_of_its_sheets_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    sheets = sheets_of(MONTHS)
    del sheets["Knife Injury Borough"]
    with refused_with("SHEET_MISSING", match="'Knife Injury Borough'"):
        land(warehouse, "ambulance_borough", put(tmp_path, sheets))


def test_one_of_its_sheets_by_itself_says_not_which_it_is_and_is_refused(warehouse: Settings, tmp_path: Path) -> None:
    sheet = tmp_path / "Gun Injury Borough.csv"
    sheet.write_text("".join(",".join(map(str, row)) + "\n" for row in sheets_of(MONTHS)["Gun Injury Borough"]))
    with refused_with("NOT_THE_FILE", match="Gun Injury Borough"):
        land(warehouse, "ambulance_borough", sheet)


def test_values_under_no_header_and_unknown_areas_are_refused(warehouse: Settings, tmp_path: Path) -> None:
    sheets = sheets_of(MONTHS)
    sheets["Gun Injury Borough"][1] = ["E09000002", "Barking and Dagenham", 1, 1, 7]
    sheets["Assault Against Teens"][2] = ["E09000003", "Barnett", 1, 1]
    named = (
        r"sheet Gun Injury Borough, row 1, .*\b5 .*\b4; sheet Assault Against Teens, row 2, column Borough: 'Barnett'"
    )
    with refused_with("ROW_WIDTH_DIFFERS", match=named):
        land(warehouse, "ambulance_borough", put(tmp_path, sheets))


def test_a_correction_of_another_file_or_of_a_header_that_is_not_there_changes_nothing(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets = sheets_of(MONTHS) | {
        "All Ambulance Attended": sheets_of(["Jun 2009", "Jun2009"])["All Ambulance Attended"]
    }
    file = put(tmp_path, sheets)
    confirm(monkeypatch, tmp_path, file, sha256="f" * 64, header="Jun2009", read_as="Jul 2009")
    with refused_with("COLUMN_REPEATED", match="'Jun2009'"):
        land(warehouse, "ambulance_borough", file)
    confirm(monkeypatch, tmp_path, file, header="Jul2009", read_as="Jul 2009")
    with refused_with("CORRECTION_FITS_NOTHING", match="'Jul2009'"):
        land(warehouse, "ambulance_borough", file)
    confirm(monkeypatch, tmp_path, file, header="Jun2009", read_as="Jul 2009")
    assert land(warehouse, "ambulance_borough", file).rows == 11 * 34


def test_a_correction_that_names_nobody_is_no_correction(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = put(tmp_path, sheets_of(MONTHS))
    confirm(monkeypatch, tmp_path, file, confirmed_by="''")
    with refused_with("DECLARATION_INVALID", where="corrections.yml", match="corrections.0.confirmed_by"):
        land(warehouse, "ambulance_borough", file)


def test_the_stand_in_is_in_the_published_form(warehouse: Settings, tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_bytes(next(f for f in feeds.files(dt.date(2026, 11, 22), 1) if f.name == NAME).body)
    assert dataclasses.astuple(land(warehouse, "ambulance_borough", file))[2] == 11 * 34
    assert land(warehouse, "ambulance_london", file).rows == feeds.WORKBOOK_MONTHS + 5
