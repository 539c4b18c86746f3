"""How the process starts: with what it needs; and ends: at once, with all that was printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtls_openssl.errors import Exit
from mtls_openssl.openssl import extensions, x509
from tests import machine
from tests.machine import CHECKOUT
from tests.sets import program

US = (sys.executable, "-m", "mtls_openssl")


def test_a_run_does_not_wait_for_what_other_commands_need(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mtls_openssl", "all", "--out", str(tmp_path)],
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    loaded = set(re.findall(r"\| +(mtls_openssl\.[\w.]+|[a-z]+)$", ran.stderr, re.MULTILINE))
    ours = {name.removeprefix("mtls_openssl.") for name in loaded if "." in name}
    rooms = {name.split(".")[0] for name in ours}
    assert {"runner", "audit", "cli", "process"} <= rooms
    assert rooms.isdisjoint({"desk", "doctor", "inspection", "live", "register", "trust"})
    assert ours.isdisjoint({"audit.chain", "cli.adding", "cli.live", "scripting.bat"})
    assert loaded.isdisjoint({"asyncio", "http", "rich", "ssl", "tomllib"})


def test_what_looks_like_a_pattern_or_a_variable_is_taken_as_it_was_typed(tmp_path: Path) -> None:
    for name in ("dev1", "zz.example.com", "set1"):
        (tmp_path / name).touch()
    typed = ("--ca-cn", "dev[12]", "--org", "$OS %OS%", "--city", "~",
             "--server-dns", "*.example.com", "--out", "set[1]")  # fmt: skip
    machine.started("all", "--profile", "modern", *typed, cwd=tmp_path)

    folder = tmp_path / "set[1]"
    ca, client, server = (
        x509.parse_text(subprocess.run(
            [program(), *x509.inspect(f"{name}.crt")], cwd=folder, capture_output=True, text=True,
            encoding="utf-8", check=True,
        ).stdout)
        for name in ("ca", "client", "server")
    )  # fmt: skip
    assert {("CN", "dev[12]"), ("O", "$OS %OS% CA")} <= set(ca.subject)
    assert ("L", "~") in client.subject
    assert server.extensions[extensions.ALTERNATIVE_NAME].values[0] == "DNS:*.example.com"


@pytest.mark.windows
def test_a_pattern_of_files_is_matched_where_no_shell_does_it(tmp_path: Path) -> None:
    machine.mtls("ca", "--profile", "modern", cwd=tmp_path)
    for copy in ("certs/xx.crt", "certs/longer.crt", "more/another.crt"):
        (tmp_path / copy).parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "ca.crt", tmp_path / copy)
    ran = machine.started("inspect", "*.crt", "certs\\??.crt", "more\\*.crt", cwd=tmp_path)
    named = [
        name for name in ("ca.crt", "xx.crt", "longer.crt", "another.crt") if name in ran.stdout
    ]
    assert named == ["ca.crt", "xx.crt", "another.crt"]


@pytest.mark.parametrize(
    ("arguments", "code"), [(("--version",), 0), (("no-such-command",), 2), ((), 2)]
)
def test_all_that_was_printed_arrives_and_the_exit_code_is_kept(
    arguments: tuple[str, ...], code: int
) -> None:
    ran = subprocess.run([*US, *arguments], capture_output=True, text=True, check=False)

    assert ran.returncode == code
    assert (ran.stdout + ran.stderr).endswith("\n")


@pytest.mark.posix
@pytest.mark.parametrize(
    ("command", "closed"), [("--help", ">&-"), ("schema", "2>&-"), ("schema", ">&- 2>&-")]
)
def test_a_closed_stream_is_no_fault(command: str, closed: str) -> None:
    ran = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *US, command], capture_output=True, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.posix
@pytest.mark.parametrize("command", ["--help", "schema"])
def test_what_could_not_be_printed_is_no_success(command: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        ran = subprocess.run(
            [*US, command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert ran.returncode == Exit.FOLDER_UNAVAILABLE
    assert ran.stderr.startswith("Error: The output can't be written: No space left on device\n")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("--help",), marks=pytest.mark.posix),  # on Windows as the others
        ("schema",),
        ("all", "--profile", "modern"),
    ],
)
def test_a_reader_that_has_gone_stops_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [*US, *command], stdout=writing, stderr=subprocess.PIPE, check=False, cwd=tmp_path,
        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )  # fmt: skip
    os.close(writing)

    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "client.p12").is_file() == (command[0] == "all")


INTERRUPTED_WHILE_LOADING = """
import runpy, sys

class Named:
    def __set_name__(self, owner, name):
        raise KeyboardInterrupt

class Finder:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            {what}

sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["locate"]
runpy.run_module("mtls_openssl", run_name="__main__")
"""


@pytest.mark.parametrize(
    "what",
    ["raise KeyboardInterrupt", "type('Line', (), {'reads': Named()})"],
    ids=["plain", "class"],
)
@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("mtls_openssl.language", ""),
        ("mtls_openssl.cli.looking", ""),
        ("mtls_openssl.locate.search", "Interrupted.\n"),
    ],
)
def test_ctrl_c_while_something_is_loaded_is_no_fault_of_anybody(
    module: str, told: str, what: str
) -> None:
    story = INTERRUPTED_WHILE_LOADING.format(module=module, what=what)
    ran = subprocess.run(
        [sys.executable, "-c", story],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (Exit.INTERRUPTED, "", told)
