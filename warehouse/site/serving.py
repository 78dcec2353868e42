"""Showing the site on this machine: plain files by http.server, on loopback alone."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import Refusal

LOOPBACK = "127.0.0.1"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site, with headers that let a page fetch nothing from elsewhere."""

    server_version = "vru"
    sys_version = ""

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_head(self) -> Any:
        # A page of another name that leads here would read the site as if it were its own (DNS rebinding).
        if _host(self.headers.get("Host", "")) not in (LOOPBACK, "localhost"):
            self.send_error(421)
            return None
        return super().send_head()

    def list_directory(self, path: object) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: who read what is nobody's business."""


def _host(header: str) -> str | None:
    """The name in a Host header, in small letters and without its port; None where it is none."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def server(
    folder: Path, port: int, *, is_awaited: bool = False, listen: str = LOOPBACK
) -> http.server.ThreadingHTTPServer:
    """A server of the site, bound to loopback; 0 for a free port.

    Args:
        is_awaited: whether it may stand before the site does, and at a free port where this one is taken.
        listen: the address; another than loopback in a container alone, whose port is published on loopback.

    Raises:
        Refusal: there is no site yet, or the port is taken.
    """
    if not is_awaited and not (folder / "index.html").is_file():
        raise Refusal(
            "SITE_MISSING",
            "there is no site to show yet",
            where=str(folder),
            next_step="build it with `vru site`, or run a night",
        )
    try:
        return http.server.ThreadingHTTPServer((listen, port), functools.partial(_Handler, directory=str(folder)))
    except OSError as error:
        if is_awaited and port:
            return server(folder, 0, is_awaited=True, listen=listen)
        raise Refusal(
            "OPTION_INVALID",
            f"port {port} cannot be opened: {error.strerror}",
            next_step="give another --port, or 0 for a free one",
        ) from error


def serve(
    folder: Path, port: int, echo: Callable[[str], None], *, is_awaited: bool = False, listen: str = LOOPBACK
) -> None:
    """Show the site until Ctrl-C.

    Raises:
        Refusal: as `server`.
    """
    with server(folder, port, is_awaited=is_awaited, listen=listen) as opened:
        echo(f"http://{LOOPBACK}:{opened.server_address[1]}/ (Ctrl-C ends it)")
        try:
            opened.serve_forever()
        except KeyboardInterrupt:
            return
