"""`make audit`: known vulnerabilities, licences, a list of all parts (CycloneDX), and secrets in the tree. Asks a service, so `make test` does not.

Each says ok, what is wrong, or plainly that it could not be asked: what nobody checked is not well. OFFLINE=1 lets that pass.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

PROJECT = Path(__file__).resolve().parents[1]
OUT = PROJECT / "build" / "audit"
LOCKS = ("requirements.lock", "requirements-dev.lock")
BIN = Path(sys.executable).parent
# In an environment of its own (tests/sbom/requirements.in).
LISTER = PROJECT / "build" / "sbom" / "bin" / "cyclonedx-py"
OSV = ("api.osv.dev", 443)

# What may be used beside our own MIT: nothing here asks for our source, LGPL and MPL alone for changes of their own.
ALLOWED = re.compile(
    r"MIT(-0|-CMU)?( License)?|Apache([ -]2\.0| Software License.*)?|Apache License.*|(3-Clause )?BSD([ -][0-9]-Clause)?( License)?|0BSD"
    r"|ISC( License.*)?|PSF-2\.0|Python Software Foundation License|Mozilla Public License 2\.0.*|MPL-2\.0|LGPL-3\.0-only"
    r"|GNU Library or Lesser General Public License.*|The Unlicense.*|Unlicense|Zlib|CC0-1\.0|CNRI-Python|Artistic License|DFSG approved|SIL Open Font License 1\.1.*",
    re.IGNORECASE,
)
# Whose metadata name no licence, with the one that their source has.
SAID_ELSEWHERE: Mapping[str, str] = {}
# Whose alternative we do not take.
DUAL = re.compile(r"GNU General Public License.*|GPL-.*")

# By their form. Long random texts are everywhere in locks and tests, and prove nothing.
FORMS = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "DiscordBotTokenDetector", "GitHubTokenDetector",
    "GitLabTokenDetector", "JwtTokenDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector",
    "SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip


# Passwords of examples and tests, in addresses of nobody: no other stands in the tree.
EXAMPLES = frozenset(
    {"PASSWORD", "password", "secret", "wrong", "hunter22", "word", "XXXXXXXXXX", "APP-PASSWORD", "{secret}", "x", "p"}
)
# The detector takes any word that ends so for the beginning of a token.
_GITHUB_TOKEN = re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b")


class NotAsked(Exception):
    """What was to be asked did not answer."""


def vulnerabilities() -> Iterator[str]:
    """Known vulnerabilities of what is locked, by OSV (osv.dev), as pip-audit asks it."""
    if not urllib.request.getproxies().get("https"):
        try:
            # pip-audit asks of each package in turn, and waits for each: where nobody answers, for a quarter of an hour.
            socket.create_connection(OSV, timeout=10).close()
        except OSError as error:
            raise NotAsked(f"{OSV[0]} cannot be reached: {error}") from None
    for lock in LOCKS:
        command = [str(BIN / "pip-audit"), "--requirement", lock, "--disable-pip", "--require-hashes"]
        command += [
            "--vulnerability-service",
            "osv",
            "--format",
            "json",
            "--progress-spinner",
            "off",
            "--timeout",
            "15",
        ]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=900)
        try:
            found = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise NotAsked(f"OSV did not answer: {last[:200]}") from None
        for one in found:
            yield from (
                f"{lock}: {one['name']} {one['version']} {v['id']}, fixed in {', '.join(v['fix_versions']) or 'none'}"
                for v in one.get("vulns", ())
            )


def licences() -> Iterator[str]:
    """What is installed under a licence that is not allowed, or that says none."""
    command = [str(BIN / "pip-licenses"), "--from=mixed", "--format=json", "--with-system"]
    for one in json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout):
        said = SAID_ELSEWHERE.get(one["Name"], one["License"])
        if not is_allowed(said):
            yield f"{one['Name']} {one['Version']}: {said}"


def is_allowed(licence: str) -> bool:
    """Whether each licence that must be kept is allowed; of several to choose from (";", OR), one."""
    choices = re.split(r"; | OR ", licence)
    return any(
        all(ALLOWED.fullmatch(part.strip("() ")) for part in re.split(r" AND ", choice))
        for choice in choices
        if not DUAL.fullmatch(choice)
    )


def parts() -> Iterator[str]:
    """Write the list of all parts; wrong where it lacks one that is locked to run."""
    target = OUT / "sbom.cdx.json"
    command = [str(LISTER), "environment", str(BIN / "python"), "--pyproject", "pyproject.toml"]
    command += ["--output-format", "JSON", "--output-file", str(target), "--output-reproducible"]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    listed = {_plain(one["name"]) for one in json.loads(target.read_text(encoding="utf-8"))["components"]}
    needed = set(
        re.findall(
            r"^([A-Za-z0-9_.-]+)==[^;]*?(?= \\$)", (PROJECT / LOCKS[0]).read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    yield from (f"{name} is locked and not listed" for name in sorted(needed) if _plain(name) not in listed)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def secrets() -> Iterator[str]:
    """What has the form of a secret in a file of the tree, but for the passwords of examples."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    found = SecretsCollection(root=str(PROJECT))
    with transient_settings({"plugins_used": [{"name": name} for name in FORMS]}):
        for name in filter(None, names.split("\0")):
            if (PROJECT / name).is_file() and not name.endswith(".lock"):
                found.scan_file(name)
    for name, one in found:
        line = (PROJECT / name).read_text(encoding="utf-8", errors="replace").splitlines()[one.line_number - 1]
        if one.type == "GitHub Token" and not _GITHUB_TOKEN.search(line):
            continue
        if one.type == "Basic Auth Credentials" and one.secret_value in EXAMPLES:
            continue
        yield f"{name}:{one.line_number}: {one.type}"


def main() -> int:
    """Ask all four. Returns 1 where something is wrong or was not asked."""
    OUT.mkdir(parents=True, exist_ok=True)
    is_wrong = False
    for name, ask in {
        "secrets": secrets,
        "licences": licences,
        "parts": parts,
        "vulnerabilities": vulnerabilities,
    }.items():
        try:
            wrong = list(ask())
        except (NotAsked, subprocess.TimeoutExpired) as error:
            print(f"{name}: NOT CHECKED. {error}")
            is_wrong |= not os.environ.get("OFFLINE")
            continue
        print(f"{name}: " + ("ok" if not wrong else f"{len(wrong)} wrong"))
        print("".join(f"  {one}\n" for one in wrong), end="")
        is_wrong |= bool(wrong)
    print(f"parts are listed in {OUT.relative_to(PROJECT)}/sbom.cdx.json (CycloneDX)")
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
