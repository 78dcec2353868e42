"""Which files a pack has, and writing them: whole or not at all, two at a time."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ingest.errors import Refusal
from warehouse.site import workers
from warehouse.site.model import Area
from warehouse.site.takeaway import ods, pdf, xlsx
from warehouse.site.takeaway.content import Pack

WRITERS: dict[str, Callable[[Pack, Path], None]] = {"pdf": pdf.write, "xlsx": xlsx.write, "ods": ods.write}
SAYS = {
    "pdf": "PDF: the pack to print or to read aloud (PDF/UA)",
    "xlsx": "XLSX: every table of the pack, for Excel",
    "ods": "ODS: the same tables, as an open format",
}


def name_of(area: Area, edition: str, form: str) -> str:
    """A file's name, by which somebody who has it in a folder knows it."""
    return f"{area.slug}-{edition}.{form}"


def paths(pack: Pack) -> list[str]:
    """Where a pack's files are in the folder of their edition."""
    return [f"{pack.area.slug}/{name_of(pack.area, pack.edition, form)}" for form in WRITERS]


def links(area: Area, edition: str) -> list[dict[str, str]]:
    """What the pack's first page says of its files."""
    return [{"name": name_of(area, edition, form), "says": says} for form, says in SAYS.items()]


def hash_of(pack: Pack, hashes: dict[str, str]) -> str:
    """What a pack's files depend on: its pages, that of the status aside.

    Args:
        hashes: of pages, by address.
    """
    told = "\n".join(f"{page.path} {hashes[page.path]}" for page in pack.body)
    return hashlib.sha256(told.encode()).hexdigest()


def write(pack: Pack, form: str, file: Path) -> None:
    """Write a file of a pack, whole or not at all.

    Raises:
        Refusal: it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        made = Path(folder) / file.name
        try:
            WRITERS[form](pack, made)
        except (Refusal, OSError):
            raise
        except Exception as error:  # whatever goes wrong in a file, the packs of other areas stand
            raise Refusal(
                "SITE_FILE_FAILED",
                f"the {form.upper()} of {pack.area.name} cannot be written: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}",
                kept="the pack that stands, and the marts",
                next_step="read the log of the site's run; the next build tries again",
            ) from error
        made.replace(file)


def write_all(packs: Iterable[Pack], folder: Path) -> dict[str, dict[str, Refusal]]:
    """Write every file of packs into the folder of their edition.

    Returns:
        By the folder of an area, why files of it could not be written, by their names; empty where all were.

    Raises:
        OSError: the disk does not take one.
    """
    wanted = [(pack, form) for pack in packs for form in WRITERS]

    def refused(one: tuple[Pack, str]) -> Refusal | None:
        pack, form = one
        try:
            write(pack, form, folder / pack.area.slug / name_of(pack.area, pack.edition, form))
        except Refusal as refusal:
            return refusal
        return None

    failures: dict[str, dict[str, Refusal]] = {}
    for (pack, form), refusal in zip(wanted, workers.each(refused, wanted), strict=True):
        if refusal:
            failures.setdefault(pack.area.slug, {})[name_of(pack.area, pack.edition, form)] = refusal
    return failures
