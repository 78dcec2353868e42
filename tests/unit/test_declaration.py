"""A source is declared strictly."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ingest.declaration import SOURCES, read_source, read_sources
from tests.refused import refused_with


@pytest.fixture
def declaration(tmp_path: Path) -> Path:
    """A copy of the MPS declaration, to be spoilt."""
    folder = tmp_path / "mps"
    folder.mkdir()
    return Path(shutil.copy(SOURCES / "mps" / "source.yml", folder / "source.yml"))


def test_every_declared_source_is_valid_and_stands_in_the_folder_of_its_name() -> None:
    assert {name: list(source.datasets) for name, source in read_sources().items()}["mps"] == [
        "borough_historical",
        "borough_recent",
        "ward_historical",
        "ward_recent",
        "lsoa_historical",
        "lsoa_recent",
        "dashboard_tno",
        "dashboard_knife",
        "dashboard_other",
        "homicide_victims",
        "homicide_accused",
        "vawg",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cadence: monthly", "cadance: monthly", "borough_historical.cadance: Extra inputs are not permitted"),
        ("cadence: monthly", "cadence: mensual", "borough_historical.cadence: Input should be 'monthly'"),
        ("source: mps\n", "source: met\n", "source: is 'met' and stands in the folder 'mps'"),
        (
            "location: {kind: london_datastore, package: exy3m, file_name: MPS Borough Level Crime (Historical).csv}",
            "location: {kind: own}",
            "there is no connector.py",
        ),
        ("seed: mps_category", "seed: mps_categories", "there is no seed mps_categories.csv"),
        ("columns: [borough_name]", "columns: [borough]", "'borough' is not a declared column"),
        ("unique: [major_text, minor_text", "unique: [major_text, minor", "unique: 'minor' is not a declared column"),
        (
            "release: {months_after_newest: 25}",
            "release: {months_after_newest: 25}\n    part_is_month: true",
            "borough_historical.part_is_month: needs a part_pattern and a period",
        ),
        ("header_pattern: &month '20", "header_pattern: &month '(20", "is not a regular expression"),
        ("base_url: https", "base_url: [https", "is not valid YAML"),
    ],
)
def test_a_mistake_in_a_declaration_is_refused_by_file_and_key(
    declaration: Path, old: str, new: str, told: str
) -> None:
    text = declaration.read_text(encoding="utf-8")
    assert old in text
    declaration.write_text(text.replace(old, new, 1), encoding="utf-8")
    with refused_with("DECLARATION_INVALID") as refused:
        read_source(declaration)
    assert told in str(refused.value)
    assert str(declaration) in str(refused.value)


def test_a_folder_without_sources_is_refused(tmp_path: Path) -> None:
    with refused_with("NOT_DECLARED"):
        read_sources(tmp_path)
