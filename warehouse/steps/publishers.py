"""A publisher as a run asks it: where it is, the stand-in in its place, and its key."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from ingest.addresses import is_loopback
from ingest.declaration import Source
from ingest.errors import Refusal
from warehouse.platform.settings import Settings
from warehouse.steps import step


def for_run(stand_ins: str | None) -> Settings:
    """The settings, with the stand-in publishers of a run (JSON: address by source).

    Raises:
        Refusal: when one of them is not on this machine: who starts a run may not send it anywhere else.
    """
    chosen = step.settings()
    try:
        addresses = {str(name): str(address) for name, address in json.loads(stand_ins or "{}").items()}
    except (ValueError, AttributeError):
        raise Refusal(
            "OPTION_INVALID", f"stand_ins is not JSON of addresses by source: {stand_ins!r}", kept="nothing changed"
        ) from None
    for name, address in addresses.items():
        if not is_loopback(host(address)):
            raise Refusal(
                "OPTION_INVALID", f"the stand-in publisher of {name} is at {address}, which is not this machine"
            )
    return chosen.model_copy(update={"base_urls": {**chosen.base_urls, **addresses}})


def base_url(chosen: Settings, source: Source) -> tuple[str, bool]:
    """Where a source is fetched from, and whether that is a stand-in publisher: those are on this machine, no other is."""
    base = chosen.base_urls.get(source.source, source.base_url)
    return base, is_loopback(host(base))


def host(url: str) -> str:
    """The host of an address; empty where it has none."""
    return urlsplit(url).hostname or ""


def key_of(chosen: Settings, source: str) -> str | None:
    """The key that a publisher gave us, from VRU_<SOURCE>_KEY, else from secrets/<source>_key; None where there is neither."""
    if given := chosen.publisher_keys.get(source):
        return given.get_secret_value().strip() or None
    file = chosen.secrets / f"{source}_key"
    return file.read_text(encoding="utf-8").strip() or None if file.is_file() else None
