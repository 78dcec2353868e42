"""Reading source.yml, strictly: an unknown key is an error that names file and key."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from ingest.declaration.source import Source
from ingest.errors import Refusal

SOURCES = Path(__file__).resolve().parents[1] / "sources"
SEEDS = SOURCES.parent.parent / "dbt_project" / "seeds"


def read_source(file: Path) -> Source:
    """One source.yml.

    Raises:
        Refusal: naming the file and every key that is unknown, missing or wrong.
    """
    try:
        found = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        source = Source.model_validate(found)
    except yaml.YAMLError as error:
        raise Refusal("DECLARATION_INVALID", f"is not valid YAML: {error}", where=str(file)) from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
        raise Refusal("DECLARATION_INVALID", f"is not a valid source declaration: {wrong}", where=str(file)) from error
    problems = []
    if source.source != file.parent.name:
        problems.append(f"source: is {source.source!r} and stands in the folder {file.parent.name!r}")
    for name, dataset in source.datasets.items():
        columns = {column.name for column in dataset.layout.columns}
        problems += [
            f"datasets.{name}.columns.{column.name}.blank_only_where: {other!r} is not a declared column"
            for column in dataset.layout.columns
            for other in column.blank_only_where
            if other not in columns
        ]
        for period_column in dataset.layout.period.columns if dataset.layout.period else ():
            if period_column not in columns:
                problems.append(f"datasets.{name}.period: {period_column!r} is not a declared column")
        for key, named in dataset.layout.named_columns.items():
            problems += [
                f"datasets.{name}.{key}: {column!r} is not a declared column"
                for column in named
                if column not in columns
            ]
        if dataset.location.kind == "own" and not (file.parent / "connector.py").is_file():
            problems.append(f"datasets.{name}.location: there is no connector.py beside source.yml")
        if dataset.keep_releases == "newest_of_each_part" and dataset.part_pattern is None:
            problems.append(f"datasets.{name}.keep_releases: needs a part_pattern")
        if dataset.part_is_month and (dataset.part_pattern is None or dataset.layout.period is None):
            problems.append(f"datasets.{name}.part_is_month: needs a part_pattern and a period")
        for code_list in dataset.layout.code_lists:
            problems += [
                f"datasets.{name}.code_lists: {column!r} is not a declared column"
                for column in (*code_list.columns, *code_list.only_where)
                if column not in columns
            ]
            if not (SEEDS / f"{code_list.seed}.csv").is_file():
                problems.append(
                    f"datasets.{name}.code_lists: there is no seed {code_list.seed}.csv in dbt_project/seeds"
                )
    if problems:
        raise Refusal(
            "DECLARATION_INVALID", f"is not a valid source declaration: {'; '.join(problems)}", where=str(file)
        )
    return source


@cache
def read_sources(folder: Path = SOURCES) -> dict[str, Source]:
    """Every declared source by id, in the order of their names.

    Raises:
        Refusal: as read_source; and when the folder declares none.
    """
    sources = [read_source(file) for file in sorted(folder.glob("*/source.yml"))]
    if not sources:
        raise Refusal("NOT_DECLARED", "no source is declared", where=str(folder))
    return {source.source: source for source in sources}


def find_source(name: str, folder: Path = SOURCES) -> Source:
    """The source of that id.

    Raises:
        Refusal: when none is declared; lists those that are.
    """
    sources = read_sources(folder)
    if name not in sources:
        raise Refusal("NOT_DECLARED", f"no source {name!r} is declared", next_step=f"use one of {', '.join(sources)}")
    return sources[name]
