"""The invented MPS borough files: their form, their size, and how releases follow one another."""

import csv
import hashlib
from collections import Counter
from datetime import date
from functools import cache

import pytest

from sandbox.mps.recorded_crime import HISTORICAL, RECENT, Release, file_bytes, latest_release
from sandbox.mps.weights import BOROUGHS

OCTOBER, NOVEMBER = Release(date(2026, 10, 6)), Release(date(2026, 11, 6))

Cells = dict[tuple[str, str, str], int]


def table(release: Release, kind: str, seed: int = 1) -> list[list[str]]:
    text = file_bytes(seed, release, "Borough", kind).decode("ascii")
    return list(csv.reader(text.splitlines()))


@cache
def cells(release: Release, seed: int = 1) -> Cells:
    """{(category, area, month): count} of a release's two files together."""
    found = {}
    for kind in (HISTORICAL, RECENT):
        header, *rows = table(release, kind, seed)
        for row in rows:
            for month, count in zip(header[3:], row[3:], strict=True):
                found[row[1], row[2], month] = int(count)
    return found


def by_month(counts: Cells, *, category: str | None = None, area: str | None = None) -> Counter[str]:
    sums: Counter[str] = Counter()
    for (cell_category, cell_area, month), count in counts.items():
        if category in (None, cell_category) and area in (None, cell_area):
            sums[month] += count
    return sums


def months(first: int, last: int) -> list[str]:
    return [
        f"{year}{month:02d}"
        for year in range(2010, 2030)
        for month in range(1, 13)
        if first <= year * 100 + month <= last
    ]


@pytest.mark.parametrize(
    ("today", "published_on"),
    [
        (date(2026, 11, 5), date(2026, 10, 6)),
        (date(2026, 11, 6), date(2026, 11, 6)),
        (date(2026, 11, 30), date(2026, 11, 6)),
        (date(2027, 1, 5), date(2026, 12, 6)),
        (date(2027, 2, 5), date(2027, 1, 6)),
    ],
)
def test_a_release_comes_on_the_6th_of_each_month(today: date, published_on: date) -> None:
    assert latest_release(today).published_on == published_on


def test_a_day_before_the_first_release_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"2012-05-06 .*2012-05-05"):
        latest_release(date(2012, 5, 5))


def test_the_november_release_ends_in_october_and_leaves_no_hole_between_its_files() -> None:
    assert table(NOVEMBER, RECENT)[0] == ["MajorText", "MinorText", "BoroughName", *months(202411, 202610)]
    assert table(NOVEMBER, HISTORICAL)[0] == ["MajorText", "MinorText", "BoroughName", *months(201004, 202410)]


def test_both_files_abut_in_every_release() -> None:
    releases = [Release(date(year, month, 6)) for year in range(2013, 2031) for month in range(1, 13)]

    for release in releases:
        first, last = release.window(RECENT)
        assert release.window(HISTORICAL) == (0, first - 1), release
        assert last - first == 23, release


def test_files_are_ascii_with_crlf_and_no_byte_order_mark() -> None:
    for kind in (RECENT, HISTORICAL):
        body = file_bytes(1, NOVEMBER, "Borough", kind)
        assert body.startswith(b"MajorText,MinorText,BoroughName,2")
        assert body.endswith(b"\r\n")
        assert body.count(b"\n") == body.count(b"\r\n")
        assert body.isascii()


def test_files_are_as_large_as_the_real_ones() -> None:
    recent, historical = table(NOVEMBER, RECENT), table(NOVEMBER, HISTORICAL)

    assert 1_000 < len(recent) < 1_080
    assert 1_060 < len(historical) < 1_120
    assert {len(row) for row in recent} == {27}
    assert {len(row) for row in historical} == {178}


def test_each_file_holds_33_categories_in_upper_case_and_every_borough() -> None:
    for kind in (RECENT, HISTORICAL):
        rows = table(NOVEMBER, kind)[1:]
        categories = {(row[0], row[1]) for row in rows}
        assert len(categories) == 33
        assert ("VIOLENCE AGAINST THE PERSON", "STALKING AND HARASSMENT") in categories
        assert all(label == label.upper() for category in categories for label in category)
        assert len({(*row[:3],) for row in rows}) == len(rows)
        assert {row[2] for row in rows} >= set(BOROUGHS)
    assert len(BOROUGHS) == 32


