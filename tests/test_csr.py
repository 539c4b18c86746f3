"""`csr` makes a key where it is used, and a request for it."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mtls_openssl.openssl import extensions, pkey, req
from tests.machine import CHECKOUT, openssl, ran
from tests.sets import Set, made_fixture

__all__ = ["made_fixture"]
pytestmark = pytest.mark.end_to_end
WORD = "a pass phrase, of a test"


def described(made: Set, name: str) -> req.Description:
    return req.parse(made.openssl(*req.describe(f"{name}.csr")))


def test_key_and_request_are_made_without_a_ca_and_nothing_else(made: Set) -> None:
    ran_ = made.must("csr", "www", "--key", "P-384", "--org", "示例公司")

    asked = described(made, "www")
    assert set(made.files()) == {"www.key", "www.csr"}
    assert (dict(asked.subject)["O"], dict(asked.subject)["CN"]) == ("示例公司", "www")
    assert (asked.key.curve, asked.extensions) == ("secp384r1", {})
    assert made.openssl(*pkey.public_key("www.key")).strip() == asked.public_key
    assert "Send www.csr to whoever has the CA; never send www.key" in ran_.stdout
    if sys.platform != "win32":
        assert stat.S_IMODE((made.folder / "www.key").stat().st_mode) == 0o600


def test_the_request_asks_for_its_names_and_its_side(made: Set) -> None:
    made.must(
        "csr", "www", "--server", "--cn", "www.example.com", "--dns", "www.example.com", "--dns",
        "*.example.com", "--ip", "2001:db8::1", "--email", "a@example.com", "--uri", "spiffe://a/b",
        "--key", "Ed25519",
    )  # fmt: skip

    asked = described(made, "www").extensions
    assert asked[extensions.ALTERNATIVE_NAME].values == (
        "DNS:www.example.com",
        "DNS:*.example.com",
        "IP Address:2001:DB8:0:0:0:0:0:1",
        "email:a@example.com",
        "URI:spiffe://a/b",
    )
    assert extensions.usages(asked[extensions.EXTENDED_KEY_USAGE]) == ("serverAuth",)
    assert len(asked) == 2


def test_a_key_that_is_there_stays_and_nothing_is_made(made: Set) -> None:
    made.must("csr", "www", "--key", "P-256")
    before = made.files()

    again = made.run("csr", "www", "--key", "P-256")

    assert (again.code, made.files()) == (7, before)
    assert "www.key is here already" in again.stderr


def test_the_key_gets_a_pass_phrase_by_name_and_says_it_nowhere(made: Set) -> None:
    made.must("csr", "www", "--key", "P-256", "--new-password-env", "KEY_WORD", KEY_WORD=WORD)

    ran(
        openssl(), "pkey", "-in", "www.key", "-noout", "-passin", "env:WORD",
        cwd=made.folder, env={"WORD": WORD},
    )  # fmt: skip
    assert "ENCRYPTED" in (made.folder / "www.key").read_text()
    assert not [file for file in made.folder.iterdir() if WORD.encode() in file.read_bytes()]


def test_a_pass_phrase_that_openssl_would_not_take_again_is_refused(made: Set) -> None:
    refused = made.run("csr", "www", "--new-password-env", "SHORT_WORD", SHORT_WORD="abc")

    assert (refused.code, made.files()) == (6, {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dns", "a b"], "--dns"),
        (["--key", "P-111"], "--key"),
        (["--country", "China"], "--country"),
    ],
)
def test_what_no_certificate_can_have_is_refused_before_a_key_is_made(
    made: Set, arguments: list[str], said: str
) -> None:
    refused = made.run("csr", "www", *arguments)

    assert (refused.code, made.files()) == (6, {})
    assert said in refused.stderr


def test_both_sides_at_once_are_wrong_usage(made: Set) -> None:
    assert made.run("csr", "www", "--server", "--client").code == 2


def test_a_dry_run_shows_the_commands_and_makes_nothing(made: Set) -> None:
    shown = made.must("csr", "www", "--dry-run", "--key", "RSA-3072")

    assert re.search(r"genrsa -out www.key 3072.*req -new -key www.key", shown.stdout, re.DOTALL)
    assert made.files() == {}


def test_a_program_is_told_what_was_made_and_proven(made: Set) -> None:
    data = made.must("csr", "www", "--json", "--key", "P-256").data

    assert data["ok"] is True
    assert set(data["files"]) == {"www.key", "www.csr"}  # type: ignore[call-overload]
    assert all(check["passed"] for check in data["checks"])  # type: ignore[attr-defined]
    log = (made.folder / "mtls-audit.jsonl").read_text("utf-8").splitlines()
    purposes = [json.loads(line)["purpose"] for line in log]
    assert "prove that www.key and www.csr belong together" in purposes


def test_the_folder_may_be_called_anything(tmp_path: Path) -> None:
    made = Set(tmp_path / "钥匙 of mine")

    made.must("csr", "www", "--key", "P-256")

    assert set(made.files()) == {"www.key", "www.csr"}


@pytest.mark.parametrize(
    ("arguments", "there"),
    [
        (["--server", "--dns", "www.example.com"], "--server --grant-san www.example.com"),
        (["--server", "--cn", "a.example.com"], "--server --grant-san a.example.com"),
        (["--client"], "--client"),
        ([], "--client"),
        (
            ["--dns", "www.example.com"],
            "--client --grant-san www.example.com (for a server: --server in place of --client)",
        ),
    ],
)
def test_the_command_that_signs_it_grants_what_it_asks_for(
    made: Set, arguments: list[str], there: str
) -> None:
    said = made.must("csr", "www", "--key", "P-256", *arguments).stdout

    assert f"2. There: python -m mtls_openssl sign www.csr {there}\n" in said


def test_the_command_that_signs_it_can_be_typed_as_it_is_printed(made: Set, tmp_path: Path) -> None:
    names = ("--dns", "*.example.com", "--ip", "2001:db8::1", "--uri", "spiffe://a/b?c&d")
    said = made.must("csr", "www", "--key", "P-256", "--server", *names).stdout
    printed = re.search(r"2\. There: python -m mtls_openssl (.*)\n", said)
    ca = Set(tmp_path / "ca")
    ca.must("ca", "--profile", "modern")
    shutil.copy(made.folder / "www.csr", ca.folder)

    assert printed
    typed = f'"{sys.executable}" -m mtls_openssl {printed[1]}'
    subprocess.run(
        typed, shell=True, cwd=ca.folder, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.DEVNULL, check=True, capture_output=True,
    )  # fmt: skip

    granted = ca.certificate("www").extensions[extensions.ALTERNATIVE_NAME].values
    assert granted == described(made, "www").extensions[extensions.ALTERNATIVE_NAME].values


@pytest.mark.parametrize("role", ["--server", "--peer"])
@pytest.mark.parametrize("profile", ["bat", "guide", "modern"])
def test_a_server_that_nobody_has_given_a_name_is_refused(
    made: Set, profile: str, role: str
) -> None:
    refused = made.run("csr", "www", role, "--profile", profile)

    assert (refused.code, made.files()) == (2, {})
    assert "Nothing says which name the server answers to" in refused.stderr
    assert "add --dns www.example.com" in refused.stderr


def test_a_server_of_a_domain_that_was_given_needs_no_other_name(made: Set) -> None:
    made.describe('domain = "example.com"\n')

    said = made.must("csr", "www", "--server", "--key", "P-256").stdout

    assert "--grant-san www.example.com\n" in said
