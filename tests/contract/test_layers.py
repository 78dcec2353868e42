"""Data flow one way, and every model says what it is. What breaks a rule is named, with what to do."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ingest.declaration import SEEDS, read_sources
from tests.conftest import PROJECT

DBT_PROJECT = PROJECT / "dbt_project"
MODELS = DBT_PROJECT / "models"
MAY_READ = {
    "staging": {"seeds"},
    "intermediate": {"staging", "intermediate", "seeds"},
    "windows": {"intermediate", "marts", "windows"},
    "facts": {"facts", "marts", "seeds"},
    "reports": {"intermediate", "windows", "marts", "reports", "seeds"},
    "marts": {"intermediate", "windows", "reports", "facts", "marts", "seeds"},
    "open": {"marts", "open", "seeds"},
}
TAGS = {"classification", "owner", "legal_gateway", "publish_rule"}
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Models by name, without those of dbt's own packages."""
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def layer_of(model: dict[str, Any]) -> str:
    return str(Path(model["path"]).parts[0])


def reads(model: dict[str, Any]) -> list[tuple[str, str]]:
    """What a model reads, its macros included: ("model", "fct_measure"), ("source", "raw.mps__vawg")."""
    found = [name.split(".") for name in model["depends_on"]["nodes"]]
    return [(kind, ".".join(rest) if kind == "source" else rest[0]) for kind, _, *rest in found]


def test_one_page_describes_every_model_and_its_columns(documented: Path, models: dict[str, dict[str, Any]]) -> None:
    page = (documented / "static_index.html").read_text(encoding="utf-8")
    assert [name for name in models if f'"model.vru.{name}"' not in page] == []
    wrong = [
        f"{name}.{column['name']}"
        for name, model in models.items()
        for column in model["columns"].values()
        if json.dumps(column["description"])[1:-1] not in page
    ]
    assert wrong == [], f"{wrong} are not on the page of `make docs`"


def test_staging_alone_reads_what_was_loaded(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        name
        for name, model in models.items()
        if layer_of(model) != "staging" and any(kind == "source" for kind, _ in reads(model))
    ]
    assert wrong == [], f"{wrong} read a source: put a view of it in models/staging and read that"


def test_a_layer_reads_only_what_lies_before_it(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        f"{name} ({layer_of(model)}) reads {read}"
        for name, model in models.items()
        for kind, read in reads(model)
        if kind != "source" and ("seeds" if kind == "seed" else layer_of(models[read])) not in MAY_READ[layer_of(model)]
    ]
    assert wrong == [], f"{wrong}: data flow staging, intermediate, marts"


def test_what_bears_the_name_of_a_source_reads_that_source_alone(models: dict[str, dict[str, Any]]) -> None:
    """A build leaves these tables as they stand where no file of their source has changed."""
    sources = read_sources()
    own = {source: (f"stg_{source}__", f"int_{source}_") for source in sources}
    wrong = [
        f"{name} reads {read}"
        for prefixes in own.values()
        for name, model in models.items()
        if name.startswith(prefixes)
        for kind, read in reads(model)
        if kind == "model" and not read.startswith(prefixes) and read != "stg_ops__load"
    ]
    assert wrong == [], f"{wrong}: a model that needs several sources bears the name of none"
    names = [f"{one}, {other}" for one in sources for other in sources if other.startswith(f"{one}_")]
    assert names == [], f"{names}: no source's name may begin another's"


def test_every_model_states_its_grain_in_a_file_of_its_own_name(models: dict[str, dict[str, Any]]) -> None:
    wrong = [name for name, model in models.items() if not model["description"].strip().startswith("Grain: one row")]
    assert wrong == [], f"{wrong}: describe them, beginning with the grain"
    wrong = [
        name
        for name, model in models.items()
        if model["patch_path"] != f"vru://models/{Path(model['path']).with_suffix('.yml').as_posix()}"
    ]
    assert wrong == [], f"{wrong}: describe each in a YAML file of its own name beside it"


