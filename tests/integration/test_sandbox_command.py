"""`python -m sandbox`: the stand-in publishers as a program."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests

import sandbox
from tests.sandbox_requests import RECENT, url_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def publisher() -> Iterator[sandbox.Publisher]:
    with sandbox.serve(today=date(2026, 11, 22), seed=1) as running:
        yield running


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as session:
        # An HTTP proxy in the environment must not see requests for this machine.
        session.trust_env = False
        yield session


def run_sandbox(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_serves_the_same_bytes_and_ends_on_a_signal(
    ending: signal.Signals, publisher: sandbox.Publisher, client: requests.Session
) -> None:
    process = run_sandbox("--port", "0", "--today", "2026-11-22", "--seed", "1")
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert {key: ready[key] for key in ("today", "seed")} == {"today": "2026-11-22", "seed": 1}
        answer = client.get(
            f"{ready['base_url']}/download/exy3m/b4r/MPS%20Borough%20Level%20Crime%20%28most%20recent%2024%20months%29.csv",
            timeout=10,
        )
        assert answer.content == client.get(url_of(publisher, client, RECENT), timeout=10).content
        process.send_signal(ending)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--host", "192.0.2.1"), "must be an IPv4 loopback address such as 127.0.0.1, not '192.0.2.1'"),
        (("--today", "2012-05-05"), "publishes from 2012-05-06 on; it is 2012-05-05"),
    ],
)
def test_the_command_says_in_a_sentence_why_it_did_not_start(arguments: tuple[str, ...], sentence: str) -> None:
    out, err = run_sandbox(*arguments).communicate(timeout=10)

    assert out == ""
    assert err.startswith("The stand-in publishers did not start: ")
    assert sentence in err
    assert "Traceback" not in err
