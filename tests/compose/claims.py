"""What must be true of the running stack: asked of the engine, of the UI's port and of the database's, from outside."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.compose.stack import Stack

RUNNING = ("postgres", "apiserver", "scheduler", "dag-processor", "triggerer", "site")
ADMINISTRATORS_SECRETS = {"postgres_password", "database_admin_url"}
DAGS = {"nightly", "replay", "maintenance", "site"}
DAGS_APPEAR_WITHIN_S = 90
ALLOWED_SECRETS = {
    "postgres": {"postgres_password"},
    "apiserver": {"airflow_admin_password", "airflow_fernet_key", "airflow_jwt_secret", "vru_airflow"},
    "dag-processor": {"airflow_fernet_key", "airflow_jwt_secret", "vru_airflow"},
    "triggerer": {"airflow_fernet_key", "airflow_jwt_secret", "vru_airflow"},
    "site": set(),
}


def one_value(stack: Stack, sql: str) -> Any:
    [(value,)] = stack.query(sql)
    return value


def refused(stack: Stack, sql: str, error: type[psycopg.Error], **as_whom: str) -> None:
    try:
        rows = stack.query(sql, **as_whom)
    except error:
        return
    raise AssertionError(f"it was allowed, and returned {rows[:3]}")


def no_service_runs_as_root(stack: Stack) -> None:
    users = {service: int(stack.run(service, "id", "-u")) for service in RUNNING}
    assert users == {"postgres": 999} | dict.fromkeys(RUNNING[1:], 10001), users


def every_root_filesystem_is_read_only(stack: Stack) -> None:
    for service in RUNNING:
        mounts = [line.split() for line in stack.run(service, "cat", "/proc/mounts").splitlines()]
        options = next(mount[3].split(",") for mount in mounts if mount[1] == "/")
        assert "ro" in options, f"{service}: {options}"


def no_service_has_a_capability_or_can_gain_one(stack: Stack) -> None:
    for service in RUNNING:
        status = dict(
            line.split(":\t", 1) for line in stack.run(service, "cat", "/proc/1/status").splitlines() if ":\t" in line
        )
        assert int(status["CapEff"], 16) == 0, f"{service}: CapEff {status['CapEff']}"
        assert int(status["CapBnd"], 16) == 0, f"{service}: CapBnd {status['CapBnd']}"
        assert status["NoNewPrivs"].strip() == "1", service


def every_published_port_is_on_loopback_only(stack: Stack) -> None:
    published = {}
    for service in RUNNING:
        for inside, bindings in (stack.inspect(service)["NetworkSettings"]["Ports"] or {}).items():
            for binding in bindings or []:
                published[f"{service} {inside}"] = (binding["HostIp"], int(binding["HostPort"]))
    loopback = "127.0.0.1"
    expected = {
        "postgres 5432/tcp": (loopback, stack.postgres_port),
        "apiserver 8080/tcp": (loopback, stack.ui_port),
        "site 8321/tcp": (loopback, stack.site_port),
    }
    assert published == expected, published


def every_service_has_a_memory_limit(stack: Stack) -> None:
    limits = {service: stack.inspect(service)["HostConfig"]["Memory"] for service in RUNNING}
    assert all(limits.values()), limits


def the_administrators_password_is_with_init_and_postgres_alone(stack: Stack) -> None:
    for service in RUNNING:
        held = set(stack.run(service, "sh", "-c", "ls /run/secrets 2>/dev/null || true").split())
        if service != "postgres":
            assert not held & ADMINISTRATORS_SECRETS, f"{service} holds {held & ADMINISTRATORS_SECRETS}"
        if service in ALLOWED_SECRETS:
            assert held == ALLOWED_SECRETS[service], f"{service} holds {held}"


def no_secret_stands_in_a_containers_configuration(stack: Stack) -> None:
    secrets = {path.name: path.read_text().strip() for path in stack.secrets.iterdir()}
    for service in (*RUNNING, "init"):
        configuration = json.dumps(stack.inspect(service))
        leaked = [name for name, value in secrets.items() if value in configuration]
        assert not leaked, f"{service}: {leaked}"


def the_ui_says_every_part_of_airflow_is_healthy(stack: Stack) -> None:
    _, health = stack.airflow("GET", "/api/v2/monitor/health")
    states = {part: health[part]["status"] for part in ("metadatabase", "scheduler", "dag_processor", "triggerer")}
    assert set(states.values()) == {"healthy"}, states


def the_ui_answers_a_stranger_with_401(stack: Stack) -> None:
    status, answer = stack.airflow("GET", "/api/v2/dags")
    assert status == 401, f"{status} {answer}"


def the_administrator_logs_in_and_sees_the_dags(stack: Stack) -> None:
    deadline = time.monotonic() + DAGS_APPEAR_WITHIN_S
    while True:
        known = {dag["dag_id"]: dag for dag in stack.airflow_as_admin("/api/v2/dags?limit=100")["dags"]}
        if set(known) >= DAGS:
            break
        assert time.monotonic() < deadline, f"it knows {sorted(known)} and not {sorted(DAGS - set(known))}"
        time.sleep(3)
    paused = sorted(name for name in DAGS if known[name]["is_paused"])
    assert "nightly" not in paused, "nightly is paused: no night would ever start"


def no_dag_failed_to_import(stack: Stack) -> None:
    errors = stack.airflow_as_admin("/api/v2/importErrors")
    assert errors["total_entries"] == 0, errors


def there_are_32_boroughs(stack: Stack) -> None:
    count = one_value(stack, "select count(*) from marts.dim_borough")
    assert count == 32, count


def every_borough_has_a_number_in_the_newest_month(stack: Stack) -> None:
    count = one_value(
        stack,
        """select count(distinct f.area_code)
             from marts.fct_measure f
             join marts.dim_borough b on b.borough_code = f.area_code
            where f.measure_code = 'mps_all_offences' and f.period_kind = 'month' and f.value is not null
              and f.period_start_date = (select max(period_start_date) from marts.fct_measure
                                          where measure_code = 'mps_all_offences' and period_kind = 'month')""",
    )
    assert count == 32, f"{count} boroughs have mps_all_offences in the newest month"


def london_is_the_sum_of_its_boroughs(stack: Stack) -> None:
    months, differ = stack.query(
        """with boroughs as (
               select period_start_date, sum(value) as total
                 from marts.fct_measure join marts.dim_borough on borough_code = area_code
                where measure_code = 'mps_all_offences' and period_kind = 'month'
                group by 1),
           london as (
               select period_start_date, value
                 from marts.fct_measure
                where measure_code = 'mps_all_offences' and period_kind = 'month' and area_code = 'LONDON_32')
           select count(*), count(*) filter (where boroughs.total is distinct from london.value)
             from boroughs full join london using (period_start_date)"""
    )[0]
    assert months > 0, "there is no month to compare"
    assert differ == 0, f"{differ} of {months} months differ"


def every_dataset_is_fresh(stack: Stack) -> None:
    states = [state for (state,) in stack.query("select state from marts.data_status")]
    assert states, "marts.data_status is empty"
    assert set(states) == {"fresh"}, states


def the_publication_says_it_is_synthetic(stack: Stack) -> None:
    rows = stack.query("select data_kind, verdict from marts.publication order by release_id desc")
    assert rows, "marts.publication is empty"
    assert rows[0][0] == "synthetic", rows
    assert rows[0][1] in {"passed", "warned"}, rows


def the_analyst_can_neither_write_nor_read_raw(stack: Stack) -> None:
    # Read-only is the role's default, which anybody may undo; what must hold then is that nothing was granted.
    refused(stack, "set transaction read write; delete from marts.dim_borough", psycopg.errors.InsufficientPrivilege)
    refused(stack, "select count(*) from raw.mps__borough_recent", psycopg.errors.InsufficientPrivilege)


def a_wrong_password_is_refused(stack: Stack) -> None:
    refused(stack, "select 1", psycopg.OperationalError, password="wrong")


def superset_runs_as_nobody_on_a_root_filesystem_it_cannot_write_to(stack: Stack) -> None:
    assert stack.run("superset", "id", "-u").strip() == "10002"
    mounts = [line.split() for line in stack.run("superset", "cat", "/proc/mounts").splitlines()]
    assert "ro" in next(mount[3].split(",") for mount in mounts if mount[1] == "/")
    held = set(stack.run("superset", "ls", "/run/secrets").split())
    assert held == {"vru_superset", "vru_analyst", "superset_secret_key", "superset_admin_password"}, held
    assert stack.inspect("superset")["HostConfig"]["Memory"]


def superset_has_the_dashboards_and_their_figures_are_those_of_the_marts(stack: Stack) -> None:
    login = {"username": "admin", "password": (stack.secrets / "superset_admin_password").read_text(), "provider": "db"}
    status, answer = stack.superset("/api/v1/security/login", body=login)
    assert status == 200, f"logging in: {status} {answer}"
    token = answer["access_token"]
    counts = {kind: stack.superset(f"/api/v1/{kind}/", token=token)[1]["count"] for kind in ("chart", "dashboard")}
    assert counts == {"chart": 29, "dashboard": 3}, counts
    found = stack.superset("/api/v1/dataset/?q=(page_size:100)", token=token)[1]["result"]
    (number,) = [one["id"] for one in found if one["table_name"] == "bi_latest_12_months"]
    query = {
        "metrics": ["count"],
        "columns": [],
        "filters": [{"col": "measure_code", "op": "==", "val": "mps_all_offences"}],
    }
    asked = {"datasource": {"id": number, "type": "table"}, "queries": [query]}
    status, answer = stack.superset("/api/v1/chart/data", token=token, body=asked)
    assert status == 200, f"{status} {answer}"
    wanted = one_value(
        stack,
        "select sum(count_12_months)::bigint from marts.bi_latest_12_months where measure_code = 'mps_all_offences'",
    )
    assert answer["result"][0]["data"] == [{"count": wanted}], (answer["result"][0]["data"], wanted)


def superset_answers_a_stranger_with_401(stack: Stack) -> None:
    status, answer = stack.superset("/api/v1/chart/")
    assert status == 401, f"{status} {answer}"


CLAIMS_OF_SUPERSET: tuple[Callable[[Stack], None], ...] = (
    superset_runs_as_nobody_on_a_root_filesystem_it_cannot_write_to,
    superset_has_the_dashboards_and_their_figures_are_those_of_the_marts,
    superset_answers_a_stranger_with_401,
)
CLAIMS: tuple[Callable[[Stack], None], ...] = (
    no_service_runs_as_root,
    every_root_filesystem_is_read_only,
    no_service_has_a_capability_or_can_gain_one,
    every_published_port_is_on_loopback_only,
    every_service_has_a_memory_limit,
    the_administrators_password_is_with_init_and_postgres_alone,
    no_secret_stands_in_a_containers_configuration,
    the_ui_says_every_part_of_airflow_is_healthy,
    the_ui_answers_a_stranger_with_401,
    the_administrator_logs_in_and_sees_the_dags,
    no_dag_failed_to_import,
    there_are_32_boroughs,
    every_borough_has_a_number_in_the_newest_month,
    london_is_the_sum_of_its_boroughs,
    every_dataset_is_fresh,
    the_publication_says_it_is_synthetic,
    the_analyst_can_neither_write_nor_read_raw,
    a_wrong_password_is_refused,
)


def main() -> int:
    """Checks every claim, also after one has failed. Exit status 1 when any has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, choices=("docker", "podman"))
    parser.add_argument("--project", required=True)
    parser.add_argument("--secrets", required=True, type=Path)
    parser.add_argument("--postgres-port", required=True, type=int)
    parser.add_argument("--ui-port", required=True, type=int)
    parser.add_argument("--site-port", required=True, type=int)
    parser.add_argument("--bi-port", default=0, type=int, help="of Superset, where the profile bi is up")
    stack = Stack(**vars(parser.parse_args()))
    failed = 0
    claims = CLAIMS + (CLAIMS_OF_SUPERSET if stack.bi_port else ())
    for claim in claims:
        words = claim.__name__.replace("_", " ")
        try:
            claim(stack)
        except Exception as error:  # noqa: BLE001  a claim that crashes is one that does not hold; the others are still looked at
            failed += 1
            print(f"FAILED  {words}\n        {type(error).__name__}: {error}", flush=True)
        else:
            print(f"ok      {words}", flush=True)
    print(f"\ncompose-test: {len(claims) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
