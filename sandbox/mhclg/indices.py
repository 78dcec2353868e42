"""Indices of Deprivation, File 7 of 2019 (LSOAs of 2011) and of 2025 (LSOAs of 2021), for the places of the other stand-ins alone.

The headers are the publisher's, less the domains that nobody here reads. LSOA codes are the ONS's where the stand-in of police.uk uses them,
and invented where that of the Metropolitan Police does; ranks and residents are nobody's.
"""

import csv
import io
from functools import lru_cache

from sandbox.draws import words
from sandbox.exchange import Request, Response, etag_of
from sandbox.places import LONDON, THOUSANDS
from sandbox.police_uk import places

# Of England, and where each is.
EDITIONS = {
    2019: (
        "/government/uploads/system/uploads/attachment_data/file/845345/"
        "File_7_-_All_IoD2019_Scores__Ranks__Deciles_and_Population_Denominators_3.csv"
    ),
    2025: ("/media/691ded56d140bbbaa59a2a7d/File_7_IoD2025_All_Ranks_Scores_Deciles_Population_Denominators.csv"),
}
_LSOAS = {2019: 32844, 2025: 33755}
_SMALL = 1500  # residents of an LSOA
_NAMES = {
    "imd": "Index of Multiple Deprivation (IMD)",
    "income": "Income",
    "idaci": "Income Deprivation Affecting Children Index (IDACI)",
}


class Mhclg:
    """The corner of GOV.UK's file store that holds the Indices of Deprivation."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def answer(self, request: Request) -> Response | None:
        """The file of an edition; None for any other path."""
        for edition, path in EDITIONS.items():
            if request.path == path:
                body = file_bytes(self._seed, edition)
                return Response(200, {"Content-Type": "text/csv", "ETag": etag_of(body)}, body)
        return None


@lru_cache(maxsize=4)
def file_bytes(seed: int, edition: int) -> bytes:
    """File 7 of an edition, as published: CRLF, no byte-order mark."""
    vintage, district, year = (2011, 2019, 2015) if edition == 2019 else (2021, 2024, 2022)
    text = io.StringIO()
    writer = csv.writer(text)
    rank, decile = "Rank (where 1 is most deprived)", "Decile (where 1 is most deprived 10% of LSOAs)"
    columns = [
        f"LSOA code ({vintage})",
        f"LSOA name ({vintage})",
        f"Local Authority District code ({district})",
        f"Local Authority District name ({district})",
    ]
    for domain, name in _NAMES.items():
        score = "Score" if domain == "imd" else "Score (rate)"
        columns += [f"{name} {score}", f"{name} {rank}", f"{name} {decile}"]
    writer.writerow([*columns, f"Total population: mid {year}" + (" (excluding prisoners)" if edition == 2019 else "")])
    for code, name, area, residents in _lsoas(edition):
        row: list[object] = [code, name, area, LONDON[area]]
        for domain, word in zip(_NAMES, words((str(seed), "imd", code), len(_NAMES)), strict=True):
            place = word % _LSOAS[edition] + 1
            row += [round(80 * (1 - place / _LSOAS[edition]), 3), place, (place * 10 - 1) // _LSOAS[edition] + 1]
            if domain != "imd":
                row[-3] = round(0.6 * (1 - place / _LSOAS[edition]), 3)
        writer.writerow([*row, residents])
    return text.getvalue().encode("ascii")


def _lsoas(edition: int) -> list[tuple[str, str, str, int]]:
    """Code, name, district and residents; the two invented places of a borough share its residents between them."""
    found = {}
    for lsoa in (*places.BOROUGHS, *places.CITY):
        code, name = (lsoa.code_2011, lsoa.name_2011) if edition == 2019 else (lsoa.code_2021, lsoa.name_2021)
        area = next(area for area, called in LONDON.items() if called == name.rpartition(" ")[0])
        found[code] = (code, name, area, _SMALL)
    if edition == 2025:
        for area, name in list(LONDON.items())[1:]:
            for place in (1, 2):
                code = f"E01999{area[-2:]}{place}"
                found[code] = (code, f"{name} 00{place}A", area, THOUSANDS[area] * 500)
    return [found[code] for code in sorted(found)]
