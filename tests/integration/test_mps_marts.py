"""Small files of the MPS, built once: each dataset comes out of the marts by its own rules."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.load import Loaded
from tests import mps_more_files as files
from tests.conftest import Server, warehouse_to_build
from tests.mps_deliveries import (
    ISO_2026,
    KINDS_OF_LSOAS,
    KNIFE,
    KNIFE_2026,
    Delivery,
    Land,
    landing_in,
    published,
    victims,
    ward_file,
)
from tests.mps_files import categories
from tests.queries import rows
from warehouse.build import transform
from warehouse.platform.settings import Settings


@pytest.fixture
def land(warehouse: Settings, tmp_path: Path) -> Land:
    return landing_in(warehouse, tmp_path)


@dataclasses.dataclass(frozen=True)
class Built:
    """A warehouse built once from what all cases deliver, and what loading said of each delivery, by the name of its function.

    Cases keep out of each other's way: no two have the same measure.
    """

    settings: Settings
    loaded: dict[str, list[Loaded]]


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("mps")
    with warehouse_to_build(server, folder) as settings:
        land = landing_in(settings, folder)
        loaded = {
            case.__name__: [land(dataset, body, name) for dataset, name, body in case()]
            for case in (sparse, forms, two_releases, not_notifiable, wards, lsoas, victims, vawg)
        }
        transform.build(settings)
        yield Built(settings, loaded)


def sparse() -> Delivery:
    counts = [
        *files.every_borough("202601", KNIFE, 2),
        ("202602", "Barnet", KNIFE, "Offences", 7),
        ("202602", "Barnet", KNIFE, "Positive Outcomes", 1),
        ("202601", "Barnet", "Gun Crime Personal Robbery|Gun Crime Personal Robbery", "Offences", 3),
        ("202601", "Barnet", "Gun Crime|Gun Crime Personal Robbery", "Positive Outcomes", 4),
        ("202602", "Other / NK", KNIFE, "Offences", 5),
        ("202602", "Barnet", "Domestic Abuse|Domestic Abuse violence with injury", "Offences", 8),
        ("202602", "Barnet", "Domestic Abuse|Domestic Abuse Violence with Injury", "Positive Outcomes", 9),
    ]
    return [("dashboard_other", "M1045_MonthlyCrimeDashboard_OtherCrimeData.csv", files.dashboard_file(counts))]


def test_a_missing_row_is_0_wards_are_not_added_to_boroughs_and_outcomes_are_no_offences(built: Built) -> None:
    warehouse = built.settings
    knife = published(warehouse, "mps_knife_crime")
    assert knife[("LONDON_32", "202601")] == 64
    assert {key: value for key, value in knife.items() if key[1] == "202602"} == {
        ("E09000003", "202602"): 7,
        ("OUTER", "202602"): 7,
        ("LONDON_32", "202602"): 7,
        ("UNALLOCATED", "202602"): 5,
    }
    # Camden has no row in February: a row of 0, and not no row.
    assert rows(
        warehouse,
        """select value::int from candidate.fct_measure where measure_code = 'mps_knife_crime' and area_code = 'E09000007'
           and period_start_date = '2026-02-01'""",
    ) == [(0,)]
    assert published(warehouse, "mps_knife_crime_outcomes")[("E09000003", "202602")] == 1
    assert published(warehouse, "mps_gun_crime_robbery")[("E09000003", "202601")] == 3
    assert published(warehouse, "mps_gun_crime_robbery_outcomes")[("E09000003", "202601")] == 4
    assert ("E09000003", "202601") not in published(warehouse, "mps_gun_crime")
    assert published(warehouse, "mps_domestic_abuse_with_injury")[("E09000003", "202602")] == 8
    assert published(warehouse, "mps_domestic_abuse_with_injury_outcomes")[("E09000003", "202602")] == 9


FORMS = "Hate crime|AntiSemitic"


def forms() -> Delivery:
    """One file in each form."""
    counts = [*files.every_borough("202509", FORMS, 2), *files.every_borough("202510", FORMS, 3)]
    bodies = {
        "ddmmyyyy with BOM": files.dashboard_file(counts),
        "ISO, no BOM": files.dashboard_file(counts, date_form="%Y-%m-%d", bom=False),
        "2026, 11 columns": files.dashboard_file(counts, header=KNIFE_2026),
        "the lower-case header of September 2026": files.dashboard_file(
            counts, header=ISO_2026, date_form="%Y-%m-%d", bom=False
        ),
        "other order": files.dashboard_file(counts, header=tuple(reversed(files.DASHBOARD))),
    }
    return [("dashboard_knife", f"{name}.csv", body) for name, body in bodies.items()]


def test_every_form_of_a_dashboard_file_is_read_to_the_same_figures(built: Built) -> None:
    assert [(done.rows, done.release_date) for done in built.loaded["forms"]] == [(128, dt.date(2025, 11, 1))] * 5
    found = rows(
        built.settings,
        """select load_id, month_start_date::text, sum(recorded_count)::int from staging.stg_mps__dashboard_knife
           where is_borough_row and published_subtype = 'AntiSemitic' group by 1, 2 order by 1, 2""",
    )
    assert [row[1:] for row in found] == [("2025-09-01", 64), ("2025-10-01", 96)] * 5
    assert len({load for load, *_ in found}) == 5


INJURY = "Knife Crime|Knife Crime with Injury"


def two_releases() -> Delivery:
    new = [*files.every_borough("202601", INJURY, 5), *files.every_borough("202602", INJURY, 6)]
    old = [*files.every_borough("202512", INJURY, 1), *files.every_borough("202601", INJURY, 2)]
    name = "M1045_MonthlyCrimeDashboard_KnifeCrimeData"
    return [
        ("dashboard_knife", f"{name}.csv", files.dashboard_file(new)),
        ("dashboard_knife", f"{name}_202601.csv", files.dashboard_file(old)),
    ]


def test_the_newest_release_of_a_dashboard_file_speaks_and_an_older_one_for_the_months_before(built: Built) -> None:
    assert [done.is_history for done in built.loaded["two_releases"]] == [False, True]
    knife = published(built.settings, "mps_knife_crime_with_injury")
    assert [knife["LONDON_32", month] for month in ("202512", "202601", "202602")] == [32, 160, 192]


def not_notifiable() -> Delivery:
    counts = [
        *files.every_borough("202602", "ROBBERY|ROBBERY OF PERSONAL PROPERTY", 3),
        *files.every_borough("202602", "OTHER ACCEPTED CRIME|OTHER ACCEPTED CRIME", 50),
    ]
    return [("dashboard_tno", "file.csv", files.dashboard_file(counts, header=ISO_2026, date_form="%Y-%m-%d"))]


def test_offences_that_are_not_notifiable_are_left_out_of_the_total(built: Built) -> None:
    assert published(built.settings, "mps_tno")["LONDON_32", "202602"] == 96


def wards() -> Delivery:
    """A ward file under each vintage's header, whose first month had all but left the window."""
    headers = [
        files.SMALL,
        ("WardName", "WardCode", "MajorText", "MinorText", "LookUp_BoroughName"),
        ("Group", "SubGroup", "WardName", "WardCode", "LookUp_BoroughName"),
    ]
    months, counts = ["202601", "202602", "202603"], [0, 10, 12]
    return [
        ("ward_recent", f"ward{number}.csv", ward_file(months, counts, header)) for number, header in enumerate(headers)
    ]


