"""Do two homes hold the same numbers? `python -m bench.mart_hashes` prints rows and content hash of each mart; `--against FILE` compares.

With `--schema intermediate` (which may be repeated) those of what dbt builds on the way to them, whose names then have their schema.
The hash is of a table's rows in any order. Left out is what two homes of the same landed bytes need not share: moments of loading and
publishing (timestamps), and numbers of loads and releases.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from psycopg import sql

from warehouse.platform.connection import ADMIN, connect
from warehouse.platform.settings import Settings, settings

MARTS = "marts"
NUMBERED = ("load_id", "release_id")
TABLES = "select relname from pg_class where relnamespace = to_regnamespace(%s) and relkind = 'r' order by 1"
COLUMNS = """select attname from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped and atttypid <> 'timestamptz'::regtype and attname <> all(%s)
    order by attname"""


def mart_hashes(settings: Settings, schemas: Sequence[str] = (MARTS,)) -> dict[str, list[Any]]:
    """Rows and content hash of each published mart, or of each table of other schemas.

    Args:
        settings: of the home.
        schemas: what to look at.

    Returns:
        {"fct_measure": [1234, "-8812…"]}, by the mart's name; of another schema by schema and name.
    """
    found = {}
    with connect(settings, ADMIN) as connection:
        tables = [(schema, table) for schema in schemas for (table,) in connection.execute(TABLES, [schema])]
        for schema, table in tables:
            names = [name for (name,) in connection.execute(COLUMNS, [f"{schema}.{table}", list(NUMBERED)])]
            row = connection.execute(
                sql.SQL(
                    "select count(*), coalesce(sum(hashtextextended(row({})::text, 0)::numeric), 0)::text from {}"
                ).format(sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(schema, table))
            ).fetchone()
            assert row is not None  # noqa: S101 - an aggregate gives a row
            found[table if schema == MARTS else f"{schema}.{table}"] = list(row)
    return found


@click.command()
@click.option(
    "--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Output of --json of another home."
)
@click.option("--schema", "schemas", multiple=True, default=[MARTS], help="Schema to look at; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, to compare another home with.")
def main(against: Path | None, schemas: tuple[str, ...], as_json: bool) -> None:
    """Print the content hash of every mart of VRU_HOME; exit status 1 where one differs."""
    found = mart_hashes(settings(), schemas)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    before = json.loads(against.read_text(encoding="utf-8")) if against else found
    names = sorted(found.keys() | before.keys())
    for name in names:
        rows, total = found.get(name, ["-", "-"])
        word = "equal" if found.get(name) == before.get(name) else "DIFFERS"
        click.echo(f"{name:44}{rows!s:>12}  {total:>28}{'  ' + word if against else ''}")
    if found != before:
        sys.exit(1)


if __name__ == "__main__":
    main()
