"""The steps of a night, one module each. An Airflow task calls one of these functions and nothing else; `vru land` and `vru build` call them too.

Arguments and results are ids, paths and counts, because Airflow keeps them in its own database.
"""

from warehouse.steps.beginning import begin
from warehouse.steps.building import build
from warehouse.steps.erasing import erase, erase_due, finish_erasures
from warehouse.steps.fetching import check, fetch
from warehouse.steps.judging import ReleaseHeld, gate
from warehouse.steps.loading import load, load_one
from warehouse.steps.maintaining import back_up, maintain
from warehouse.steps.notifying import note_failure, notify
from warehouse.steps.publishing import publish
from warehouse.steps.replaying import replay
from warehouse.steps.step import BY_HAND
from warehouse.steps.withdrawing import settle_withdrawals, withdraw

__all__ = [
    "BY_HAND",
    "ReleaseHeld",
    "back_up",
    "begin",
    "build",
    "check",
    "erase",
    "erase_due",
    "fetch",
    "finish_erasures",
    "gate",
    "load",
    "load_one",
    "maintain",
    "note_failure",
    "notify",
    "publish",
    "replay",
    "settle_withdrawals",
    "withdraw",
]
