"""The bytes of a body as they come: unpacked, bounded in time, and checked against what was announced."""

from __future__ import annotations

import base64
import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from http.client import HTTPException
from pathlib import Path

import requests
import urllib3

from ingest.errors import BodyRefused
from ingest.http.answers import KEPT, Retryable
from ingest.http.pacing import Deadline

BLOCK = 256 * 1024


def unpacked(here: str, response: requests.Response, deadline: Deadline, *, must_be_whole: bool) -> Iterator[bytes]:
    """The blocks of a body, unpacked. It is unpacked here because urllib3 takes half a gzip stream for a whole one.

    Args:
        here: the address, for messages.
        must_be_whole: whether the body has to be all that was announced; else its beginning is enough.

    Raises:
        Retryable: it breaks off, is damaged, is not what was announced, or the deadline has passed.
        BodyRefused: it is packed in a way that was not asked for.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise BodyRefused(
            "ANSWER_NOT_AS_AGREED",
            f"the body is packed as {encoding}, which was not asked for",
            where=here,
            kept=KEPT,
        )
    if "gzip" not in encoding:
        yield from _received(response, deadline, must_be_whole=must_be_whole)
        return
    unpacker, is_begun = zlib.decompressobj(wbits=31), False
    for packed in _received(response, deadline, must_be_whole=must_be_whole):
        while packed:
            try:
                block = unpacker.decompress(packed, BLOCK)
            except zlib.error as error:
                raise Retryable(f"the body's gzip stream is damaged ({error})") from None
            is_begun = True
            yield block
            packed = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data:
                packed, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
    if must_be_whole and is_begun and not unpacker.eof:
        raise Retryable("the body's gzip stream breaks off before its end")


def _received(response: requests.Response, deadline: Deadline, *, must_be_whole: bool) -> Iterator[bytes]:
    """The blocks of a body as they come, checked to be all that was announced, by length and hash."""
    size, digest = 0, hashlib.md5(usedforsecurity=False)
    while True:
        try:
            # As much as is there, and no waiting for more: a slow drip must meet the deadline.
            block = response.raw.read1(BLOCK, decode_content=False)
        except (urllib3.exceptions.HTTPError, HTTPException, OSError) as error:
            raise Retryable(
                deadline.passed
                if deadline.left < 0
                else f"the body broke off after {size:,} bytes ({type(error).__name__})"
            ) from None
        if deadline.left < 0:
            raise Retryable(deadline.passed)
        if not block:
            break
        size += len(block)
        digest.update(block)
        yield block
    if not must_be_whole:
        return
    announced = response.headers.get("Content-Length", "").strip()
    if announced.isdecimal() and int(announced) != size:
        raise Retryable(f"the body has {size:,} bytes and {int(announced):,} were announced")
    promised = response.headers.get("Content-MD5", "").strip()
    # Of a part, nothing says whether the hash is the part's or the whole file's.
    if (
        response.status_code == 200
        and promised
        and promised not in (base64.b64encode(digest.digest()).decode(), digest.hexdigest())
    ):
        raise Retryable("the body's MD5 is not the one that came with it (Content-MD5)")


def save(
    blocks: Iterable[bytes], folder: Path, here: str, *, max_bytes: int, only_first: int | None
) -> tuple[Path, str, int]:
    """Write a body to a new file of a folder.

    Args:
        here: the address, for messages.
        max_bytes: more than this is refused.
        only_first: stop after about so many bytes.

    Returns:
        The file, its SHA-256 and its size.

    Raises:
        BodyRefused: it is larger than max_bytes.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix="body-", delete=False) as file:
        for block in blocks:
            size += len(block)
            if size > max_bytes:
                raise BodyRefused(
                    "FILE_TOO_LARGE",
                    f"the body is larger than the {max_bytes:,} bytes this dataset may have",
                    where=here,
                    kept=KEPT,
                    next_step="if the file has really grown so much, raise max_bytes in source.yml",
                )
            digest.update(block)
            file.write(block)
            if only_first is not None and size >= only_first:
                break
    return Path(file.name), digest.hexdigest(), size
