"""Two processes for pages and files: what they do is Python's, of which threads do one thing at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")
AT_ONCE = 2
FEW = 8  # are done before a second process has begun
_work: Callable[[Any], Any]
_given: Sequence[Any]


def each(work: Callable[[Given], Made], given: Sequence[Given]) -> Iterator[Made]:
    """What work makes of each, in their order.

    A process has its parent's memory as it was when it began: what is given is not copied to it, and what work makes is copied back.

    Raises:
        Exception: what work raises; what has not begun by then is left out.
    """
    if len(given) <= FEW:
        yield from map(work, given)
        return
    forked = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(AT_ONCE, forked, _take, (work, given)) as pool:
        try:
            yield from pool.map(_do, range(len(given)), chunksize=2)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _take(work: Callable[[Any], Any], given: Sequence[Any]) -> None:
    global _work, _given
    _work, _given = work, given


def _do(place: int) -> Any:
    return _work(_given[place])
