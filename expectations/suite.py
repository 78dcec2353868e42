"""Suites as data: what must hold for a candidate to be fit to publish. An unknown key is an error that names file and key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingest.checks import borough_names
from ingest.errors import Refusal

SUITES = Path(__file__).resolve().parent
# What an argument of an expectation may be called instead of being written out.
VALUE_SETS = {"the_32_boroughs": sorted(borough_names())}

COLUMN_ARGUMENTS = ("column", "column_A", "column_B")  # of an expectation

Severity = Literal["critical", "warning"]


def _is_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,79}", value):
        raise ValueError("must be a claim in lower_snake_case, at most 80 characters")
    return value


def _is_table(value: str) -> str:
    # Great Expectations does not quote what it is given; anything but lower case fails there without saying why.
    if not re.fullmatch(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*", value):
        raise ValueError("must be schema.table in lower case")
    return value


def _is_select(value: str) -> str:
    if not value.strip().lower().startswith("select"):
        raise ValueError("must begin with select; a common table expression is a definition of the suite")
    if ";" in value:
        raise ValueError("must be one statement without a semicolon")
    if re.search(r"(?<!:):[a-z_]", value, re.IGNORECASE):
        raise ValueError("holds a colon before a letter, which would be taken for a parameter")
    if re.search(r"[{}]", value.replace("{batch}", "")):
        raise ValueError("holds a brace that is not {batch}")
    return value.strip()


Name = Annotated[str, AfterValidator(_is_name)]
Table = Annotated[str, AfterValidator(_is_table)]
Select = Annotated[str, AfterValidator(_is_select)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Check(_Strict):
    """One claim: an expectation of Great Expectations of the suite's table, or of a figure (`of`: one of the suite's definitions), or a
    query that finds what breaks it.

    A query's columns name what it found: area_code, month, measure_code, source, dataset, load_id, row_number,
    table_name, column_name and numbers reach the report; anything else never does.
    """

    name: Name
    severity: Severity
    expectation: Annotated[str, Field(pattern=r"^Expect[A-Z]\w+$")] | None = None
    arguments: dict[str, Any] = {}
    of: Name | None = None
    unexpected_rows: Select | None = None
    mentions: Select | None = None
    mentions_where: Name | None = None
    requires: Table | None = None

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if (self.expectation is None) == (self.unexpected_rows is None):
            raise ValueError(f"{self.name}: give either expectation or unexpected_rows")
        if self.arguments and self.expectation is None:
            raise ValueError(f"{self.name}: arguments belong to an expectation")
        if self.of is not None and self.expectation is None:
            raise ValueError(f"{self.name}: of belongs to an expectation")
        if self.mentions_where is not None and self.of is None:
            raise ValueError(f"{self.name}: mentions_where is a column of a figure, which of names")
        if reserved := {"severity", "meta", "id", "result_format", "catch_exceptions"} & self.arguments.keys():
            raise ValueError(f"{self.name}: {', '.join(sorted(reserved))} cannot be an argument")
        named = self.arguments.get("value_set")
        if isinstance(named, str) and named not in VALUE_SETS:
            raise ValueError(f"{self.name}: there is no set {named}, there are {', '.join(VALUE_SETS)}")
        return self

    @property
    def columns(self) -> frozenset[str]:
        """The columns that its expectation looks at."""
        return frozenset(self.arguments[name] for name in COLUMN_ARGUMENTS if name in self.arguments)

    @property
    def arguments_in_full(self) -> dict[str, Any]:
        """The arguments, with a value set that goes by a name written out."""
        named = self.arguments.get("value_set")
        return {**self.arguments, "value_set": VALUE_SETS[named]} if isinstance(named, str) else self.arguments


class Suite(_Strict):
    """The checks of one table. Of every suite it is also asked that its table has rows and no column without a value.

    A suite may begin as a template (templates/<name>.yml): `template` names it and `with` gives its parameters, of which {source} and
    {dataset} are the suite's folder and file. What the suite says itself goes before what the template says; its definitions and
    checks stand beside the template's.

    unasked_of: the definition whose rows the checks of every suite look at; of a view all of them would be computed for each column.
    dataset, datasets: of a landing suite, what of its source it judges; it is in force where the candidate uses any of them.
    rows_come_from: the datasets (source.dataset) a mart's rows are from; the suite is in force where the candidate uses one of
    them, or the mart has rows.
    rows_are_due_where: a query instead of rows_come_from, for a mart that needs more than a load: where it finds a row, the mart
    must have one.
    may_be_empty_because: why it may have no row even so; then the suite is in force where the mart has rows, or has had when it
    was last published.
    """

    name: str
    describes: str
    target: Table
    minimum_checks: Annotated[int, Field(gt=0)]
    dataset: str | None = None
    datasets: tuple[str, ...] = ()
    may_be_all_null: tuple[str, ...] = ()
    rows_may_fall_because: str | None = None
    rows_come_from: tuple[str, ...] = ()
    unasked_of: Name | None = None
    rows_are_due_where: Select | None = None
    may_be_empty_because: str | None = None
    definitions: dict[Name, Select] = {}
    checks: tuple[Check, ...]

    @property
    def kind(self) -> str:
        """'landing' or 'marts': the folder it stands in."""
        return self.name.split("/")[0]

    @property
    def source(self) -> str | None:
        """The source whose delivery a landing suite judges."""
        return self.name.split("/")[1] if self.kind == "landing" else None

    def query(self, select: str) -> str:
        """A query of a check as PostgreSQL takes it: the definitions it uses before it, the suite's table for {batch}.

        A definition nobody uses costs nothing, but one it mentions is then mentioned twice, and PostgreSQL writes what is
        mentioned twice down before it goes on.
        """
        used: set[str] = set()
        texts = [select]
        while texts:
            words = set(re.findall(r"[a-z_][a-z0-9_]*", texts.pop()))
            new = words & self.definitions.keys() - used
            used |= new
            texts += [self.definitions[name] for name in new]
        before = ",\n".join(f"{name} as ({body})" for name, body in self.definitions.items() if name in used)
        return (f"with {before}\n{select}" if before else select).replace("{batch}", self.target)


class _OneOfEachKey(yaml.CSafeLoader):
    """YAML that refuses a key given twice, of which the loader would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_suite(file: Path, folder: Path = SUITES) -> Suite:
    """One suite.

    Args:
        file: landing/<source>/<name>.yml or marts/<mart>.yml below the folder.
        folder: where suites are kept; a suite's name is its path from there.

    Raises:
        Refusal: naming the file and every key that is unknown, missing, given twice or wrong, and every check name
            that stands twice.
    """
    name = file.relative_to(folder).with_suffix("").as_posix()
    found = _read_keys(file)
    if "name" in found:
        raise Refusal("SUITE_INVALID", "is not a valid suite: name: a suite is named by its file", where=str(file))
    if "template" in found:
        found = _from_template(found, file, folder)
    try:
        suite = Suite.model_validate({**found, "name": name})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(p) for p in e['loc'])}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise Refusal("SUITE_INVALID", f"is not a valid suite: {wrong}", where=str(file)) from error
    problems = list(_contradictions(suite))
    if problems:
        raise Refusal("SUITE_INVALID", f"is not a valid suite: {'; '.join(problems)}", where=str(file))
    return suite


