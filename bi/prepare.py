"""Bring Superset's own database to this version, with its roles and the administrator. Run by Superset's Python; running it again changes nothing.

What `superset db upgrade`, `superset init` and `superset fab create-admin` do, in one process: each of them alone takes ten seconds to start, and
the last is told the password on its command line, where every user of the machine can read it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from flask_migrate import upgrade
from superset.app import create_app

ADMIN = "admin"


def main() -> int:
    """Exit status 0 when all of it stands."""
    app = create_app()
    with app.app_context():
        package = find_spec("superset")
        assert package is not None  # noqa: S101 - we run in its environment
        upgrade(directory=str(Path(str(package.origin)).parent / "migrations"))
    # Again, since the first was made before there were tables to read.
    app = create_app()
    with app.app_context():
        app.appbuilder.add_permissions(update_perms=True)
        manager = app.appbuilder.sm
        manager.sync_role_definitions()
        password = (Path(os.environ["BI_SECRETS"]) / "superset_admin_password").read_text(encoding="utf-8").strip()
        user = manager.find_user(ADMIN)
        if user is None:
            made = manager.add_user(
                ADMIN, "VRU", "Administrator", "admin@localhost", manager.find_role("Admin"), password
            )
            if not made:
                return 1
        else:
            # The file is what `vru bi` logs in with.
            manager.reset_password(user.id, password)
    return 0


if __name__ == "__main__":
    sys.exit(main())
