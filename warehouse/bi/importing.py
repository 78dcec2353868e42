"""Superset told what to show, through its API: the assets, and a role for who may only look.

`superset import-dashboards` leaves charts as they are that it knows; POST /api/v1/assets/import/ changes them.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import requests

from ingest.errors import Refusal

ADMIN = "admin"
READERS = "VRU reader"
KINDS = ("database", "dataset", "chart", "dashboard")
SECONDS = 120
# All entries of an archive have one moment, so that the same assets are the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(texts: Mapping[str, str]) -> bytes:
    """The archive that Superset imports: the same bytes for the same texts."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(texts):
            archive.writestr(zipfile.ZipInfo(f"assets/{name}", EPOCH), texts[name])
    return held.getvalue()


def load(address: str, password: str, texts: Mapping[str, str]) -> dict[str, int]:
    """Import assets: what Superset knows by its id is changed, what it does not is added.

    Args:
        address: of Superset.
        password: of its administrator.
        texts: YAML by path, as `superset.texts` gives it.

    Returns:
        How many of each kind Superset has now.

    Raises:
        Refusal: it does not answer, does not let us in, or refuses an asset; nothing is imported then.
    """
    try:
        with requests.Session() as session:
            _log_in(session, address, password)
            answer = session.post(
                f"{address}/api/v1/assets/import/",
                files={"bundle": ("assets.zip", bundle(texts), "application/zip")},
                timeout=SECONDS,
            )
            _refuse_unless(answer, "what it was given to import")
            _let_readers_see(session, address)
            return {kind: int(_get(session, f"{address}/api/v1/{kind}/")["count"]) for kind in KINDS}
    except requests.RequestException as error:
        raise Refusal(
            "SUPERSET_FAILED",
            f"Superset does not answer ({type(error).__name__})",
            where=address,
            next_step="`make bi` starts it",
        ) from error


def _log_in(session: requests.Session, address: str, password: str) -> None:
    who = {"username": ADMIN, "password": password, "provider": "db", "refresh": False}
    answer = session.post(f"{address}/api/v1/security/login", json=who, timeout=SECONDS)
    _refuse_unless(answer, "its administrator's password")
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    session.headers["X-CSRFToken"] = str(_get(session, f"{address}/api/v1/security/csrf_token/")["result"])
    session.headers["Referer"] = address


def _let_readers_see(session: requests.Session, address: str) -> None:
    """Make the role that sees the datasets of schema marts, and give it that right alone; Superset's Gamma lets its holders open dashboards."""
    security = f"{address}/api/v1/security"
    query = {"filters": [{"col": "name", "opr": "eq", "value": READERS}]}
    found = _get(session, f"{security}/roles/", query)["ids"]
    if not found:
        answer = session.post(f"{security}/roles/", json={"name": READERS}, timeout=SECONDS)
        _refuse_unless(answer, f"the role {READERS}")
        found = [answer.json()["id"]]
    # A page has 100 at the most; the newest are ours.
    rights: list[int] = []
    for page in range(100):
        rows = _get(session, f"{security}/permissions-resources/", {"page": page, "page_size": 100})["result"]
        rights += [
            one["id"]
            for one in rows
            if one["permission"]["name"] == "schema_access" and one["view_menu"]["name"].endswith(".[marts]")
        ]
        if len(rows) < 100:
            break
    answer = session.post(
        f"{security}/roles/{found[0]}/permissions", json={"permission_view_menu_ids": rights}, timeout=SECONDS
    )
    _refuse_unless(answer, f"the rights of the role {READERS}")


def _get(session: requests.Session, address: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
    # Superset reads its queries as Rison, of which JSON in a quoted URL is a part.
    answer = session.get(address, params={"q": json.dumps(query)} if query else None, timeout=SECONDS)
    _refuse_unless(answer, address)
    found: dict[str, Any] = answer.json()
    return found


def _refuse_unless(answer: requests.Response, what: str) -> None:
    if answer.ok:
        return
    raise Refusal(
        "SUPERSET_FAILED",
        f"Superset refused {what} ({answer.status_code}): {' '.join(answer.text.split())[:300]}",
        kept="what it had before",
        next_step="read superset.log in bi/ of the home",
    )
