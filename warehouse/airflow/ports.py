"""The loopback ports of a home's Airflow: two that are free, kept while they are."""

from __future__ import annotations

import dataclasses
import json
import socket

from ingest.errors import Refusal
from warehouse.airflow.program import Ports, remembered_ports
from warehouse.platform.settings import Settings


def choose(settings: Settings) -> None:
    """Remember two free loopback ports for this home: those it had, where they are still free.

    Raises:
        Refusal: when VRU_AIRFLOW_PORT names one that is taken.
    """
    file = settings.home / "airflow" / "ports.json"
    if settings.airflow_port and not _is_free(settings.airflow_port):
        raise Refusal(
            "PORT_TAKEN",
            f"port {settings.airflow_port} is taken by another program",
            where="VRU_AIRFLOW_PORT",
            next_step="name a free one, or leave it out and one is chosen",
        )
    ports = remembered_ports(settings)
    if file.exists() and all(map(_is_free, dataclasses.astuple(ports))):
        return
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        chosen = Ports(settings.airflow_port or one.getsockname()[1], other.getsockname()[1])
    file.write_text(json.dumps(dataclasses.asdict(chosen)), encoding="utf-8")


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        # As the servers do, so that a port whose last connection has just ended counts as free.
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
