"""Any bytes at all are refused with a code or taken whole, in time: a short part of `make fuzz`, the same bodies each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.readers import FORMS, bodies, hold


@pytest.mark.parametrize("form", FORMS)
def test_any_bytes_are_refused_with_a_code_or_taken_whole(form: str, tmp_path: Path) -> None:
    became = {hold(form, FORMS[form][0], tmp_path / "file")}

    @settings(
        max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(bodies(form))
    def holds(body: bytes) -> None:
        became.add(hold(form, body, tmp_path / "file"))

    holds()
    assert len(became) > 1
    # A form that a dataset is never published in is not taken.
    assert ("taken" in became) == (form not in {"ods", "json", "xml"})
