"""A Dask cluster for tests: a scheduler and its workers, each a process of its own on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.machine import CHECKOUT
from tests.sets import Set

SET = """
[ca]
cn = "Cluster"
key = "P-256"
[[server]]
name = "node"
key = "P-256"
peer = true
ip = ["127.0.0.1"]
[[server]]
name = "alone"
key = "P-256"
[[client]]
name = "client"
key = "P-256"
p12 = []
"""
_PATIENCE = 30
_IDLE = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}
"""Does nothing where there is nothing to do: else each process watches itself all the time."""


class Node:
    """A process of a cluster.

    Args:
        folder: where it is started, and where all that is its own is.
        arguments: of Python.
        variables: of its environment, besides the machine's.
    """

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.log = folder / "log"
        environment = {
            **os.environ, "PYTHONPATH": str(CHECKOUT), "TMPDIR": str(self.temporary),
            "DASK_CONFIG": str(folder), **_IDLE, **variables,
        }  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, umask=0,
            )  # fmt: skip

    def hear(self, pattern: str) -> re.Match[str]:
        """Wait until its log has what matches `pattern`."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            if found := re.search(pattern, self.log.read_text("utf-8", "replace")):
                return found
            time.sleep(0.02)
        raise AssertionError(self.log.read_text("utf-8", "replace"))

    def stop(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait(_PATIENCE)


class Nodes:
    """A scheduler, and the workers that are started.

    Args:
        folder: where all of it is.
        certified: the set that it shows certificates of; None to speak without TLS.
    """

    def __init__(self, folder: Path, certified: Set | None) -> None:
        self.certified = certified
        self._folder = folder
        self._all: list[Node] = []
        protocol = "tls" if certified else "tcp"
        scheduler = self._started(
            "scheduler", "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--protocol", protocol, "--port", "0", "--no-dashboard", *self._tls,
        )  # fmt: skip
        self.address = scheduler.hear(r"Scheduler at: +(\S+)")[1]

    @property
    def _tls(self) -> tuple[str, ...]:
        if self.certified is None:
            return ()
        at = self.certified.folder
        files = {"ca-file": at / "ca.crt", "cert": at / "node.crt", "key": at / "node.key"}
        return tuple(word for name, file in files.items() for word in (f"--tls-{name}", str(file)))

    @property
    def options(self) -> tuple[str, ...]:
        """What `issue` is told of it."""
        if self.certified is None:
            return ("--scheduler", self.address, "--insecure")
        return ("--scheduler", self.address, "--scheduler-set", str(self.certified.folder))

    def worker(self, **variables: str) -> Node:
        """Start one more worker, and wait until it is there."""
        worker = self.begin_worker(**variables)
        worker.hear("Registered to")
        return worker

    def begin_worker(self, **variables: str) -> Node:
        """Start one more worker."""
        return self._started(
            f"worker{len(self._all)}", "-m", "distributed.cli.dask_worker", self.address,
            "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0",
            "--local-directory", "local", *self._tls, **variables,
        )  # fmt: skip

    def _started(self, name: str, *arguments: str, **variables: str) -> Node:
        node = Node(self._folder / name, *arguments, **variables)
        self._all.append(node)
        return node

    def written(self) -> str:
        """All that its processes have left on the disk."""
        files = (path for path in self._folder.rglob("*") if path.is_file())
        return "\n".join(path.read_text("utf-8", "replace") for path in files)

    def stop(self) -> None:
        """End all of it."""
        for node in self._all:
            node.stop()