def test_only_the_historical_file_knows_the_airports_and_only_from_april_2023_to_february_2024() -> None:
    airports = "London Heathrow and London City Airports"
    assert {row[2] for row in table(NOVEMBER, RECENT)} - set(BOROUGHS) == {"BoroughName", "Unknown"}
    assert {row[2] for row in table(NOVEMBER, HISTORICAL)} - set(BOROUGHS) == {"BoroughName", "Unknown", airports}

    counts = by_month(cells(NOVEMBER), area=airports)
    assert [month for month, count in counts.items() if count] == months(202304, 202402)


def test_a_borough_lacks_a_category_it_never_recorded() -> None:
    for kind in (RECENT, HISTORICAL):
        rows = table(NOVEMBER, kind)[1:]
        assert all(any(count != "0" for count in row[3:]) for row in rows)
    with_nfib = {row[2] for row in table(NOVEMBER, RECENT) if row[1] == "NFIB"}
    assert 0 < len(with_nfib) < 33


def test_counts_are_of_a_plausible_order() -> None:
    counts = cells(NOVEMBER)
    recent = months(202411, 202610)

    london, unknown = by_month(counts), by_month(counts, area="Unknown")
    homicide, injury = by_month(counts, category="HOMICIDE"), by_month(counts, category="VIOLENCE WITH INJURY")
    assert all(70_000 < london[month] < 80_000 for month in recent)
    assert all(55_000 < london[month] < 85_000 for month in months(201004, 202410))
    assert 8 < sum(homicide[month] for month in recent) / 24 < 10
    assert all(4_800 < injury[month] < 6_500 for month in recent)
    by_area: Counter[str] = Counter()
    for (_, area, _), count in counts.items():
        by_area[area] += count
    assert by_area.most_common(1)[0][0] == "Westminster"
    # One month has a tenth without a borough, as the real files have.
    assert [month for month in london if unknown[month] > 0.02 * london[month]] == ["202310"]
    assert 0.09 < unknown["202310"] / london["202310"] < 0.1


def test_the_same_seed_and_release_give_the_same_bytes_in_every_process() -> None:
    digests = {
        kind: hashlib.sha256(file_bytes(1, NOVEMBER, "Borough", kind)).hexdigest() for kind in (RECENT, HISTORICAL)
    }

    assert digests == {
        RECENT: "ff72d1b41fb4744bb1bd99e5701201b53dae7008cac6d9b1c2a939e86fda7e94",
        HISTORICAL: "edf05bbe24c77f0dd2127d3e46dac9db4d711fe9af25ae436939c206f015dc2f",
    }


def test_another_seed_gives_other_numbers_under_the_same_labels() -> None:
    one, two = table(NOVEMBER, RECENT, seed=1), table(NOVEMBER, RECENT, seed=2)

    assert one[0] == two[0]
    assert {row[2] for row in one} == {row[2] for row in two}
    assert one != two


def test_a_release_revises_each_of_the_last_48_months_and_no_older_one() -> None:
    before, after = cells(OCTOBER), cells(NOVEMBER)
    revised: Counter[str] = Counter()
    for cell in before.keys() | after.keys():
        if cell[2] <= "202609":
            revised[cell[2]] += before.get(cell, 0) != after.get(cell, 0)

    assert sorted(month for month, count in revised.items() if count) == months(202210, 202609)
    assert min(revised["202609"], revised["202608"]) > max(revised[month] for month in months(202210, 202512))


def test_the_newest_month_is_short_at_first_and_fills_up() -> None:
    before, after = by_month(cells(OCTOBER)), by_month(cells(NOVEMBER))

    assert 1.010 < after["202609"] / before["202609"] < 1.030
    assert all(abs(after[month] / before[month] - 1) < 0.01 for month in months(202210, 202608))
