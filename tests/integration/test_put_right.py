"""A delivery that the publisher has put right since is history: what was wrong with it holds no later night back."""

from __future__ import annotations

from pathlib import Path

from tests import fingertips_files as fingertips
from tests import nomis_files as nomis
from tests.builds import build_and_publish
from tests.queries import ask, rows
from warehouse.platform.settings import Settings

BLOCKING = """select check_name from ops.quality_result where outcome = 'failed' and severity = 'critical' order by 1"""


def test_a_bad_delivery_holds_the_gate_until_it_is_put_right_and_no_longer(to_build: Settings, tmp_path: Path) -> None:
    honest = nomis.jobs(nomis.AREAS)
    names = {"E09000002": "Barnet", "E09000003": "Barking and Dagenham"}
    exchanged = [
        {**one, "GEOGRAPHY_NAME": names[area]} if (area := str(one["GEOGRAPHY_CODE"])) in names else one
        for one in honest
    ]
    england = {"Area Code": "E92000001", "Area Name": "England", "Area Type": "England"}
    twice = [{**england, "Value": "10.5"}, {**england, "Value": "11.5", "Parent Code": "E92000001"}]
    nomis.land(to_build, "jobs_density", nomis.written(tmp_path, nomis.answer(exchanged)))
    fingertips.landed(to_build, tmp_path, fingertips.body({}, *twice))
    assert not build_and_publish(to_build)
    assert rows(to_build, BLOCKING) == [
        ("every_borough_comes_under_its_own_name",),
        ("what_stands_twice_says_the_same",),
    ]
    nomis.land(to_build, "jobs_density", nomis.written(tmp_path, nomis.answer(honest)))
    fingertips.landed(to_build, tmp_path, fingertips.body({}, twice[0]))
    assert build_and_publish(to_build)
    assert ask(
        to_build,
        "select value::float from marts.fct_measure where measure_code = 'nomis_jobs_density' and area_code = 'E09000002'",
    ) == [(0.2,)]
