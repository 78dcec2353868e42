"""Why some spoiled deliveries may pass: what nobody can tell from a real change by the files that a publisher gives."""

from __future__ import annotations

import dataclasses
import re

from tests.spoiled.forms import Form


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why a way may pass on the forms whose names a pattern matches."""

    ways: frozenset[str]
    forms: str
    why: str


REASONS = (
    Reason(
        frozenset({"the first row is missing"}),
        ".*",
        "one row less is what a publisher does who takes one event, person or count of a small area back",
    ),
    Reason(
        frozenset({"the oldest month is a tenth"}),
        "mps (ward|lsoa)_recent",
        "the first month of these files is a fraction of one as it leaves their window; no mart takes it from them",
    ),
    Reason(
        frozenset({"a count is blank"}),
        "fingertips .*|nomis .*",
        "a blank is how this publisher says that it has no figure, or withholds one",
    ),
    Reason(
        frozenset({"two months have changed places", "the newest month is double", "an area is missing", "an area is 0",
                   "an area stands twice", "an area is ten times as much"}),
        "mps homicide_.*|police_uk outcomes",
        "a handful of rows in the stand-in: so many are taken back, added or dated otherwise in a real edition too",
    ),
    Reason(
        frozenset({"an area is ten times as much", "an area is 0"}),
        "mps dashboard_tno",
        "most of its rows are of what has no borough, which the publisher places anew: for that no edition is refused",
    ),
    Reason(
        frozenset({"two months have changed places", "every month is the one after", "the newest month is half there"}),
        "safestats ambulance_borough",
        "months of one sheet of this workbook are nearly alike, and its publisher has searched its records anew with figures half as large",
    ),
    Reason(
        frozenset({"the oldest month is missing"}),
        "fingertips .*",
        "the publisher lets the first period of a series go when it works rates out anew",
    ),
)  # fmt: skip


def why_it_may_pass(form: Form, way: str) -> str:
    """The reason for which a way may pass on a form; empty where there is none."""
    return next((one.why for one in REASONS if way in one.ways and re.fullmatch(one.forms, form.name)), "")
