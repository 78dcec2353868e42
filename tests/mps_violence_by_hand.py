"""Where violence with injury lies, added up by hand from the real LSOA file and the Indices of Deprivation."""

from __future__ import annotations

import collections
import csv
import io
from pathlib import Path

from tests import mhclg_files
from tests import mps_more_files as files
from tests.queries import rows
from warehouse.platform.settings import Settings


def where_violence_with_injury_lies(warehouse: Settings, samples: Path) -> None:
    """Hotspots and fifths of deprivation are what the LSOA file and the index say when they are added up by hand."""
    lsoas = list(csv.DictReader(io.StringIO(files.lsoa_sample(samples).decode())))
    months = [name for name in lsoas[0] if name.isdigit()][-24:]
    now, before = collections.Counter[str](), collections.Counter[str]()
    for row in lsoas:
        if row["Minor Category"].upper() == "VIOLENCE WITH INJURY":
            now[row["LSOA Code"]] += sum(int(row[month]) for month in months[12:])
            before[row["LSOA Code"]] += sum(int(row[month]) for month in months[:12])
    assert {
        code: counts
        for code, *counts in rows(
            warehouse,
            """select small_area_code, count_12_months, previous_count_12_months, rank_in_london from candidate.rpt_hotspots
               where area_level = 'lsoa' and measure_code = 'mps_violence_with_injury'""",
        )
    } == {
        code: [now[code], before[code], 1 + sum(other > now[code] for other in now.values())]
        for code in now
        if now[code] or before[code]
    }
    # The copy of the index of 2025 has no residents, that of 2019 has: places that the census left alone have a rate, of 2015.
    assert rows(
        warehouse,
        """select small_area_name, count_12_months, previous_count_12_months, class_in_london, residents, residents_year, rate_per_1000
           from candidate.rpt_hotspots
           where area_level = 'lsoa' and measure_code = 'mps_violence_with_injury' and rank_in_london in (1, 3) order by rank_in_london""",
    ) == [
        ("Westminster 018A", 356, 342, "persistent", 1662, 2015, 214.2),
        ("Westminster 013G", 234, 260, "persistent", None, None, None),
    ]
    fifths = mhclg_files.fifths_of_london(samples)
    expected = collections.Counter[int]()
    for code, count in now.items():
        expected[fifths[code]] += count
    assert rows(
        warehouse,
        """select quintile, numerator, index_code, rate_per_1000, located_share_percent from candidate.rpt_deprivation
           where area_code = 'LONDON_32' and measure_code = 'mps_violence_with_injury' and domain = 'imd' and quintile_basis = 'london'
             and place_level = 'lsoa' order by 1""",
    ) == [(fifth, expected[fifth], "imd_2025", None, 100) for fifth in range(1, 6)]
    assert [expected[fifth] for fifth in range(1, 6)] == [18603, 15889, 13523, 9946, 5260]
