"""Alerts: one for each run that ended red, written down before it is sent, sent until it arrives.

A channel that is down changes no verdict and stops no run: the alert waits in ops.alert, `vru alerts` shows it, and the
next night tries again. An alert says which checks, areas and months; it never carries a row, a password or an address
with a key in it.
"""

from warehouse.alerts.channels import unusable
from warehouse.alerts.delivery import deliver_pending
from warehouse.alerts.ledger import Alert, alerts, problems, record_problem
from warehouse.alerts.raising import enter_kept, raise_alert, raise_found

__all__ = [
    "Alert",
    "alerts",
    "deliver_pending",
    "enter_kept",
    "problems",
    "raise_alert",
    "raise_found",
    "record_problem",
    "unusable",
]
