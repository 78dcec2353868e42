"""A webhook on this machine, to which alerts are sent in tests."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator

import pytest

from warehouse.alerts import delivery
from warehouse.platform.settings import Settings


class Webhook:
    """A webhook on this machine: what it was sent, and what it answers next (its last answer again and again)."""

    def __init__(self) -> None:
        self.answers = [200]
        self.received: list[dict[str, object]] = []
        self.delay = 0.0
        channel = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.received.append({"path": self.path, "type": self.headers["Content-Type"], **json.loads(body)})
                answer = channel.answers.pop(0) if len(channel.answers) > 1 else channel.answers[0]
                time.sleep(channel.delay)
                self.send_response(answer)
                if 300 <= answer < 400:
                    self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/services/key-of-the-channel"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook that is up, and alerts that wait next to nothing before they are sent again."""
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_SECONDS", 0.02)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    opened = Webhook()
    yield opened
    with contextlib.suppress(OSError):
        opened.close()


@pytest.fixture
def with_channel(warehouse: Settings, channel: Webhook) -> Settings:
    """The settings of a warehouse whose alerts go to the webhook."""
    return warehouse.model_copy(update={"alert_webhook": channel.url})
