"""What the tests of trust stores share: a made-up computer, a desk, a root CA."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtls_openssl.desk import Desk, at
from mtls_openssl.elevation import Host
from mtls_openssl.locate import Machine, find
from mtls_openssl.process import Door
from mtls_openssl.trust import change
from mtls_openssl.trust.certificate import Certificate, load
from mtls_openssl.trust.store import Presence, Store
from tests.machine import mtls


class NoRegistry:
    """The registry of a computer that has none."""

    def paths(self) -> list[tuple[str, str]]:
        return []

    def installed(self) -> list[dict[str, str]]:
        return []


def host(root: Path, platform: str = "linux", *, elevated: bool = True, **environ: str) -> Host:
    """A computer whose root is a folder of the test."""
    windows = {"SystemRoot": str(root / "Windows"), "USERPROFILE": str(root / "home")}
    given = {"HOME": str(root / "home"), "PATH": "", **windows, **environ}
    return Host(Machine(platform, given, NoRegistry(), root, None), elevated)


def program(path: Path, script: str = "") -> Path:
    """A program, or something that passes for one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def root_in(folder: Path) -> Path:
    """The certificate of a CA made in `folder`."""
    mtls("ca", "--profile", "modern", cwd=folder)
    return folder / "ca.crt"


@contextlib.contextmanager
def desk_with(file: Path) -> Iterator[tuple[Desk, Certificate]]:
    """A desk, and a certificate that was read at it."""
    door = Door()
    with at(file.parent, find(None, door), door=door, purpose="trust") as desk:
        yield desk, load(desk, file)


def installed(desk: Desk, stores: Sequence[Store], certificate: Certificate) -> list[Presence]:
    """Put a certificate into stores, and tell how it stands there at the end."""
    return _made(desk, change.adding(desk, stores, certificate), certificate)


def removed(desk: Desk, stores: Sequence[Store], certificate: Certificate) -> list[Presence]:
    """Take a certificate out of stores, and tell how it stands there at the end."""
    return _made(desk, change.removing(desk, stores, certificate), certificate)


def _made(desk: Desk, changes: Sequence[change.Change], certificate: Certificate) -> list[Presence]:
    made = change.make(desk, changes, certificate, lambda _store, _command: None)
    return [standing.presence for _change, standing in made]
