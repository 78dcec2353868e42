"""Work in two processes gives what it would give in one."""

from __future__ import annotations

import os

import pytest

from ingest.errors import Refusal
from tests.refused import refused_with
from warehouse.site import workers


@pytest.mark.parametrize("many", [workers.FEW, 5 * workers.FEW])
def test_what_is_made_comes_in_the_order_of_what_is_given(many: int) -> None:
    given = list(range(many))
    assert list(workers.each(lambda one: one * one, given)) == [one * one for one in given]


def test_a_few_are_done_here_and_many_in_other_processes() -> None:
    few, many = (list(workers.each(lambda _: os.getpid(), list(range(n)))) for n in (workers.FEW, 5 * workers.FEW))
    assert set(few) == {os.getpid()}
    assert os.getpid() not in many


def test_a_refusal_comes_out_of_another_process_with_its_code() -> None:
    def refuse(one: int) -> int:
        if one == 3:
            raise Refusal("SITE_FILE_FAILED", "the PDF of Hackney cannot be written")
        return one

    with refused_with("SITE_FILE_FAILED", match="Hackney"):
        list(workers.each(refuse, list(range(5 * workers.FEW))))
