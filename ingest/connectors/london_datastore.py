"""Files of a London Datastore dataset, found by name among its resources.

The London Datastore keeps old copies of a file under the same title beside the new one, and replaces files in place under the same
address. So every copy of the title is asked for, each only if it has changed since the last fetch, and what a file holds decides
which edition it is. Contract: DataPress/CKAN `package_show`, ../sources/mps/README.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from ingest.addresses import is_address
from ingest.connectors.fetch_context import FetchContext, Finding, Offer
from ingest.connectors.file_at_url import check_header, fetch
from ingest.declaration import DatastoreFile
from ingest.errors import BodyRefused, PublisherUnavailable
from ingest.http import KEPT, NEXT_RUN

__all__ = ["check", "fetch", "list_editions"]


def list_editions(context: FetchContext) -> list[Offer]:
    """Every copy of a dataset's file on offer, oldest first, so that the newest is landed last.

    Raises:
        BodyRefused: the publisher does not list the file; names what it lists instead.
        PublisherUnavailable: it does not answer.
    """
    location = context.dataset.location
    assert isinstance(location, DatastoreFile)  # noqa: S101 - the registry chose this connector by it
    url = f"{context.base_url.rstrip('/')}/api/action/package_show?{urlencode({'id': location.package})}"
    answer, _ = context.client.json(url)
    try:
        resources = [(str(r["name"]), str(r["url"])) for r in answer["result"]["resources"]]
    except (KeyError, TypeError):
        raise BodyRefused(
            "ANSWER_NOT_AS_AGREED",
            "the answer is not the description of a dataset (no result.resources with name and url)",
            where=url,
            kept=KEPT,
            next_step="compare the answer with ingest/sources/mps/README.md",
        ) from None
    meant = [(name, address) for name, address in resources if _is_meant(location, name, _file_name(address))]
    for name, address in meant:
        if not is_address(address):
            raise BodyRefused(
                "ADDRESS_REFUSED",
                f"names {address[:200]!r} for {name[:200]!r}, which is not an address",
                where=url,
                kept=KEPT,
                next_step=NEXT_RUN,
            )
    offers = [Offer(urljoin(url, address), _file_name(address)) for _, address in meant]
    if not offers:
        raise BodyRefused(
            "NO_LONGER_OFFERED",
            f"the dataset offers no file {location.file_name!r}; it offers {', '.join(sorted({n for n, _ in resources}))}",
            where=url,
            kept=KEPT,
            next_step="if the publisher has renamed it, change file_name or file_pattern in source.yml",
        )
    unique = list(dict.fromkeys(offers))
    return unique[::-1]  # they list the newest first


def _is_meant(location: DatastoreFile, name: str, file_name: str) -> bool:
    """Whether a resource is a copy of the file: it has its name, or one of those it has had."""
    if location.file_name in (name, f"{name}.csv", file_name):
        return True
    return location.file_pattern is not None and any(
        re.fullmatch(location.file_pattern, called) for called in (name, file_name)
    )


def check(context: FetchContext) -> list[Finding]:
    """Whether the package answers, offers the file, and the newest copy's header is as declared."""
    location = context.dataset.location
    assert isinstance(location, DatastoreFile)  # noqa: S101 - as above
    try:
        newest = list_editions(context)[-1]
    except (BodyRefused, PublisherUnavailable) as refused:
        return [Finding(f"package {location.package}, file {location.file_name}", refused.problem, refused.code)]
    return check_header(context, newest)


def _file_name(url: str) -> str:
    """The name of a file by its address; none where that is no address, as that of a resource nobody asks for may be."""
    return unquote(Path(urlsplit(url).path).name).replace("\0", "") if is_address(url) else ""
