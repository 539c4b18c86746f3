"""A dry run and the audit log as scripts: run without Python, they make an equal set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.machine import PASSWORD, facts, mtls, openssl, ran

pytestmark = pytest.mark.end_to_end

CERTIFICATES = ("ca.crt", "server.crt", "client.crt")
PLAIN = ("--org", "O'Neil & Co, 100% sure! ^ $HOME")
CHINESE = ("--org", "北京 \"A/B\" + C\\D 'x' `y` $(z) 100% 😀", "--client-cn", "客户 一号; #1")


def run_script(script: str, folder: Path) -> None:
    """Run a script for this platform's shell in `folder`."""
    file = folder / ("make.bat" if os.name == "nt" else "make.sh")
    file.write_bytes(script.encode())
    path = os.pathsep.join((str(Path(openssl()).parent), os.environ["PATH"]))
    shell = ("cmd", "/c", file.name) if os.name == "nt" else ("sh", file.name)
    ran(*shell, cwd=folder, env={"PATH": path, "MTLS_P12_PASSWORD": PASSWORD})
    file.unlink()


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
    mtls("all", "--keep-csr", cwd=made)

    run_script(script_of("audit", "export", cwd=made), again)

    names = {path.name for path in made.iterdir()} - {"mtls-audit.jsonl"}
    assert {path.name for path in again.iterdir()} == names
    assert {"server.csr", "ca.srl", "v3_client.ext"} <= names


def test_an_export_that_a_password_was_in_never_has_it(tmp_path: Path) -> None:
    mtls("all", cwd=tmp_path)

    for form in ("bat", "sh", "ps1", "json"):
        assert PASSWORD not in mtls("audit", "export", "--format", form, cwd=tmp_path).stdout
