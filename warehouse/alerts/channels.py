"""Channels: where alerts are sent. Apprise speaks to each (e-mail, Slack, Teams, webhooks); what came of a try is delivered, down or refused.

Nothing here quotes an address: the path of a webhook is its key, and a mail server's address carries a password.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from warehouse.platform.settings import Settings

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WEBHOOK = "webhook"
# What the JSON that a webhook gets is made of: one key, as Slack and Teams take it. An empty name leaves a key out.
WEBHOOK_PAYLOAD = {"message": "text", "title": "", "version": "", "attachments": "", "type": ""}
LATER = (408, 429)


@dataclasses.dataclass(frozen=True)
class Channel:
    """A channel: `name` is its kind, numbered where there are several of a kind; `url` is as it was set."""

    name: str
    url: str = dataclasses.field(repr=False)


class ChannelDown(Exception):
    """The channel may take it later."""


class ChannelRefused(Exception):
    """The channel will not take it as it is configured; asking again at once is no use."""


def channels(settings: Settings) -> list[Channel]:
    """The channels that are set, each with a name that holds nothing secret: "webhook", "mailtos", "slack 2"."""
    urls = settings.alert_urls.get_secret_value().split()
    if settings.alert_webhook and settings.alert_webhook not in urls:
        urls.append(settings.alert_webhook)
    seen: Counter[str] = Counter()
    found = []
    for url in urls:
        scheme = urlsplit(url).scheme.lower()
        kind = WEBHOOK if scheme in ("http", "https") else scheme
        seen[kind] += 1
        found.append(Channel(kind if seen[kind] == 1 else f"{kind} {seen[kind]}", url))
    return found


def unusable(settings: Settings) -> list[str]:
    """The channels that are set and that Apprise cannot make anything of, by their names."""
    # Here, as in `send`.
    import apprise

    def is_usable(channel: Channel) -> bool:
        try:
            return apprise.Apprise.instantiate(_address(channel), suppress_exceptions=False) is not None
        except Exception:  # noqa: BLE001 - a plugin raises anything, and its text may hold the address
            return False

    return [channel.name for channel in channels(settings) if not is_usable(channel)]


def send(settings: Settings, channel: Channel, subject: str, body: str) -> None:
    """Send one message by one channel, once.

    Args:
        subject, body: plain text. A webhook gets both in one text, an e-mail its subject.

    Raises:
        ChannelDown: it gave no answer, or one that says later.
        ChannelRefused: it will not take it, or the address is none that Apprise knows.
    """
    # Here: it takes a second to import, and most nights send nothing.
    import apprise

    kind = channel.name.partition(" ")[0]
    asset = apprise.AppriseAsset(app_id="vru", app_desc="vru", app_url="", http_redirects=False)
    with _certificates(settings), _heard() as heard:
        try:
            target = apprise.Apprise.instantiate(_address(channel), asset=asset, suppress_exceptions=False)
            # Each kind has time limits of its own otherwise, and a channel may answer for as long as it likes.
            target.socket_connect_timeout, target.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
            is_webhook = kind == WEBHOOK
            is_taken = target.notify(
                title="" if is_webhook else subject,
                body=f"{subject}\n\n{body}" if is_webhook else body,
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:  # noqa: BLE001 - a plugin raises anything, and its text may hold the address
            raise ChannelRefused(f"the {kind} channel cannot be used as it is set ({type(error).__name__})") from None
    if is_taken:
        return
    status = next((int(code) for text in heard for code in re.findall(r"error=(\d{3})\b", text)), None)
    if status is None:
        raise ChannelDown(f"no answer from the {kind} channel")
    if status >= 500 or status in LATER:
        raise ChannelDown(f"the {kind} channel answered {status}")
    why = " (redirects are not followed)" if 300 <= status < 400 else ""
    raise ChannelRefused(f"the {kind} channel answered {status}{why}")


def _address(channel: Channel) -> str | dict[str, Any]:
    """What Apprise takes for the channel: its own address, or of a webhook what a POST needs."""
    if not channel.name.startswith(WEBHOOK):
        return channel.url
    parts = urlsplit(channel.url)
    return {
        "schema": "jsons" if parts.scheme == "https" else "json",
        "host": parts.hostname or "",
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "fullpath": parts.path or "/",
        "params": dict(parse_qsl(parts.query)),
        "payload": WEBHOOK_PAYLOAD,
    }


@contextlib.contextmanager
def _certificates(settings: Settings) -> Iterator[None]:
    """With the certificates of VRU_CA_BUNDLE, for the libraries that Apprise speaks through."""
    if settings.ca_bundle is None:
        yield
        return
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(settings.ca_bundle)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise logs meanwhile, which goes nowhere else: it says the status of an answer there alone, and may quote an address."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    logger, listener = logging.getLogger("apprise"), Listener(logging.WARNING)
    goes_on, level = logger.propagate, logger.level
    logger.addHandler(listener)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)
        logger.propagate = goes_on
        logger.setLevel(level)