def test_every_seed_is_described_in_a_file_of_its_own_name(manifest: dict[str, Any]) -> None:
    wrong = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "seed" and node["patch_path"] != f"vru://seeds/{node['name']}.yml"
    ]
    assert wrong == [], f"{wrong}: describe each in a YAML file of its own name beside it"


@pytest.mark.parametrize(("suffix", "lines"), [("sql", 200), ("yml", 300)])
def test_a_model_and_its_description_are_short_enough_to_be_read_at_once(suffix: str, lines: int) -> None:
    wrong = {
        str(file.relative_to(DBT_PROJECT)): length
        for file in DBT_PROJECT.rglob(f"*.{suffix}")
        if (length := len(file.read_text(encoding="utf-8").splitlines())) > lines
    }
    assert wrong == {}, f"{wrong}: cut what does several things by subject"


def test_every_table_is_tested(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    tested = {
        read
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        for kind, read in reads(node)
        if kind == "model"
    }
    untested = [
        name
        for name, model in models.items()
        if layer_of(model) != "staging"
        and model["config"]["materialized"] != "ephemeral"  # a part of the query of what reads it, which is tested
        and name not in tested
        and not model["constraints"]
    ]
    assert untested == [], f"{untested}: test at least their key"


def test_every_mart_column_is_described_with_unit_and_source_and_every_mart_is_tagged(
    models: dict[str, dict[str, Any]],
) -> None:
    for name, model in models.items():
        if layer_of(model) != "marts":
            continue
        assert model["config"]["meta"].keys() >= TAGS, f"{name}: tag it with {TAGS}"
        for column in model["columns"].values():
            assert column["description"].strip(), f"{name}.{column['name']}: describe it"
            missing = {"unit", "source"} - column["config"]["meta"].keys()
            assert not missing, f"{name}.{column['name']}: say its {missing} under config: meta:"
        assert any(c["type"] == "primary_key" for c in model["constraints"]), f"{name}: declare its primary key"


def test_a_column_of_many_marts_is_described_once_and_each_description_says_what_it_is_of(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    columns = [
        (name, column["name"], column["description"])
        for name, model in models.items()
        if layer_of(model) == "marts"
        for column in model["columns"].values()
    ]
    names = [column for _, column, _ in columns]
    blocks = {block["name"] for block in manifest["docs"].values() if block["package_name"] == "vru"}
    shared = {column for column in names if names.count(column) >= 5}
    assert len(shared) > 20
    assert sorted(shared - blocks) == [], "five marts have them: describe them once in models/docs.md"
    # Read by itself, in a catalogue or a BI tool, a description has nothing before it.
    pointing = re.compile(r"(The same|Its|Their|That|Those|It|As|Of (it|them|these))\b")
    assert [f"{mart}.{column}: {said}" for mart, column, said in columns if pointing.match(said)] == []


def test_every_mart_that_is_a_table_has_a_suite_of_the_gate_and_every_suite_a_mart(
    models: dict[str, dict[str, Any]],
) -> None:
    marts = {name: model for name, model in models.items() if layer_of(model) == "marts"}
    tables = {name for name, model in marts.items() if model["config"]["materialized"] == "table"}
    suites = {file.stem for file in (PROJECT / "expectations/marts").glob("*.yml")}
    assert sorted(tables - suites) == [], (
        "add expectations/marts/<mart>.yml: the gate holds a release with a table it cannot judge"
    )
    assert sorted(suites - marts.keys()) == [], "these judge no mart"


def test_what_is_listed_as_removed_is_built_no_more_and_the_changelog_says_so(
    models: dict[str, dict[str, Any]],
) -> None:
    with (DBT_PROJECT / "removed.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.DictReader(file)
        assert lines.fieldnames == ["mart", "column", "removed_in", "reason"]
        removed = list(lines)
    built = {(name, column) for name, model in models.items() for column in ("", *model["columns"])}
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    told = " ".join(re.findall(r"^### Removed\n(.*?)(?=^##|\Z)", changelog, flags=re.MULTILINE | re.DOTALL))
    for row in removed:
        name = f"{row['mart']}.{row['column']}".rstrip(".")
        assert row["removed_in"], f"{name}: say in which version"
        assert row["reason"], f"{name}: say why"
        assert (row["mart"], row["column"]) not in built, f"{name} is still built"
        assert f"`{name}`" in told, f"{name}: say so in CHANGELOG.md under Removed"


def test_every_name_is_lower_snake_case_and_fits_postgresql(models: dict[str, dict[str, Any]]) -> None:
    names = [*models, *(f.stem for f in SEEDS.glob("*.csv"))]
    names += [f"{source}__{dataset}" for source, s in read_sources().items() for dataset in s.datasets]
    assert [name for name in names if not NAME.fullmatch(name)] == []


def test_a_staging_folder_has_the_name_of_its_source() -> None:
    folders = {f.name for f in (MODELS / "staging").iterdir() if f.is_dir()}
    assert folders == {*read_sources(), "ops"}


@pytest.mark.parametrize(
    "folder", ["ingest", "warehouse", "expectations", "dags", "sandbox", "dbt_project/models", "dbt_project/macros"]
)
def test_a_borough_is_spelt_in_the_seeds_alone(folder: str) -> None:
    with (SEEDS / "boroughs.csv").open(encoding="utf-8", newline="") as file:
        names = [row["borough_name"] for row in csv.DictReader(file)]
    assert len(names) == 32
    # A borough may be an example in prose; a list of them is a second home.
    wrong = [
        str(file.relative_to(PROJECT))
        for suffix in ("py", "sql", "yml")
        for file in (PROJECT / folder).rglob(f"*.{suffix}")
        if sum(name in file.read_text(encoding="utf-8") for name in names) > 8
        and "sandbox" not in file.parts  # the publishers' own spelling, on their side of the wire
    ]
    assert wrong == [], f"{wrong} spell boroughs: dbt_project/seeds/boroughs.csv and area_aliases.csv are their home"


def test_nothing_is_called_after_nothing_in_particular() -> None:
    words = re.compile(r"(^|_)(utils?|helpers?|manager|misc|common|process_data)(_|$)")
    wrong = [
        str(f.relative_to(PROJECT))
        for folder in ("ingest", "warehouse", "expectations", "sandbox", "dags", "bench")
        for f in (PROJECT / folder).rglob("*.py")
        if words.search(f.stem)
    ]
    assert wrong == [], f"{wrong}: name the thing it does"


def test_every_mart_has_a_reader_and_the_list_of_gaps_names_marts_that_exist(
    manifest: dict[str, Any], models: dict[str, dict[str, Any]]
) -> None:
    marts = {name for name, model in models.items() if layer_of(model) == "marts"} | {"data_status", "publication"}
    read = {name for exposure in manifest["exposures"].values() for _, name in reads(exposure)}
    assert sorted(marts - read - {"data_status", "publication"}) == [], "say in models/exposures.yml who reads them"
    with (SEEDS / "assessment_gap.csv").open(encoding="utf-8", newline="") as file:
        gaps = list(csv.DictReader(file))
    parts = [(row["question_number"], row["part_number"]) for row in gaps]
    assert sorted(part for part in set(parts) if parts.count(part) > 1) == [], "seeds/assessment_gap.csv has them twice"
    named = {mart for row in gaps for mart in row["answered_by"].split(", ") if mart}
    assert sorted(named - marts) == [], "seeds/assessment_gap.csv names them as answers, and they are no marts"


def test_every_part_of_a_question_that_is_answered_names_the_rows_that_answer_it() -> None:
    def parts(seed: str) -> list[dict[str, str]]:
        with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    said = {(r["question_number"], r["part_number"]) for r in parts("assessment_gap") if r["status"] != "not_available"}
    assert {(r["question_number"], r["part_number"]) for r in parts("assessment_answer")} == said
    measures = {r["measure_code"] for r in parts("measures")}
    named = {r["measure_code"] for seed in ("assessment_answer", "fact_pack") for r in parts(seed)}
    named |= {r["london_measure_code"] for r in parts("fact_pack")}
    assert named - measures == {""}
