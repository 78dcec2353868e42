"""Where a request may go: the hosts that a source declares, over TLS; and what of an address may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from ingest.addresses import is_address, is_loopback
from ingest.errors import BodyRefused
from ingest.http.answers import KEPT, NEXT_RUN


def check_destination(url: str, allowed_hosts: frozenset[str], *, came_from: str) -> None:
    """See that an address may be asked.

    Args:
        came_from: the address that led there.

    Raises:
        BodyRefused: it is no address, on another host than the source's, or not encrypted.
    """
    if not is_address(url):
        raise BodyRefused(
            "ADDRESS_REFUSED",
            f"leads to {url[:200]!r}, which is not an address",
            where=came_from,
            kept=KEPT,
            next_step=NEXT_RUN,
        )
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in allowed_hosts or parts.scheme not in {"http", "https"}:
        raise BodyRefused(
            "ADDRESS_REFUSED",
            f"leads to {parts.scheme}://{host}, which is not among the hosts this source may be fetched from",
            where=came_from,
            kept=KEPT,
            next_step="if the publisher has moved, add the host to allowed_hosts in source.yml after checking it is theirs",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise BodyRefused("ADDRESS_REFUSED", "is not an https address", where=url, kept=KEPT)


def redirect_target(here: str, location: str) -> str:
    """Where a redirect leads, as it stands where it is no address."""
    try:
        return urljoin(here, location)
    except ValueError:
        return location


def redacted(secret: Mapping[str, str], text: str) -> str:
    """A text with the values of secret parameters taken out, as they are and as an address writes them."""
    for value in secret.values():
        for form in (value, quote(value, safe=""), quote_plus(value)):
            text = text.replace(form, "...")
    return text
