"""A dry run and the audit log as scripts: run without Python, they make an equal set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.machine import PASSWORD, facts, mtls, openssl, ran

pytestmark = pytest.mark.end_to_end

CERTIFICATES = ("ca.crt", "server.crt", "client.crt")
QUICK = ("--profile", "modern")
PLAIN = ("--ca-key-size", "2048", "--org", "O'Neil & Co, 100% sure! ^ $HOME")
CHINESE = (
    *QUICK,
    *("--org", "北京 \"A/B\" + C\\D 'x' `y` $(z) 100% 😀; #1", "--client-cn", "客户一号"),
)


DESCRIBED = """\
profile = "modern"
domain = "example.com"

[ca]
passphrase = "env:MTLS_CA_PASSPHRASE"

[intermediate]
cn = "Issuing"

[[server]]
name = "www"

[[client]]
name = "alice"
"""
PASSPHRASE = {"MTLS_CA_PASSPHRASE": "the pass phrase of the CA"}
"""What the commands of a set's own log ask for by name, besides the passwords of its files."""


def run_script(
    script: str, folder: Path, env: Mapping[str, str] | None = None, exit_code: int = 0
) -> str:
    """Run a script for this platform's shell in `folder`; what it says of a failure."""
    file = folder / ("make.bat" if os.name == "nt" else "make.sh")
    file.write_bytes(script.encode())
    path = os.pathsep.join((str(Path(openssl()).parent), os.environ["PATH"]))
    shell = ("cmd", "/c", file.name) if os.name == "nt" else ("sh", file.name)
    given = {"PATH": path, "MTLS_P12_PASSWORD": PASSWORD, **(env or {})}
    done = ran(*shell, cwd=folder, env=given, exit_code=exit_code)
    file.unlink()
    return done.stderr


def script_of(*argv: str, cwd: Path) -> str:
    """What a command prints for this platform's shell, line ends as they are."""
    return mtls(*argv, "--format", "bat" if os.name == "nt" else "sh", cwd=cwd).stdout


@pytest.fixture(
    params=[
        pytest.param(PLAIN, id="plain"),
        # Wine's cmd reads a batch file in its own code page, whatever chcp says.
        pytest.param(CHINESE, id="chinese", marks=pytest.mark.posix),
    ]
)
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The names of a set."""
    chosen: tuple[str, ...] = request.param
    return chosen


def test_the_audit_log_and_a_dry_run_make_what_was_made(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    made, logged, planned = (tmp_path / name for name in ("made", "logged", "planned"))
    for folder in (made, logged, planned):
        folder.mkdir()
    mtls("all", *options, cwd=made)

    run_script(script_of("audit", "export", cwd=made), logged)
    run_script(script_of("all", "--dry-run", *options, cwd=planned), planned)

    expected = {name: facts(made / name) for name in CERTIFICATES}
    names = sorted(path.name for path in made.iterdir() if path.name != "mtls-audit.jsonl")
    for folder in (logged, planned):
        assert {name: facts(folder / name) for name in CERTIFICATES} == expected
        assert sorted(path.name for path in folder.iterdir()) == names


def test_a_kept_request_is_kept_by_the_exported_script_too(tmp_path: Path) -> None:
    made, again = tmp_path / "made", tmp_path / "again"
    made.mkdir()
    again.mkdir()
    mtls("all", "--keep-csr", *QUICK, cwd=made)

    run_script(script_of("audit", "export", cwd=made), again)

    names = {path.name for path in made.iterdir()} - {"mtls-audit.jsonl"}
    assert {path.name for path in again.iterdir()} == names
    assert {"server.csr", "ca.srl", "v3_client.ext"} <= names


def test_an_export_that_a_password_was_in_never_has_it(tmp_path: Path) -> None:
    mtls("all", *QUICK, cwd=tmp_path)

    for form in ("bat", "sh", "ps1", "json"):
        assert PASSWORD not in mtls("audit", "export", "--format", form, cwd=tmp_path).stdout


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of mtls.toml with an intermediate authority, and a CA whose key is encrypted."""
    made = tmp_path_factory.mktemp("described")
    (made / "mtls.toml").write_text(DESCRIBED, "utf-8")
    mtls("apply", cwd=made, env=PASSPHRASE)
    return made


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"mtls.toml", "mtls-audit.jsonl", "backup"}


def test_the_log_of_apply_makes_an_equal_set_and_asks_for_the_pass_phrase_by_name(
    described: Path, tmp_path: Path
) -> None:
    made, again = described, tmp_path / "again"
    again.mkdir()
    script = script_of("audit", "export", cwd=made)
    passwords = {"MTLS_P12_PASSWORD_ALICE": PASSWORD}

    said = run_script(script, again, passwords, exit_code=6)
    # A batch file has one sentence for whatever was not given.
    assert ("MTLS_CA_PASSPHRASE" in said) is (os.name != "nt")
    assert names_in(again) == set()
    run_script(script, again, {**passwords, **PASSPHRASE})

    assert PASSPHRASE["MTLS_CA_PASSPHRASE"] not in script
    assert names_in(again) == names_in(made)
    assert "ENCRYPTED" in (again / "ca.key").read_text("ascii")
    for name in ("ca.crt", "intermediate.crt", "www.crt", "alice.crt"):
        assert facts(again / name) == facts(made / name)
    (again / "mtls.toml").write_text(DESCRIBED, "utf-8")
    assert "Nothing to do" in mtls("apply", cwd=again).stdout


def test_the_log_of_what_an_existing_ca_issued_asks_for_its_files_and_does_the_same(
    described: Path, tmp_path: Path
) -> None:
    made, again = Path(shutil.copytree(described, tmp_path / "made")), tmp_path / "again"
    again.mkdir()
    mtls("crl", cwd=made, env=PASSPHRASE)
    mtls("renew", "alice", cwd=made)
    renewed = script_of("audit", "export", cwd=made)
    mtls("client", "add", "bob", cwd=made)
    added = script_of("audit", "export", cwd=made)
    passwords = {f"MTLS_P12_PASSWORD_{name}": PASSWORD for name in ("ALICE", "BOB")}

    said = run_script(added, again, passwords, exit_code=7)
    assert ("copy it from the set" in said, names_in(again)) == (True, set())
    register = ("index.txt", "index.txt.attr", "crlnumber")
    authorities = ("ca.crt", "intermediate.crt", "intermediate.key", "chain.crt")
    for name in (*authorities, *register, "alice.key"):
        shutil.copyfile(made / name, again / name)
    run_script(renewed, again, passwords)
    run_script(added, again, passwords)

    assert (again / "alice.key").read_bytes() == (made / "alice.key").read_bytes()
    for name in ("alice.crt", "bob.crt"):
        assert facts(again / name) == facts(made / name)
    assert len((again / "index.txt").read_text("ascii").splitlines()) == (
        len((made / "index.txt").read_text("ascii").splitlines()) + 2
    )
