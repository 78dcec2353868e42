"""Print what becomes of every spoiled delivery, on the home of VRU_HOME: a copy, to be thrown away."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.spoiled.door import SAME, at_the_door, standing
from warehouse.platform.settings import settings

outcomes = []
with tempfile.TemporaryDirectory() as folder:
    for one in standing(settings()):
        if sys.argv[1:] and one.form.name not in sys.argv[1:]:
            continue
        for way in one.ways():
            outcome = at_the_door(settings(), one, way, Path(folder))
            outcomes.append(outcome)
            print(f"{one.form.name:<34} {way:<52} {outcome.ended:<17} {outcome.named}", flush=True)
spoiled = [one for one in outcomes if one.ended != SAME]
print(Counter(one.ended for one in outcomes), len({one.way for one in spoiled}), "ways")
