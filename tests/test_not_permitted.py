"""What belongs to somebody else, and is closed to us, is no fault of this program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl.locate import find_keytool
from mtls_openssl.trust import programs
from mtls_openssl.webserver import program as nginx
from tests.ordinary import as_an_ordinary_user, reachable_folder
from tests.trusting import host, program

pytestmark = pytest.mark.posix


@pytest.fixture
def reachable() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def closed(reachable: Path) -> Iterator[Path]:
    """A folder that nobody but root can enter; `su` leaves root's own on the PATH."""
    folder = reachable / "closed"
    folder.mkdir()
    folder.chmod(0)
    yield folder
    folder.chmod(0o700)


@pytest.mark.parametrize("name", ["ssh", "keytool", "nginx"])
def test_a_program_is_found_behind_a_folder_that_may_not_be_entered(
    reachable: Path, closed: Path, name: str
) -> None:
    there = program(reachable / "bin" / name)
    path = f"{closed}:{there.parent}"
    machine = host(reachable, PATH=path, JAVA_HOME=str(closed)).machine

    with as_an_ordinary_user():
        found = {
            "ssh": lambda: programs.find(machine, name),
            "keytool": lambda: find_keytool(machine),
            "nginx": lambda: nginx.find(None, {"PATH": path}),
        }[name]()
    assert found == there