def test_the_header_of_every_vintage_of_a_ward_file_is_read_and_its_nearly_empty_first_month_left_out(
    built: Built,
) -> None:
    warehouse = built.settings
    assert [done.rows for done in built.loaded["wards"]] == [32 * len(categories("connect_2025"))] * 3
    each = len(categories("connect_2025"))
    assert rows(
        warehouse,
        """select to_char(month_start_date, 'YYYYMM'), count(*), sum(all_offences_count), sum(homicide_count),
             sum(violence_without_injury_incl_stalking_count) from candidate.fct_ward_month group by 1 order by 1""",
    ) == [("202602", 32, 32 * each * 10, 320, 640), ("202603", 32, 32 * each * 12, 384, 768)]
    assert rows(
        warehouse, "select distinct month_start_date::text, offence_count from intermediate.int_mps_partial_month"
    ) == [("2026-01-01", 0)]


def lsoas() -> Delivery:
    body = files.csv_bytes(
        [*files.LSOA, "202602", "202603"],
        [
            [f"E0199{n:04d}", f"Camden {n:03d}A", f"E090000{n:02d}", major, minor, 4, 5]
            for n in range(2, 34)
            for major, minor in KINDS_OF_LSOAS
        ],
    )
    return [("lsoa_recent", "file.csv", body)]


def test_the_lsoa_file_has_no_sexual_offences_and_codes_for_boroughs(built: Built) -> None:
    warehouse, kinds = built.settings, KINDS_OF_LSOAS
    assert [done.rows for done in built.loaded["lsoas"]] == [32 * len(kinds)]
    assert rows(
        warehouse,
        """select area_code, all_offences_count, violence_with_injury_count from intermediate.int_mps_lsoa_month
           where lsoa_code = 'E01990003' and month_start_date = '2026-03-01'""",
    ) == [("E09000003", 5 * len(kinds), 5)]