def _read_keys(file: Path) -> dict[Any, Any]:
    try:
        found = yaml.load(file.read_text(encoding="utf-8"), Loader=_OneOfEachKey)  # noqa: S506 - it is safe
    except yaml.YAMLError as error:
        raise Refusal("SUITE_INVALID", f"is not valid YAML: {error}", where=str(file)) from error
    if not isinstance(found, dict):
        raise Refusal("SUITE_INVALID", "is not a suite: it holds no keys", where=str(file))
    return found


def _from_template(found: dict[Any, Any], file: Path, folder: Path) -> dict[Any, Any]:
    """The keys of a suite and of the template it begins as; a brace that no parameter fills is refused where a query holds it."""
    given = found.get("with", {})
    template = folder / "templates" / f"{found['template']}.yml"
    if not isinstance(given, dict) or not template.is_file():
        problem = (
            f"template: there is no {template}" if isinstance(given, dict) else "with: must hold parameters by name"
        )
        raise Refusal("SUITE_INVALID", f"is not a valid suite: {problem}", where=str(file))
    parameters = {"source": file.parent.name, "dataset": file.stem, **given}

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        if isinstance(value, str):
            for name, text in parameters.items():
                value = value.replace(f"{{{name}}}", str(text))
        return value

    shared, own = fill(_read_keys(template)), {key: found[key] for key in found if key not in {"template", "with"}}
    try:
        return {
            **shared,
            **own,
            "definitions": {**shared.get("definitions", {}), **own.get("definitions", {})},
            "checks": [*shared.get("checks", []), *own.get("checks", [])],
        }
    except TypeError as error:
        raise Refusal(
            "SUITE_INVALID", "is not a valid suite: definitions are by name and checks are a list", where=str(file)
        ) from error


def _contradictions(suite: Suite) -> Iterator[str]:
    names = [check.name for check in suite.checks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"checks: the name {name} stands {names.count(name)} times"
    for check in suite.checks:
        if check.of is not None and check.of not in suite.definitions:
            yield f"checks.{check.name}: {check.of} is none of the definitions"
        for query in (check.unexpected_rows, check.mentions):
            if query is not None and "{batch}" not in " ".join((query, *suite.definitions.values())):
                yield f"checks.{check.name}: must read {{batch}}, the table of the suite"
    if suite.unasked_of is not None and suite.unasked_of not in suite.definitions:
        yield f"unasked_of: {suite.unasked_of} is none of the definitions"
    if suite.rows_come_from and suite.rows_are_due_where:
        yield "rows_come_from and rows_are_due_where: give one of them"
    parts = suite.name.split("/")
    if suite.kind == "marts":
        if len(parts) != 2 or suite.target != f"candidate.{parts[-1]}":
            yield f"target: is {suite.target} and must be candidate.{parts[-1]}, the table the file is named after"
        if suite.dataset is not None or suite.datasets:
            yield "dataset: belongs to a landing suite"
    elif suite.kind == "landing":
        if len(parts) != 3:
            yield "a landing suite stands in landing/<source>/"
        if suite.dataset is not None and suite.dataset != parts[-1]:
            yield f"dataset: is {suite.dataset!r} and the file is named {parts[-1]!r}"
    else:
        yield "a suite stands in landing/<source>/ or in marts/"


def read_suites(folder: Path = SUITES) -> list[Suite]:
    """Every suite of a folder, in the order of their names; none where there are none, which the gate blocks.

    Raises:
        Refusal: as read_suite.
    """
    return [
        read_suite(file, folder) for kind in ("landing", "marts") for file in sorted((folder / kind).rglob("*.yml"))
    ]
