"""Nights through Airflow, as a person runs them: green, quiet, held, refused, back to green; then rollback and rebuild.

The tests of this file tell one story and share one home, each leaving it as it found it or as its name says; a night takes
a quarter of a minute, and each alone would need several. The story is set in 2014, when the publisher's history was short.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import sandbox
from sandbox.server import Publisher
from tests.homes import Home, declarations_of, home_like

pytestmark = pytest.mark.timeout(600)  # a rebuild loads, builds, judges and publishes all of it

TODAY = dt.date(2014, 10, 22)
DATASETS = {"mps": ["borough_historical", "borough_recent"]}
RECENT = "MPS Borough Level Crime (most recent 24 months)"


class Story(Home):
    """A home, and the stand-in publisher that its nights ask."""

    def __init__(self, folder: Path, publisher: Publisher, declarations: Path) -> None:
        super().__init__(folder, TODAY, {"mps": publisher.base_url}, declarations)
        self.publisher = publisher

    def night(self) -> subprocess.CompletedProcess[str]:
        """A night of two datasets of the police: the story is the same for all, and test_questions runs them all."""
        return self.vru("nightly", "--sources", "mps")


@pytest.fixture(scope="module")
def home(set_up_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    declarations = declarations_of(tmp_path_factory.mktemp("declared"), DATASETS)
    with home_like(set_up_home) as folder, sandbox.serve(today=TODAY, seed=1) as publisher:
        story = Story(folder, publisher, declarations)
        first = story.night()
        assert first.returncode == 0, first.stdout + first.stderr
        assert "SYNTHETIC DATA" in first.stderr
        assert "release 1 (synthetic)" in first.stdout
        assert "marts.rpt_borough_month" in first.stdout
        yield story


def offered(publisher: Publisher, name: str) -> bytes:
    """The newest file of that name that the stand-in offers now."""
    resources = requests.get(f"{publisher.base_url}/api/action/package_show?id=exy3m", timeout=10).json()["result"][
        "resources"
    ]
    url = next(r["url"] for r in resources if name in r["name"])
    return requests.get(url, timeout=10).content


def recounted(body: bytes, month: str, factor: float) -> bytes:
    """A borough file with every count of a month (YYYYMM) multiplied."""
    rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    column = rows[0].index(month)
    writer.writerow(rows[0])
    for row in rows[1:]:
        writer.writerow([*row[:column], int(int(row[column]) * factor), *row[column + 1 :]])
    return text.getvalue().encode()


def test_london_and_what_could_not_be_placed_are_what_the_publisher_printed(home: Story) -> None:
    rows = list(csv.reader(io.StringIO(offered(home.publisher, RECENT).decode(), newline="")))
    for index, month in list(enumerate(rows[0]))[3:]:
        found = home.rows(
            f"""select sum(value)::bigint from marts.fct_measure where measure_code = 'mps_all_offences'
                and period_start_date = to_date('{month}', 'YYYYMM') and area_code not in ('INNER', 'OUTER')
                and area_code not in (select borough_code from marts.dim_borough)"""
        )
        assert found == [(sum(int(row[index]) for row in rows[1:]),)], month


def test_a_night_on_which_nothing_changed_writes_nothing_and_builds_nothing(home: Story) -> None:
    marts, written = home.marts(), home.written()
    home.publisher.forget_requests()
    quiet = home.night()
    assert quiet.returncode == 0, quiet.stdout
    assert "nothing was new: release 1 stands" in quiet.stdout
    assert "nothing is new: the marts hold what this build would come to" in home.vru("build").stdout
    assert home.marts() == marts
    assert home.written() == written
    assert {r.status for r in home.publisher.requests if "/files/" in r.path} == {304}
    assert home.rows("select max(release_id) from marts.publication") == [(1,)]
    assert home.alerts() == []


def test_a_file_that_changed_its_form_is_refused_the_rest_goes_on_and_one_alert_says_so(home: Story) -> None:
    marts, before = home.marts(), len(home.alerts())
    body = offered(home.publisher, RECENT).replace(b"BoroughName", b"Ward", 1)
    home.publisher.misbehave("replace_body", path_contains=RECENT, body=body)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert home.marts() == marts
    (alert, *rest) = home.alerts()
    assert len(rest) == before
    assert "header 'Ward' is not known (column 3)" in str(alert["body"])
    assert home.vru("loads", "--json").stdout.count('"refused"') == 1


def test_a_publisher_that_is_down_makes_the_run_red_and_its_data_stale(home: Story) -> None:
    home.publisher.misbehave("status", path_contains="package_show", code=404)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert home.rows("select distinct state from marts.data_status where dataset like 'borough%'") == [("stale",)]
    assert home.rows("select count(*) from marts.data_status where why like '%status 404%'") == [
        (len(DATASETS["mps"]),)
    ]
    assert home.rows("select count(*) from marts.publication") == [(1,)]


def test_a_delivery_that_is_not_fit_is_held_and_the_marts_stand_byte_for_byte(home: Story) -> None:
    marts = home.marts()
    spoilt = recounted(offered(home.publisher, RECENT), "201408", 0.83)
    home.publisher.misbehave("replace_body", path_contains=RECENT, body=spoilt)
    night = home.night()
    home.publisher.behave()
    assert night.returncode == 1
    assert "HELD" in night.stdout
    assert home.marts() == marts
    # The one file that was spoilt holds the release, and no other dataset is called held.
    assert home.rows("select source, dataset from marts.data_status where state = 'held'") == [
        ("mps", "borough_recent")
    ]
    alert = home.alerts()[0]
    assert "no_month_moves_15_percent_from_what_is_published" in str(alert["body"])
    assert "2014-08" in str(alert["body"])


def test_the_next_good_month_publishes_by_itself(home: Story) -> None:
    home.today = dt.date(2014, 11, 8)
    home.publisher.advance_to(home.today)
    night = home.night()
    assert night.returncode == 0, night.stdout + night.stderr
    assert home.rows("select distinct state from marts.data_status where dataset like 'borough%'") == [("fresh",)]
    assert home.rows("select max(period_start_date) from marts.fct_measure") == [(dt.date(2014, 10, 1),)]
    assert home.rows("select count(*) from marts.publication") == [(2,)]


def test_what_the_new_month_revised_is_what_the_first_release_said_otherwise(home: Story) -> None:
    # The marts' own history is the witness: it was written before anything was revised. The delivery between the two was held, so that
    # what the new month revised of that one never stood in the marts.
    changed = home.rows(
        """select n.measure_code, n.area_code, n.period_start_date, o.value::float, n.value::float
           from marts.fct_measure as n
           inner join marts_history.fct_measure_as_of(1) as o
             using (measure_code, area_code, period_kind, period_start_date, sex, age_band, ethnicity)
           inner join marts.dim_measure as m on m.measure_code = n.measure_code and m.datasets like 'borough%'
           where n.value <> o.value and m.measure_kind <> 'composite' and n.area_code not in ('INNER', 'OUTER') order by 1, 2, 3"""
    )
    assert changed
    told = home.rows(
        """select measure_code, area_code, period_start_date, earlier_value, value from marts.rpt_revision
           where compared_with = 'first' and source_release like 'borough% 2014-11-%' order by 1, 2, 3"""
    )
    assert told == changed


def test_every_release_can_be_read_again_and_gone_back_to(home: Story) -> None:
    marts = home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8")
    (newest,) = home.rows("select max(release_id) from marts.publication")[0]
    first = home.rows("select * from marts_history.fct_measure_as_of(1) order by 1, 2, 3, 5, 6, 7, 8")
    assert first != marts
    assert home.vru("rollback", "1").returncode == 0
    assert home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8") == first
    assert home.vru("rollback", str(newest)).returncode == 0
    assert home.rows("select * from marts.fct_measure order by 1, 2, 3, 5, 6, 7, 8") == marts


def test_everything_can_be_rebuilt_from_landing_alone_row_for_row(home: Story) -> None:
    marts = home.marts()
    rebuilt = home.vru("rebuild")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert home.marts() == marts


def test_a_home_of_synthetic_data_refuses_real_files_and_the_real_publishers_by_name(home: Story) -> None:
    marts = home.marts()
    real = home.vru("nightly", "--sources", "live")
    assert real.returncode == 1
    assert "SOURCES=live asks for: brings real data, and this home holds synthetic data" in real.stderr
    file = home.folder / "real.csv"
    file.write_bytes(offered(home.publisher, RECENT))
    by_hand = home.vru("land", "mps", "borough_recent", str(file))
    assert by_hand.returncode == 1
    assert "real.csv: brings real data, and this home holds synthetic data: the two never meet" in by_hand.stderr
    assert home.marts() == marts
