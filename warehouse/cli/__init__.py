"""`vru`: the tool a person uses. Exit status 0 only on success; what goes wrong is a sentence on standard error.

A module a noun; importing one adds its commands to `main`.
"""

from warehouse.cli import access, dashboards, database, figures, home, loads, releases, site, sources, state
from warehouse.cli.group import main

__all__ = [
    "access",
    "dashboards",
    "database",
    "figures",
    "home",
    "loads",
    "main",
    "releases",
    "site",
    "sources",
    "state",
]
