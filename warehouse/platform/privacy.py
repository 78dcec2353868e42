"""Who on this machine may read a home: the user who runs it, and one group where a group is declared."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from warehouse.platform.settings import Settings

OTHERS = stat.S_IRWXO
GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def mask(settings: Settings) -> int:
    """The umask for processes that write into a home."""
    return stat.S_IWGRP | OTHERS if settings.group else GROUP_AND_OTHERS


def keep_private(settings: Settings) -> int:
    """Make the home's folder, and take from others the right to read what is in it.

    PostgreSQL's data folder is its own: PostgreSQL keeps it private and refuses to start where it is not.

    Returns:
        How many files and folders others could read until now.

    Raises:
        PermissionError: a file of the home belongs to another user.
    """
    home = settings.home
    if not home.exists():
        home.mkdir(parents=True, mode=0o700)
    group = settings.group_id()
    repaired = _narrow(home, settings, group, may_pass=os.geteuid() == 0)
    for path in _below(home):
        with contextlib.suppress(FileNotFoundError):  # a run that is under way removes what it is done with
            repaired += _narrow(path, settings, group)
    return repaired


def _below(folder: Path) -> Iterator[Path]:
    for entry in os.scandir(folder):
        path = Path(entry.path)
        if entry.is_symlink() or path.name.startswith("postgres"):
            continue
        yield path
        if entry.is_dir():
            yield from _below(path)


def _narrow(path: Path, settings: Settings, group: int | None, *, may_pass: bool = False) -> int:
    """Take away what others, and a group that was not declared, may do.

    Args:
        may_pass: let it be passed through by a group: root's server runs as another user (warehouse/platform/embedded.py).
    """
    state = path.stat()
    taken = mask(settings)
    if may_pass:
        taken &= ~(stat.S_IXGRP if group is None else stat.S_IXOTH)
    wanted = stat.S_IMODE(state.st_mode) & ~taken
    if group is not None:
        # The group reads what the user reads, and enters the folders that the user enters.
        wanted |= (wanted & (stat.S_IRUSR | (stat.S_IXUSR if stat.S_ISDIR(state.st_mode) else 0))) >> 3
        if state.st_gid != group:
            os.chown(path, -1, group)
    if wanted == stat.S_IMODE(state.st_mode):
        return 0
    path.chmod(wanted)
    return 1 if state.st_mode & taken else 0
