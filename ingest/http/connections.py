"""What requests connects by: the address behind a name is checked before a byte is sent, and a connection can be ended from outside."""

from __future__ import annotations

import contextlib
import socket
import ssl
import weakref
from pathlib import Path
from typing import Any

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from ingest.addresses import checked


class Session(requests.Session):
    """A session that leaves redirects alone: requests looks where one leads even when told not to follow, and fails where it is nowhere."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Adapter(HTTPAdapter):
    """The transport: only connections to checked addresses, each of which `hang_up` can end.

    Args:
        ca_bundle: file of certificates to trust besides the usual ones.
    """

    def __init__(self, ca_bundle: Path | None) -> None:
        self._trusted = ssl.create_default_context(cafile=certifi.where())
        if ca_bundle is not None:
            self._trusted.load_verify_locations(cafile=str(ca_bundle))
        self._open: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options, ssl_context=self._trusted)
        adapter = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                adapter._open.add(self)
                return checked(self.host, self.port, super()._new_conn)

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                adapter._open.add(self)
                return checked(self.host, self.port, super()._new_conn)

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Secure

        # A proxy's own connections are not ours to judge: the operator named it, and it may well be on this network.
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=self._trusted)

    def hang_up(self) -> None:
        """End every connection that is being made, or whose answer has not begun: whoever waits for it gets an error."""
        for connection in list(self._open):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    # Not the method of a TLS socket, which would first take the encryption off.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
