"""What tests ask the stand-in publishers for over HTTP."""

import csv
from typing import Any

import requests

import sandbox

RECENT = "MPS Borough Level Crime (most recent 24 months)"
HISTORICAL = "MPS Borough Level Crime (Historical)"


def package(publisher: sandbox.Publisher, client: requests.Session, path: str = "/api/action/package_show") -> Any:
    """What the Datastore says of the dataset of recorded crime."""
    answer = client.get(publisher.base_url + path, params={"id": "exy3m"}, timeout=10)
    assert answer.status_code == 200
    return answer.json()["result"]


def url_of(publisher: sandbox.Publisher, client: requests.Session, name: str) -> str:
    """Where the file of this name is downloaded."""
    url = next(each["url"] for each in package(publisher, client)["resources"] if each["name"] == name)
    assert isinstance(url, str)
    return url


def months_of(body: bytes) -> list[str]:
    """The months of a file of boroughs, by its header."""
    return next(csv.reader([body.split(b"\r\n", 1)[0].decode()]))[3:]
