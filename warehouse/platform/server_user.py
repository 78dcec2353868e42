"""The user of the operating system that the embedded server runs as, and the folders that user must be able to pass through."""

from __future__ import annotations

import dataclasses
import os
import pwd
import stat
import subprocess
from pathlib import Path

# PostgreSQL refuses to run as root; then its processes and its data folder are this user's.
NAME = "pgserver"


@dataclasses.dataclass(frozen=True)
class ServerUser:
    """Who PostgreSQL's programs run as: whoever we are, unless we are root."""

    uid: int
    gid: int

    @classmethod
    def of_new_data(cls) -> ServerUser:
        """The user of a data folder that is made now."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            subprocess.run(["useradd", "--system", "--shell", "/usr/sbin/nologin", NAME], check=True)
            entry = pwd.getpwnam(NAME)
        return cls(entry.pw_uid, entry.pw_gid)

    @classmethod
    def of(cls, data: Path) -> ServerUser:
        """The user of a data folder that is there: its owner."""
        owner = data.stat()
        return cls(owner.st_uid, owner.st_gid)

    @property
    def options(self) -> dict[str, object]:
        """What subprocess needs to run a program as this user."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take_over(self, folder: Path) -> None:
        """Make a folder and all that is in it this user's."""
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_in(self, home: Path, programs: Path) -> None:
        """Let this user pass through a home and the folders above it, and reach PostgreSQL's programs: pass through, not read.

        Passing through a home is for this user's group alone. Only root runs a server as another user.
        """
        if os.geteuid() != 0:
            return
        state = home.stat()
        if not self._may_pass(home):
            if not state.st_mode & stat.S_IRWXG:
                os.chown(home, -1, self.gid)
                home.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXGRP)
            else:  # its group was declared for others
                home.chmod(stat.S_IMODE(state.st_mode) | stat.S_IXOTH)
        for folder in (*home.parents, programs, *programs.parents):
            if not self._may_pass(folder):
                folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)

    def _may_pass(self, folder: Path) -> bool:
        state = folder.stat()
        bit = stat.S_IXUSR if state.st_uid == self.uid else stat.S_IXGRP if state.st_gid == self.gid else stat.S_IXOTH
        return bool(state.st_mode & bit)
