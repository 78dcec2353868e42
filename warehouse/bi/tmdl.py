"""A Power BI semantic model as a folder of TMDL (https://learn.microsoft.com/analysis-services/tmdl/tmdl-overview)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from warehouse.bi.semantic_model import FACTS, Column, Measure, SemanticModel, Table

TYPES = {
    "text": "string",
    "date": "dateTime",
    "boolean": "boolean",
    "bigint": "int64",
    "integer": "int64",
    "smallint": "int64",
    "double precision": "double",
}


def write(model: SemanticModel, out: Path, server: str, database: str) -> list[Path]:
    """Write the folder `definition` of a semantic model.

    Args:
        model: what to describe.
        out: the folder, which exists.
        server, database: where the warehouse is, as Power BI asks for it (host:port).

    Returns:
        The files.
    """
    folder = out / "definition"
    (folder / "tables").mkdir(parents=True)
    texts = {
        folder / "database.tmdl": f"database {_quoted(model.name)}\n\tcompatibilityLevel: 1601\n",
        folder / "model.tmdl": "\n".join(_model(model)) + "\n",
        folder / "expressions.tmdl": "\n\n".join(
            f'expression {name} = "{value}" meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
            for name, value in (("Server", server), ("Database", database))
        )
        + "\n",
        folder / "relationships.tmdl": "\n\n".join(
            f"relationship {one.fact}_{one.dimension}\n\tfromColumn: {one.fact}.{one.column}\n\ttoColumn: {one.dimension}.{one.key}"
            for one in model.relationships
        )
        + "\n",
        **{folder / "tables" / f"{one.name}.tmdl": "\n".join(_table(one, model)) + "\n" for one in model.tables},
    }
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8")
    return list(texts)


def _model(model: SemanticModel) -> Iterator[str]:
    yield "model Model"
    yield "\tculture: en-GB"
    yield "\tdefaultPowerBIDataSourceVersion: powerBI_V3"
    yield "\tdiscourageImplicitMeasures"
    yield ""
    yield from (f"ref table {one.name}" for one in model.tables)


def _table(table: Table, model: SemanticModel) -> Iterator[str]:
    yield from _description(table.description, 0)
    yield f"table {table.name}"
    if table.name == "bi_date":
        yield "\tdataCategory: Time"
    yield ""
    for measure in model.measures:
        if measure.table == table.name:
            yield from _measure(measure)
    for column in table.columns:
        yield from _column(column, table)
    yield f"\tpartition {table.name} = m"
    yield "\t\tmode: import"
    yield "\t\tsource ="
    yield "\t\t\t\tlet"
    yield "\t\t\t\t\tSource = PostgreSQL.Database(Server, Database),"
    yield f'\t\t\t\t\tData = Source{{[Schema="marts", Item="{table.name}"]}}[Data]'
    yield "\t\t\t\tin"
    yield "\t\t\t\t\tData"


def _measure(measure: Measure) -> Iterator[str]:
    yield from _description(measure.description, 1)
    # A measure's name is one of the whole model, not of its table.
    name = _quoted(f"{measure.name} ({measure.table})")
    top = f"{measure.table}[{measure.numerator}]"
    if measure.denominator is None:
        yield f"\tmeasure {name} = SUM({top})"
        yield "\t\tformatString: #,0"
    else:
        below = f"{measure.table}[{measure.denominator}]"
        known = f"NOT ISBLANK({top}) && NOT ISBLANK({below})"
        yield f"\tmeasure {name} ="
        yield "\t\t\tDIVIDE("
        yield f"\t\t\t\t1000 * CALCULATE(SUM({top}), FILTER({measure.table}, {known})),"
        yield f"\t\t\t\tCALCULATE(SUM({below}), FILTER({measure.table}, {known}))"
        yield "\t\t\t)"
        yield "\t\tformatString: #,0.00"
    yield ""


def _column(column: Column, table: Table) -> Iterator[str]:
    yield from _description(column.description, 1)
    yield f"\tcolumn {column.name}"
    yield f"\t\tdataType: {TYPES.get(column.data_type, 'decimal')}"
    if (column.name,) == table.key:
        yield "\t\tisKey"
    if column.data_type == "date":
        yield "\t\tformatString: yyyy-mm-dd"
    if table.name in FACTS and column.name in ("area_code", "measure_code"):
        yield "\t\tisHidden"
    if category := {"latitude": "Latitude", "longitude": "Longitude"}.get(column.name):
        yield f"\t\tdataCategory: {category}"
    # No figure is summed because somebody drags it: the measures are what adds up.
    yield "\t\tsummarizeBy: none"
    yield f"\t\tsourceColumn: {column.name}"
    yield ""


def _description(text: str, depth: int) -> Iterator[str]:
    yield "\t" * depth + "/// " + " ".join(text.split())


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
