"""How each column is to be handled, in one table: ops.catalogue, by the declarations of the sources and dbt's manifest.

A column says what differs from its model, a model what differs from its folder (dbt_project.yml): dbt puts them together, and this reads them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from ingest.declaration import Source, raw_table
from ingest.declaration.handling import KEYS, Handling
from ingest.errors import Refusal

# Where readers find what is built in the candidate, and what anyone may see.
STANDS_IN = {"candidate": "marts"}
OPEN_VIEW = ("open_measure", "marts_open", "measure")


@dataclasses.dataclass(frozen=True)
class Handled:
    """A table, and how it and those of its columns that differ are to be handled.

    Attributes:
        schema_name, table_name: where it is built; `shown_schema`, `shown_table`: where readers find it.
        columns: by name, those that differ.
    """

    schema_name: str
    table_name: str
    handling: Handling
    columns: Mapping[str, Handling]
    shown_schema: str
    shown_table: str


def tables(manifest: Mapping[str, Any], sources: Mapping[str, Source]) -> Iterator[Handled]:
    """Every table of raw, every model and every seed.

    Raises:
        Refusal: one does not say how it is to be handled.
    """
    for source in sources.values():
        own = Handling.model_validate({key: getattr(source, key) for key in KEYS})
        for name, dataset in source.datasets.items():
            differ = {
                column.name: own.model_copy(update={"personal_data": "of_a_person"})
                for column in dataset.layout.kept_columns
                if column.is_personal
            }
            table = raw_table(source.source, name)
            yield Handled("raw", table, own, differ, "raw", table)
    for node in manifest["nodes"].values():
        if node["resource_type"] not in {"model", "seed"} or node["config"]["materialized"] == "ephemeral":
            continue
        schema, table, meta = str(node["schema"]), str(node["name"]), node["config"]["meta"]
        differ = {
            name: handling_of(f"{table}.{name}", {**meta, **column["config"]["meta"]})
            for name, column in node["columns"].items()
            if column["config"]["meta"].keys() & set(KEYS)
        }
        shown = OPEN_VIEW[1:] if table == OPEN_VIEW[0] else (STANDS_IN.get(schema, schema), table)
        yield Handled(schema, table, handling_of(table, meta), differ, *shown)


def handling_of(name: str, meta: Mapping[str, Any]) -> Handling:
    """What meta says of how something is to be handled.

    Raises:
        Refusal: it does not say all of it, or something that is not known.
    """
    try:
        return Handling.model_validate({key: meta[key] for key in KEYS if key in meta})
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise Refusal(
            "DECLARATION_INVALID",
            f"does not say how it is to be handled: {wrong}",
            where=name,
            next_step="say it under config: meta: of the model, or of its folder in dbt_project.yml",
        ) from None


def write(connection: psycopg.Connection, manifest: Mapping[str, Any], sources: Mapping[str, Source]) -> None:
    """Fill ops.catalogue with a row for every column that stands in the database."""
    rows = [
        {
            "schema_name": one.schema_name, "table_name": one.table_name, "shown_schema": one.shown_schema,
            "shown_table": one.shown_table, "columns": {name: column.model_dump() for name, column in one.columns.items()},
            "handling": one.handling.model_dump(),
        }
        for one in tables(manifest, sources)
    ]  # fmt: skip
    with connection.transaction():
        connection.execute("delete from ops.catalogue")
        connection.execute(
            """insert into ops.catalogue (schema_name, table_name, column_name, classification, owner, legal_gateway, istv_level,
                   personal_data, special_category, retention_days, publish_rule)
               select t.shown_schema, t.shown_table, a.attname, h.classification, h.owner, h.legal_gateway, h.istv_level,
                   h.personal_data, h.special_category, nullif(h.retention_days, 'unlimited')::integer, h.publish_rule
               from jsonb_to_recordset(%s) as t (schema_name text, table_name text, shown_schema text, shown_table text, columns jsonb,
                   handling jsonb)
               inner join pg_namespace as n on n.nspname = t.schema_name
               inner join pg_class as c on c.relnamespace = n.oid and c.relname = t.table_name
               inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               cross join jsonb_to_record(coalesce(t.columns -> a.attname::text, t.handling)) as h (classification text, owner text,
                   legal_gateway text, istv_level integer, personal_data text, special_category text, retention_days text,
                   publish_rule text)""",
            [Jsonb(rows)],
        )
