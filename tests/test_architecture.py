"""The house as it should stand: who may import whom, and which package belongs to which room."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mtls_openssl"

ROOMS = (
    "frozen", "later", "language", "errors", "profiles", "steps", "scripting", "manifest",
    "settings", "batfile", "openssl", "keytool", "plan", "templating", "interrupts", "process",
    "locate", "workspace", "beginning", "audit", "runner", "desk", "inspection", "inventory",
    "register", "proof", "life", "signing", "live", "elevation", "trust", "remote", "schedule",
    "install", "webserver", "pipeline", "revocation", "fleet", "repair", "restore", "doctor",
    "report", "page", "cli", "__main__",
)  # fmt: skip
"""From the ground up: a room may import what stands before it."""

OWNERS = {
    "plumbum": {"process", "remote"},
    "subprocess": {"process", "scripting"},
    "jinja2": {"templating"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pydantic": {"settings"},
    "idna": {"settings"},
    "platformdirs": {"desk"},
    "gettext": {"language"},
    "distributed": {"fleet"},
    "dask": set(),
}
"""Which rooms may import a package."""


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mtls_openssl":
            yield from (f"mtls_openssl.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


FILES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_what_stands_below_it(file: Path) -> None:
    room = room_of(file)
    above = ROOMS[ROOMS.index(room) + 1 :]

    ours = [name.split(".")[1] for name in imports(file) if name.startswith("mtls_openssl.")]
    assert [name for name in ours if name in above] == []


@pytest.mark.parametrize("package", OWNERS)
def test_a_package_is_imported_in_its_own_rooms_only(package: str) -> None:
    users = {
        room_of(file) for file in FILES for name in imports(file) if name.split(".")[0] == package
    }

    assert users <= OWNERS[package]


def test_every_file_is_in_a_room_of_the_plan() -> None:
    assert {room_of(file) for file in FILES} == set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_file_is_longer_than_a_person_can_live_in(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 400
