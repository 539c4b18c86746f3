"""Whole sets for tests: a folder with a description, made by the commands themselves."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pytest
from typer.testing import CliRunner

from mtls_openssl.cli import app
from mtls_openssl.openssl import x509
from mtls_openssl.openssl.x509 import Description

PASSWORD = "a-password-for-all-of-them"
PASSPHRASE = "a pass phrase for the CA"


@dataclasses.dataclass(frozen=True)
class Ran:
    """What came of a command of ours."""

    code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> dict[str, object]:
        """What it printed for a program."""
        found: dict[str, object] = json.loads(self.stdout)
        return found


class Set:
    """A folder of a test.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def copy_of(self, other: Set) -> Self:
        """The same as another one."""
        shutil.copytree(other.folder, self.folder, dirs_exist_ok=True)
        return self

    def describe(self, text: str) -> None:
        """Write its mtls.toml."""
        (self.folder / "mtls.toml").write_text(text, "utf-8")

    def run(self, *arguments: str, **variables: str | None) -> Ran:
        """Run a command of ours in it."""
        gone: dict[str, str | None] = dict.fromkeys(
            name for name in os.environ if name.startswith("MTLS_") and name in _SETTINGS
        )
        ran = CliRunner().invoke(
            app, [*arguments, "--out", str(self.folder)], env={**gone, **variables}
        )
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    def must(self, *arguments: str, **variables: str | None) -> Ran:
        """Run a command that has to end well."""
        ran = self.run(*arguments, **variables)
        assert (ran.code, ran.stderr) == (0, "")
        return ran

    def files(self) -> dict[str, bytes]:
        """The content of each file, without the log."""
        return {
            path.name: path.read_bytes()
            for path in self.folder.iterdir()
            if path.is_file() and path.name != "mtls-audit.jsonl"
        }

    def changed_since(self, before: Mapping[str, bytes]) -> set[str]:
        """The names of the files that are not as they were."""
        now = self.files()
        return {name for name in now.keys() | before if now.get(name) != before.get(name)}

    def certificate(self, name: str) -> Description:
        """What a certificate says."""
        return x509.parse_text(self.openssl(*x509.inspect(f"{name}.crt")))

    def actions(self, *arguments: str, **variables: str | None) -> dict[str, str]:
        """What a command would do, by the name of each certificate, without what stays."""
        ran = self.must(*arguments, "--dry-run", "--json", **variables)
        actions: list[dict[str, str]] = ran.data["actions"]  # type: ignore[assignment]
        return {one["name"]: one["action"] for one in actions if one["action"] != "keep"}

    def openssl(self, *argv: str) -> str:
        """What the openssl under test prints."""
        ran = subprocess.run(
            [program(), *argv], cwd=self.folder, capture_output=True, text=True, encoding="utf-8",
            check=True, env={**os.environ, "OPENSSL_CONF": os.devnull},
        )  # fmt: skip
        return ran.stdout


_SETTINGS = frozenset({"MTLS_P12_PASSWORD", "MTLS_CA_PASSPHRASE", "MTLS_INTERMEDIATE_PASSPHRASE"})


def program() -> str:
    """The openssl under test."""
    from mtls_openssl.locate import find
    from mtls_openssl.process import Door

    return str(find(None, Door()).chosen.path)


@pytest.fixture(name="made")
def made_fixture(tmp_path: Path) -> Set:
    """An empty folder."""
    return Set(tmp_path / "set")


def days_left(described: Description) -> int:
    """How many days a certificate still lasts."""
    return (described.not_after - dt.datetime.now(dt.UTC)).days
