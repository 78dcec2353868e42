"""data.police.uk as its clients meet it: an index of archives with their MD5, and archives served in parts.

The archive of a month comes out on the first of the second month after it and holds 36 months. Its address redirects to the store it lies in.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from sandbox.exchange import Request, Response, etag_of
from sandbox.police_uk.figures import member_texts

MONTHS = 36
_LISTED = 2  # archives on the index page
_FIRST = "2013-12"


class PoliceUk:
    """The corner of data.police.uk, and of the store its archives lie in."""

    def __init__(self, seed: int, today: Callable[[], date]) -> None:
        self._seed = seed
        self._today = today

    def answer(self, request: Request) -> Response | None:
        """The index of archives, an archive's redirect, or the archive or a part of it; None for any other path."""
        if request.path in {"/data/archive/", "/data/archive"}:
            return Response(200, {"Content-Type": "text/html; charset=utf-8"}, self._index().encode())
        if found := re.fullmatch(r"/(data/)?archive/(latest|\d{4}-\d{2})\.zip", request.path):
            offered = self._offered()
            name = offered[0] if found[2] == "latest" and offered else found[2]
            if name not in offered:
                return Response(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 Not Found\n")
            if found[1]:
                return Response(302, {"Location": f"{request.base_url}/archive/{name}.zip"})
            return served(request, archive(self._seed, name))
        return None

    def _offered(self) -> list[str]:
        newest = newest_month(self._today())
        months = [shifted(newest, -age) for age in range(_LISTED)]
        return [month for month in months if month >= _FIRST]

    def _index(self) -> str:
        return index_page([(month, archive(self._seed, month)) for month in self._offered()])


def newest_month(today: date) -> str:
    """The newest month that is out on a day: the one before the last (YYYY-MM)."""
    return shifted(f"{today:%Y-%m}", -2)


def shifted(month: str, months: int) -> str:
    """A month (YYYY-MM) so many months later."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + months
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


@lru_cache(maxsize=8)
def archive(seed: int, newest: str) -> bytes:
    """The archive whose newest month is `newest`. The members' bytes are the same on every machine; how they are packed is zlib's."""
    members: list[tuple[str, str]] = []
    for age in range(MONTHS - 1, -1, -1):
        members += member_texts(seed, shifted(newest, -age), age)
    return packed(members)


def packed(members: Sequence[tuple[str, str | bytes]]) -> bytes:
    """A zip archive of files, each packed on its own."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, text)
    return body.getvalue()


def index_page(archives: list[tuple[str, bytes]]) -> str:
    """The page that lists archives (month and bytes), the newest first."""
    lines = [
        f'<li><a href="/data/archive/{month}.zip">{date(int(month[:4]), int(month[5:]), 1):%B %Y}</a> '
        f'<span class="size">{len(body) / 1e6:.1f} MB</span> '
        f'<span class="md5">MD5: {hashlib.md5(body, usedforsecurity=False).hexdigest()}</span></li>'
        for month, body in archives
    ]
    return (
        "<!DOCTYPE html>\n<html><head><title>Archive | data.police.uk (stand-in: every figure is invented)</title></head>"
        '<body><h1>Archive</h1><p>The latest archive is <a href="/data/archive/latest.zip">here</a>.</p>\n<ul>\n'
        + "\n".join(lines)
        + "\n</ul></body></html>\n"
    )


def served(request: Request, body: bytes) -> Response:
    """A file, or the part of it that the Range header names (RFC 9110, 14: one range of bytes)."""
    headers = {"Content-Type": "application/zip", "ETag": etag_of(body), "Accept-Ranges": "bytes"}
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "").strip())
    if not found or not (found[1] or found[2]):
        return Response(200, headers, body)
    first = int(found[1]) if found[1] else max(0, len(body) - int(found[2]))
    last = min(int(found[2]), len(body) - 1) if found[1] and found[2] else len(body) - 1
    if first > last:
        return Response(416, {**headers, "Content-Range": f"bytes */{len(body)}"})
    return Response(206, {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}, body[first : last + 1])