def test_homicide_victims_come_out_by_borough_sex_and_age_with_heathrow_and_unmapped_kept_apart(built: Built) -> None:
    warehouse = built.settings
    assert published(warehouse, "mps_homicide_victims_under_25") == {
        ("E09000013", "202601"): 1, ("INNER", "202601"): 1, ("LONDON_32", "202601"): 1, ("UNALLOCATED", "202601"): 1,
        ("AVIATION", "202601"): 1, ("E09000007", "202603"): 1, ("INNER", "202603"): 1, ("LONDON_32", "202603"): 1,
    }  # fmt: skip
    assert rows(
        warehouse,
        """select area_code, sex, age_band, value::int from candidate.fct_measure
           where measure_code = 'mps_homicide_victims' and period_start_date = '2026-01-01' and sex <> 'all' and value > 0
             and area_code not in ('INNER', 'OUTER') order by 1, 2, 3""",
    ) == [
        ("AVIATION", "male", "20-24", 1), ("AVIATION", "male", "all", 1),
        ("E09000013", "male", "13-19", 1), ("E09000013", "male", "all", 1),
        ("E09000021", "female", "65+", 1), ("E09000021", "female", "all", 1),
        ("LONDON_32", "female", "65+", 1), ("LONDON_32", "female", "all", 1),
        ("LONDON_32", "male", "13-19", 1), ("LONDON_32", "male", "all", 1),
        ("UNALLOCATED", "male", "20-24", 1), ("UNALLOCATED", "male", "25-34", 2), ("UNALLOCATED", "male", "all", 3),
    ]  # fmt: skip
    # February has none anywhere, and says so.
    assert rows(
        warehouse,
        """select count(*), sum(value)::int from candidate.fct_measure where measure_code = 'mps_homicide_victims'
           and period_start_date = '2026-02-01' and sex = 'all' and age_band = 'all'""",
    ) == [(37, 0)]


def vawg() -> Delivery:
    month, unknown = dt.date(2026, 1, 1), dt.date(1900, 1, 1)
    outside = "Other flagged offences outside of VAWG"
    body = files.xlsx_bytes(
        {
            "Read me": [["whatever stands here is not read"]],
            "Offence count location": [
                files.VAWG_PLACE,
                ["Central", "Camden", "A ward", month, month, 9],
                ["Central", "Camden", "A ward", month, unknown, 1],
                ["Other", "Other", None, month, None, 2],
            ],
            "Offence count classification": [
                files.VAWG_CLASS,
                ["Rape", "Rape", "Rape", "Rape of a Female aged 16 and over", month, month, 8],
                [outside, "Non-Vawg Crime", "Common assault", "Non-VaWG Classification", month, month, 4],
            ],
            "Victim count by age group": [["Age Group", "Recorded Date Months", "Count"], ["20-29", month, 12]],
        }
    )
    return [("vawg", "MPS VAWG Dashboard.xlsx", body)]


def test_the_sheets_of_the_vawg_workbook_stand_in_one_table_and_are_counted_once(built: Built) -> None:
    warehouse = built.settings
    # Each sheet lacks columns that another has; none of the three says anything of ethnicity.
    assert [(done.rows, done.drift) for done in built.loaded["vawg"]] == [(6, {"missing columns": ["ethnic_group"]})]
    assert rows(warehouse, "select sheet, age_group, count from raw.mps__vawg order by sheet, _row_number") == [
        ("Offence count classification", "", "8"),
        ("Offence count classification", "", "4"),
        ("Offence count location", "", "9"),
        ("Offence count location", "", "1"),
        ("Offence count location", "", "2"),
        ("Victim count by age group", "20-29", "12"),
    ]
    assert published(warehouse, "mps_vawg_dashboard_offences") == {
        ("E09000007", "202601"): 10, ("INNER", "202601"): 10, ("LONDON_32", "202601"): 10, ("UNALLOCATED", "202601"): 2,
        ("LONDON_PUBLISHED", "202601"): 12,
    }  # fmt: skip
    assert published(warehouse, "mps_vawg_offences") == {("LONDON_PUBLISHED", "202601"): 8}
    assert published(warehouse, "mps_vawg_outside_offences") == {("LONDON_PUBLISHED", "202601"): 4}
    assert rows(warehouse, "select count(*) from staging.stg_mps__vawg where committed_month_start_date is null") == [
        (3,)
    ]
