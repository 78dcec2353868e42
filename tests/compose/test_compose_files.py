"""What can be said of the stack's files without bringing it up; `make compose-test` brings it up."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from warehouse.platform.settings import PREFIX, PROJECT, Settings

COMPOSE_FILE = PROJECT / "docker-compose.yml"
EXAMPLE = PROJECT / ".env.example"
ONE_SHOT = {"init", "superset-database", "superset-import"}


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    described: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return described


def test_the_example_lists_every_setting_and_every_variable_of_the_stack_once() -> None:
    listed = re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    # Each key has a setting of its own, which the scheduler is given.
    settings = {PREFIX + name.upper() for name in Settings.model_fields if name != "publisher_keys"}
    variables = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_FILE.read_text(encoding="utf-8")))
    assert sorted(listed) == sorted(settings | variables)


def test_the_example_repeats_the_stacks_defaults() -> None:
    example = dict(re.findall(r"^(STACK_[A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    defaults = dict(re.findall(r"\$\{(STACK_[A-Z_]+):-([^}]*)\}", COMPOSE_FILE.read_text(encoding="utf-8")))
    assert example == defaults


def test_every_service_is_hardened_and_limited(stack: dict[str, Any]) -> None:
    for name, service in stack["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if name in ONE_SHOT:
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_the_administrators_secrets_are_mounted_by_postgres_and_what_sets_up_alone(stack: dict[str, Any]) -> None:
    administrators = {"postgres_password", "database_admin_url"}
    holders = {name for name, service in stack["services"].items() if administrators & set(service["secrets"])}
    assert holders == {"postgres", "init", "superset-database"}


def test_superset_is_there_where_it_is_asked_for_and_holds_a_readers_password_and_its_own_alone(
    stack: dict[str, Any],
) -> None:
    asked_for = {name for name, service in stack["services"].items() if service.get("profiles") == ["bi"]}
    assert asked_for == {"superset-database", "superset", "superset-import"}
    superset = stack["services"]["superset"]
    assert superset["secrets"] == ["vru_superset", "vru_analyst", "superset_secret_key", "superset_admin_password"]
    assert "volumes" not in superset
    assert superset["build"]["context"] == "bi"


def test_the_lines_that_make_the_secrets_make_each_one_the_stack_declares(stack: dict[str, Any]) -> None:
    head = COMPOSE_FILE.read_text(encoding="utf-8").split("\nname:")[0]
    lines = "\n".join(line.removeprefix("#   ") for line in head.splitlines() if line.startswith("#   "))
    in_a_loop = re.search(r"for name in ([\w ]+)", lines)
    assert in_a_loop is not None
    made = set(in_a_loop[1].split()) | set(re.findall(r'> "\$dir/(\w+)"', lines))
    assert made == set(stack["secrets"])


def test_no_image_is_left_to_the_newest_version() -> None:
    files = [
        path.read_text(encoding="utf-8").splitlines()
        for path in (COMPOSE_FILE, PROJECT / "Dockerfile", PROJECT / "bi" / "Dockerfile")
    ]
    lines = "\n".join(line for file in files for line in file if not line.startswith("#"))
    images = re.findall(r"docker\.io/[\w/-]+(:[\w.-]+)?", lines)
    assert len(images) == 5
    assert all(re.fullmatch(r":\d+\.\d+(\.\d+)?(-[\w-]+)?", tag) for tag in images), images
