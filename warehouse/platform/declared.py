"""What roles.yml declares: each role, what it may do to what, and whose tables hold rows that not everybody may see."""

from __future__ import annotations

import fnmatch
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("roles.yml")
Kind = Literal["schema", "tables", "sequences", "functions"]
Verb = Literal["usage", "create", "select", "insert", "update", "delete", "execute"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Role(_Strict):
    """A role of the database. login: it has a password; reader: it only reads, within limits."""

    why: str
    login: bool = True
    reader: bool = False


class Right(_Strict):
    """Verbs on one kind of thing of a schema: on all of them, or on those whose name fits one of the patterns."""

    of: Kind
    may: tuple[Verb, ...]
    named: tuple[str, ...] = ("*",)

    def covers(self, name: str) -> bool:
        """Whether it is about a thing of this name."""
        return self.of == "schema" or any(fnmatch.fnmatchcase(name, pattern) for pattern in self.named)

    @property
    def is_on_all(self) -> bool:
        """Whether it is about every thing of its kind, those to come too."""
        return self.of != "schema" and self.named == ("*",)


class Database(_Strict):
    """Who may do what to the database itself."""

    connect: tuple[str, ...]
    create: tuple[str, ...]
    temporary: tuple[str, ...]


class RowRule(_Strict):
    """What makes a row of a table visible to those who do not see all: its area, and whether it is open."""

    area: str | None = None
    open: Literal["measure", "source", "row", "never"] = "never"
    sums: bool = True


class Rows(_Strict):
    """Which tables hold restricted rows, who sees all of them, who those of its boroughs, and who the open ones alone."""

    see_all: tuple[str, ...]
    own_boroughs: str
    open_rows: tuple[str, ...]
    sums: tuple[str, ...]
    tables: dict[str, RowRule]


class Declaration(_Strict):
    """The whole file."""

    roles: dict[str, Role]
    makers: dict[str, str]
    database: Database
    public_schema: tuple[str, ...]
    grants: dict[str, dict[str, tuple[Right, ...]]] = Field(min_length=1)
    rows: Rows

    @property
    def schemas(self) -> tuple[str, ...]:
        """Every schema that somebody is granted something in, sorted."""
        return tuple(sorted({schema for schemas in self.grants.values() for schema in schemas}))

    @property
    def logins(self) -> tuple[str, ...]:
        """The roles that come in by a password of their own."""
        return tuple(name for name, role in self.roles.items() if role.login)

    @property
    def readers(self) -> tuple[str, ...]:
        """The roles that only read, logins or not."""
        return tuple(name for name, role in self.roles.items() if role.reader)

    def verbs(self, role: str, schema: str, kind: str, name: str) -> set[str]:
        """What a role may do to one thing."""
        rights = self.grants.get(role, {}).get(schema, ())
        return {verb for right in rights if right.of == kind and right.covers(name) for verb in right.may}


@cache
def declaration() -> Declaration:
    """What the file says.

    Raises:
        pydantic.ValidationError: it holds a word that is not known.
    """
    return Declaration.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
