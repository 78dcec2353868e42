"""ZIP archives, of which workbooks are made, with the same bytes for the same content."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from warehouse.exports.values import BEGUN


def write(file: Path, members: Iterable[tuple[str, bytes]], *, plain: str = "") -> None:
    """Write an archive.

    Args:
        members: name and content, in their order.
        plain: the one that is not compressed, so that a program knows the file by its beginning.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members:
            member = zipfile.ZipInfo(name, BEGUN)
            member.compress_type = zipfile.ZIP_STORED if name == plain else zipfile.ZIP_DEFLATED
            archive.writestr(member, content, compresslevel=9)
