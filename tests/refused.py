"""What a test says of a refusal: its code, and where it is about; not its sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ingest.errors import Refusal


@contextmanager
def refused_with(
    code: str, *, where: str = "", match: str = "", kind: type[Refusal] = Refusal
) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """What the block does is refused with a code.

    Args:
        code: one of ingest/codes.csv.
        where: what the refusal's place contains.
        match: a pattern of figures or names that the sentence has and the code cannot say.
        kind: what it is raised as.
    """
    with pytest.raises(kind) as caught:
        yield caught
    assert caught.value.code == code, caught.value
    assert where in caught.value.where
    assert re.search(match, str(caught.value)), caught.value
