"""What `make audit` lets through, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import audit


@pytest.mark.parametrize(
    ("licence", "is_allowed"),
    [
        ("MIT", True), ("Apache-2.0 OR BSD-3-Clause", True), ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", True),
        ("LGPL-3.0-only", True), ("Artistic License; GNU General Public License (GPL)", True),
        ("GNU General Public License v3 (GPLv3)", False), ("AGPL-3.0-only", False), ("MIT AND GPL-3.0-only", False),
        ("UNKNOWN", False), ("Proprietary", False),
    ],
)  # fmt: skip
def test_a_licence_is_allowed_where_each_that_must_be_kept_is(licence: str, is_allowed: bool) -> None:
    assert audit.is_allowed(licence) == is_allowed


def test_a_secret_is_found_and_the_password_of_an_example_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In pieces, so that this file has none either.
    key = "-----BEGIN RSA PRIVATE" + " KEY-----\n"
    url = "postgresql://admin:hunter2" + "@db.example.org/vru\n"
    example = "postgresql://ADMIN:PASSWORD" + "@HOST/DATABASE\n"
    (tmp_path / "a.py").write_text(key + url + example, encoding="utf-8")
    monkeypatch.setattr(audit, "PROJECT", tmp_path)
    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: type("Done", (), {"stdout": "a.py\0"}))
    assert sorted(audit.secrets()) == ["a.py:1: Private Key", "a.py:2: Basic Auth Credentials"]
