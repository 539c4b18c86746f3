"""The list of backups where most of them are those of revocation lists, one for each day."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.machine import mtls


@pytest.fixture(name="folder", scope="module")
def folder_fixture(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of which a client was renewed, and since then three lists were made."""
    folder = shutil.copytree(modern, tmp_path_factory.mktemp("listed") / "set")
    mtls("renew", "client", cwd=folder)
    for _day in range(3):
        mtls("crl", cwd=folder)
    return folder


def backups(folder: Path) -> list[str]:
    """The names of the backups, the newest first."""
    listed = json.loads(mtls("restore", "--json", cwd=folder).stdout)["backups"]
    return [backup["name"] for backup in listed]


def test_backups_that_bring_nothing_back_are_told_as_one(folder: Path) -> None:
    second, first, renewed = backups(folder)

    said = mtls("restore", cwd=folder).stdout.splitlines()

    assert said[0] == f"{second} (the latest) to {first}: 2 backups"
    # An openssl of Windows may have ended the lines of the register in its own way besides.
    assert said[1].split("  ")[-1].startswith("crl.der, crl.pem, crlnumber")
    assert said[2].split()[:3] == ["come", "back", "none:"]
    assert said[3] == renewed


def test_the_one_that_is_proposed_brings_something_back(folder: Path) -> None:
    said = mtls("restore", cwd=folder).stdout.splitlines()

    assert said[-1].startswith("To bring one back: ")
    assert said[-1].endswith(f"restore {backups(folder)[-1]}")


def test_a_backup_that_brings_nothing_back_points_to_the_others(folder: Path) -> None:
    said = mtls("restore", "latest", cwd=folder).stdout.splitlines()

    assert said[-2] == "All of it is there already; nothing was changed."
    assert said[-1].startswith("To see what the others bring back: ")
