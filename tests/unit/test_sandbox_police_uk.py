"""The stand-in for police.uk: true in shape, the same for a seed and a day, and served in parts."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import zipfile

import pytest

from sandbox.exchange import Request, Response
from sandbox.police_uk.archive import PoliceUk, archive, newest_month

DAY = dt.date(2026, 11, 22)


def ask(path: str, *, on: dt.date = DAY, **headers: str) -> Response:
    answer = PoliceUk(1, lambda: on).answer(Request("GET", path, path, {}, headers, "http://127.0.0.1:1"))
    assert answer is not None
    return answer


def members(newest: str, seed: int = 1) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive(seed, newest))) as file:
        return {name: file.read(name) for name in file.namelist()}


def rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def test_an_archive_comes_out_on_the_first_of_the_second_month_after() -> None:
    assert [newest_month(dt.date(2026, 11, 30)), newest_month(dt.date(2026, 12, 1))] == ["2026-09", "2026-10"]
    assert re.findall(r"/(\d{4}-\d{2})\.zip", ask("/data/archive/").body.decode()) == ["2026-09", "2026-08"]
    assert ask("/data/archive/2026-10.zip").status == 404
    assert ask("/data/archive/", on=dt.date(2012, 1, 1)).body.count(b"MD5") == 0


def test_the_page_lists_the_md5_of_what_is_served() -> None:
    body = ask("/archive/2026-09.zip").body
    assert body == archive(1, "2026-09")
    assert hashlib.md5(body).hexdigest().encode() in ask("/data/archive/").body  # noqa: S324 - the publisher's choice
    assert ask("/data/archive/latest.zip").headers["Location"] == "http://127.0.0.1:1/archive/2026-09.zip"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-100", 100, 100), ("bytes=-7", -7, -1), ("bytes=5-", 5, -1)],
)
def test_a_part_is_what_was_asked_for(wanted: str, first: int, last: int) -> None:
    body = archive(1, "2026-09")
    first, last = first % len(body), last % len(body)
    part = ask("/archive/2026-09.zip", range=wanted)
    assert (part.status, part.body) == (206, body[first : last + 1])
    assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(body)}"
    assert ask("/archive/2026-09.zip", range=f"bytes={len(body)}-").status == 416


def test_the_same_seed_gives_the_same_members_and_another_seed_others() -> None:
    archive.cache_clear()
    first = members("2026-09")
    archive.cache_clear()
    assert members("2026-09") == first
    assert members("2026-09", seed=2) != first


def test_36_months_of_which_an_archive_rewrites_the_newest_three() -> None:
    old, new = members("2026-08"), members("2026-09")
    assert (min(new)[:7], max(new)[:7]) == ("2023-10", "2026-09")
    changed = {name[:7] for name in old.keys() & new.keys() if old[name] != new[name]}
    assert changed == {"2026-06", "2026-07", "2026-08"}


def test_rows_have_the_quirks_of_the_publisher() -> None:
    found = members("2026-09")
    assert "2025-01/2025-01-btp-street.csv" in found
    assert "2025-02/2025-02-btp-street.csv" not in found
    assert not [name for name in found if name.endswith("btp-outcomes.csv")]
    railway = rows(found["2026-09/2026-09-btp-street.csv"])
    assert {row["Crime ID"] + row["Last outcome category"] for row in railway} == {""}
    assert len({tuple(row.values()) for row in railway}) < len(railway)
    assert 0.2 < sum(row["LSOA name"][:4] in {"Arun", "Adur"} for row in railway) / len(railway) < 0.7
    met = rows(found["2026-09/2026-09-metropolitan-street.csv"])
    assert {row["Crime type"] for row in met if not row["Crime ID"]} == {"Anti-social behaviour"}
    assert {len(row["Crime ID"]) for row in met} == {0, 64}
    assert [row["Location"] for row in met if "," in row["Location"]]
    assert "No location" in {row["Location"] for row in rows(found["2026-09/2026-09-city-of-london-street.csv"])}
    searches = rows(found["2026-07/2026-07-metropolitan-stop-and-search.csv"])
    assert searches[0]["Date"] == "2026-06-30T23:00:00+00:00"
