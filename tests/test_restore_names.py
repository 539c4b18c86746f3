"""What comes back does so under the names that the commands know, however they are spelt here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_restore import changes, files, folder_fixture, renewed, told

pytestmark = pytest.mark.end_to_end
_used = folder_fixture


def respell(path: Path, name: str) -> None:
    """Give a file or folder a name that differs in upper and lower case only."""
    path.rename(path.with_name("between")).rename(path.with_name(name))


@pytest.mark.parametrize("gone", [(), ("server.key",)])
def test_what_is_here_in_another_case_is_replaced_and_keeps_its_name(
    folder: Path, gone: tuple[str, ...]
) -> None:
    before = files(folder)
    backup = renewed(folder, "server")
    for name in ("server.crt", "server.key"):
        respell(backup / name, name.capitalize())
    for name in gone:
        (folder / name).unlink()

    answer = told(folder, "latest", "--yes")

    fates = {name: "returns" if name in gone else "replaced" for name in changes(answer)}
    assert changes(answer) == fates
    assert files(folder) == before


def test_a_lost_set_comes_back_under_its_names_whatever_else_is_there(folder: Path) -> None:
    before = files(folder)
    renewed(folder, "ca")
    for name in files(folder):
        (folder / name).unlink()
    others = ("CA.docx", "Client.list.txt", "Server.txt")
    for name in others:
        (folder / name).write_text("no file of a set")

    told(folder, "latest", "--yes")

    assert {name: here for name, here in files(folder).items() if name not in others} == before


@pytest.mark.parametrize("name", ["CA.crt", "CA.key"])
def test_an_authority_comes_back_under_the_name_that_all_commands_know(
    name: str, folder: Path
) -> None:
    before = files(folder)
    renewed(folder, "ca")
    (folder / "ca.crt").unlink()
    respell(folder / "ca.key", name)
    partners = (folder / name).read_bytes()

    told(folder, "latest", "--yes")

    assert {one: (folder / one).read_bytes() for one in before} == before
    assert files(folder).get(name, partners) == partners
