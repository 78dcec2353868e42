"""Data flow one way, and every model says what it is. What breaks a rule is named, with what to do."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from ingest.declaration import SEEDS, read_sources
from tests.conftest import PROJECT

MODELS = PROJECT / "dbt_project" / "models"
LAYERS = ("staging", "intermediate", "facts", "marts")
MAY_READ = {
    "staging": {"seeds"},
    "intermediate": {"staging", "intermediate", "seeds"},
    "facts": {"marts", "seeds"},
    "marts": {"intermediate", "facts", "marts", "seeds"},
}
TAGS = {"classification", "owner", "legal_gateway", "publish_rule"}
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def models() -> dict[str, Path]:
    found = {file.stem: file for layer in LAYERS for file in (MODELS / layer).rglob("*.sql")}
    assert found, "no model was found: the paths of this test are wrong"
    return found


def layer_of(file: Path) -> str:
    return file.relative_to(MODELS).parts[0]


def described() -> dict[str, dict[str, object]]:
    """What the YAML files say of each model."""
    found = {}
    for file in MODELS.rglob("*.yml"):
        for model in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("models", []):
            found[model["name"]] = model
    return found


def test_staging_alone_reads_what_was_loaded() -> None:
    wrong = [name for name, file in models().items() if layer_of(file) != "staging" and "source(" in file.read_text()]
    assert wrong == [], f"{wrong} read a source: put a view of it in models/staging and read that"


def test_macros_read_no_source() -> None:
    wrong = [f.name for f in (PROJECT / "dbt_project" / "macros").glob("*.sql") if "source(" in f.read_text()]
    assert wrong == [], f"{wrong} read a source: pass the relation in from the staging model"


def test_a_layer_reads_only_what_lies_before_it() -> None:
    layers = {name: layer_of(file) for name, file in models().items()} | {f.stem: "seeds" for f in SEEDS.glob("*.csv")}
    wrong = [
        f"{name} ({layers[name]}) reads {read} ({layers.get(read, 'unknown')})"
        for name, file in models().items()
        for read in re.findall(r"ref\('([^']+)'\)", file.read_text())
        if layers.get(read) not in MAY_READ[layers[name]]
    ]
    assert wrong == [], f"{wrong}: data flow staging, intermediate, marts"


def test_what_bears_the_name_of_a_source_reads_that_source_alone() -> None:
    """A build leaves these tables as they stand where no file of their source has changed."""
    sources = read_sources()
    seeds = {f.stem for f in SEEDS.glob("*.csv")}
    own = {source: (f"stg_{source}__", f"int_{source}_") for source in sources}
    wrong = [
        f"{name} reads {read}"
        for prefixes in own.values()
        for name, file in models().items()
        if name.startswith(prefixes)
        for read in re.findall(r"ref\('([^']+)'\)", file.read_text())
        if not read.startswith(prefixes) and read not in {*seeds, "stg_ops__load"}
    ]
    assert wrong == [], f"{wrong}: a model that needs several sources bears the name of none"
    names = [f"{one}, {other}" for one in sources for other in sources if other.startswith(f"{one}_")]
    assert names == [], f"{names}: no source's name may begin another's"


def test_every_model_states_its_grain() -> None:
    said = described()
    wrong = [
        name
        for name in models()
        if not str(said.get(name, {}).get("description", "")).strip().startswith("Grain: one row")
    ]
    assert wrong == [], f"{wrong}: describe them in a YAML file beside the model, beginning with the grain"


def test_every_table_is_tested() -> None:
    said = described()
    untested = []
    for name, file in models().items():
        model = said[name]
        columns = model["columns"]
        assert isinstance(columns, list)
        own = [model.get("data_tests"), model.get("constraints")]
        if layer_of(file) != "staging" and not any([*own, *(c.get("data_tests") for c in columns)]):
            untested.append(name)
    assert untested == [], f"{untested}: test at least their key"


def test_every_mart_column_is_described_with_unit_and_source_and_every_mart_is_tagged() -> None:
    said = described()
    for name, file in models().items():
        if layer_of(file) != "marts":
            continue
        model = said[name]
        assert model["config"]["meta"].keys() >= TAGS, f"{name}: tag it with {TAGS}"  # type: ignore[index]
        for column in model["columns"]:  # type: ignore[attr-defined]
            text = column.get("description", "")
            assert "Unit" in text, f"{name}.{column['name']}: say its unit"
            assert "Source" in text, f"{name}.{column['name']}: say its source"
        assert any(c["type"] == "primary_key" for c in model["constraints"]), f"{name}: declare its primary key"  # type: ignore[attr-defined]


def test_every_name_is_lower_snake_case_and_fits_postgresql() -> None:
    names = [*models(), *(f.stem for f in SEEDS.glob("*.csv"))]
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


def test_every_mart_has_a_reader_and_the_list_of_gaps_names_marts_that_exist() -> None:
    marts = {name for name, file in models().items() if layer_of(file) == "marts"} | {"data_status", "publication"}
    exposures = yaml.safe_load((MODELS / "exposures.yml").read_text(encoding="utf-8"))["exposures"]
    read = {re.findall(r"ref\('([^']+)'\)", on)[0] for exposure in exposures for on in exposure["depends_on"]}
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
    assert named - measures == {""}
