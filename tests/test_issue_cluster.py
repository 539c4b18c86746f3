"""Keys of a fleet that the workers of a cluster make: the same set, whatever becomes of them."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import io
import json
import platform
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl.inventory import clients
from tests.dask_nodes import SET, Nodes
from tests.machine import started
from tests.sets import Set, made_fixture, program
from tests.test_issue import (
    NUMBERED,
    assert_all_agree,
    described,
    fleet_fixture,
    original_fixture,
    table,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.posix]
_used = (made_fixture, fleet_fixture, original_fixture)

HOST = platform.node()


@pytest.fixture(name="certified", scope="module")
def certified_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    certified = Set(tmp_path_factory.mktemp("cluster") / "set")
    certified.describe(SET)
    certified.must("apply")
    return certified


@pytest.fixture(name="nodes", scope="module")
def nodes_fixture(certified: Set, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A scheduler and two workers."""
    nodes = Nodes(tmp_path_factory.mktemp("nodes"), certified)
    try:
        for worker in [nodes.begin_worker() for _number in range(2)]:
            worker.hear("Registered to")
        yield nodes
    finally:
        nodes.stop()


@pytest.fixture(name="alone", scope="module")
def alone_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A scheduler without TLS, and without workers but those of a test, which ends them."""
    nodes = Nodes(tmp_path_factory.mktemp("alone"), None)
    try:
        yield nodes
    finally:
        nodes.stop()


def slow(folder: Path) -> str:
    """An openssl that takes its time with a key."""
    path = folder / "slow-openssl"
    path.write_text(f'#!/bin/sh\n[ "$1" = req ] && sleep 0.5\nexec {program()} "$@"\n')
    path.chmod(0o700)
    return str(path)


def requested(made: Set) -> list[dict[str, Any]]:
    """The lines of the log with which keys were made."""
    lines = (made.folder / "mtls-audit.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [one for one in found if "-newkey" in one["argv"]]


@contextlib.contextmanager
def readable_by_others(*folders: Path) -> Iterator[set[str]]:
    """The keys that somebody else could have read, seen at any moment of the block."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            with contextlib.suppress(OSError):  # what is there for a moment only
                paths = [path for folder in folders for path in folder.rglob("*.key")]
                seen.update(str(path) for path in paths if path.stat().st_mode & 0o077)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def left_on(nodes: Nodes) -> tuple[int, int]:
    """How much the workers and the scheduler still have, as soon as it is nothing, or at last."""
    from distributed import Client
    from distributed.security import Security

    assert nodes.certified
    at = nodes.certified.folder
    security = Security(
        tls_ca_file=str(at / "ca.crt"), tls_client_cert=str(at / "client.crt"),
        tls_client_key=str(at / "client.key"),
    )  # fmt: skip
    with Client(nodes.address, security=security, set_as_default=False) as client:
        # A scheduler forgets what a client had as soon as it has gone.
        until = time.monotonic() + 10
        while True:
            held = sum(map(len, client.has_what().values()))
            known = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
            if (held, known) == (0, 0) or time.monotonic() > until:
                return held, known
            time.sleep(0.1)


def test_two_workers_give_the_same_set_as_the_local_pool(
    fleet: Set, nodes: Nodes, tmp_path: Path
) -> None:
    other = Set(tmp_path / "local")
    shutil.copytree(fleet.folder, other.folder, dirs_exist_ok=True)
    rows = [["name", "key", "dns", "days"]]
    rows += [[f"a{number}", "P-256", "", ""] for number in range(8)]
    rows += [["b", "Ed25519", "b.example.com", "77"], ["c", "RSA-2048", "", ""]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    other.must(*table(other, text.getvalue()))
    workers = sorted(nodes._folder.glob("worker*"))

    with readable_by_others(*workers, fleet.folder) as seen:
        ran = started(
            *table(fleet, text.getvalue()), "--out", fleet.folder, *nodes.options, "--json",
            cwd=tmp_path,
        )  # fmt: skip

    assert (ran.stderr, json.loads(ran.stdout)["hosts"]) == ("", {HOST: 10})
    assert seen == set()
    assert_all_agree(fleet, 10)
    assert_all_agree(other, 10)
    for name in clients.names(other.folder):
        here, there = described(other, name), described(fleet, name)
        own = "X509v3 Subject Key Identifier"
        assert here.extensions.pop(own) != there.extensions.pop(own)
        assert (there.not_after - there.not_before).days == (here.not_after - here.not_before).days
        assert there == dataclasses.replace(
            here, serial=there.serial, public_key=there.public_key,
            not_before=there.not_before, not_after=there.not_after,
        )  # fmt: skip
    lines = requested(fleet)
    assert len(lines) == 10
    assert {line["openssl"] for line in lines} == {f"{HOST}:{program()}"}
    assert all(line["purpose"].endswith(f", on {HOST}") for line in lines)
    assert {Path(line["cwd"].partition(":")[2]).parents[1] for line in lines} == {
        worker / "tmp" for worker in workers
    }
    assert [line["argv"] for line in sorted(lines, key=lambda line: line["step"])] == [
        line["argv"] for line in sorted(requested(other), key=lambda line: line["step"])
    ]


def test_nothing_of_a_key_is_left_on_the_cluster(fleet: Set, nodes: Nodes) -> None:
    fleet.must(*NUMBERED, "-n", "5", *nodes.options)

    assert [list((worker / "tmp").iterdir()) for worker in nodes._folder.glob("worker*")] == [
        [], [],
    ]  # fmt: skip
    told = nodes.written() + (fleet.folder / "mtls-audit.jsonl").read_text("utf-8")
    for key in fleet.folder.glob("clients/*/*.key"):
        assert key.read_text("ascii").splitlines()[1][20:] not in told
    assert left_on(nodes) == (0, 0)


def test_a_worker_that_is_killed_costs_time_and_nothing_else(
    fleet: Set, nodes: Nodes, tmp_path: Path
) -> None:
    lost = nodes.worker(MTLS_OPENSSL=slow(tmp_path))
    run = subprocess.Popen(
        [
            sys.executable, "-m", "mtls_openssl", *NUMBERED, "-n", "9", "--out", fleet.folder,
            *nodes.options,
        ],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    while run.poll() is None and not list(lost.temporary.glob("*/errand/clients")):
        time.sleep(0.02)
    lost.stop()
    said, _nothing = run.communicate(timeout=120)

    assert (run.returncode, "9 clients issued and proven" in said) == (0, True), said
    assert list(lost.temporary.iterdir())  # it was at work
    assert_all_agree(fleet, 9)


def test_interrupted_it_ends_what_the_workers_do(fleet: Set, nodes: Nodes) -> None:
    arguments = ("issue", "--cn", "device-{:03d}", "--key", "RSA-16384", "-n", "3")
    run = subprocess.Popen(
        [sys.executable, "-m", "mtls_openssl", *arguments, "--out", fleet.folder, *nodes.options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    working = [node.process.pid for node in nodes._all if "worker" in node.folder.name][:2]

    def children() -> list[str]:
        said = subprocess.run(["ps", "-A", "-o", "ppid="], check=True, capture_output=True)
        return [one for one in said.stdout.decode().split() if int(one) in working]

    until = time.monotonic() + 30
    while len(children()) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(children()) == 2
    run.send_signal(signal.SIGINT)
    _said, told = run.communicate(timeout=60)

    assert (run.returncode, "interrupted: 0 of 3" in told) == (130, True), told
    until = time.monotonic() + 10  # those who are killed are gone when the system says so
    while children() and time.monotonic() < until:
        time.sleep(0.02)
    assert children() == []
    assert_all_agree(fleet, 0)
    fleet.must(*NUMBERED, "-n", "2", *nodes.options)
    assert_all_agree(fleet, 2)


def test_a_scheduler_without_workers_that_are_of_use_is_told(
    fleet: Set, alone: Nodes, tmp_path: Path
) -> None:
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "mtls_openssl.py").write_text("raise ModuleNotFoundError('mtls_openssl')\n")
    arguments = (*NUMBERED, "-n", "2", *alone.options, "--timeout", "1")

    nobody = fleet.run(*arguments)
    lacking = alone.worker(MTLS_OPENSSL=str(tmp_path / "no-openssl"))
    without = fleet.run(*arguments)
    lacking.stop()
    strange = alone.worker(PYTHONPATH=str(shadow))
    # What Dask itself has to say comes at the end of a process at the latest.
    unlike = started(*arguments, "--out", fleet.folder, cwd=tmp_path, exit_code=7).stderr
    strange.stop()

    assert (nobody.code, "has no workers" in nobody.stderr) == (7, True)
    lacks = f"The worker {HOST} has no openssl that can be used."
    assert (without.code, lacks in without.stderr) == (3, True)
    assert "has no mtls-openssl" in unlike
    for told in (nobody.stderr, without.stderr, unlike):
        assert "Traceback" not in told
        assert "distributed." not in told
        assert [line.partition(":")[0] for line in told.splitlines()] == [
            "Warning", "Error", "Cause", "To mend it",
        ]  # fmt: skip
    assert clients.names(fleet.folder) == []


def test_a_scheduler_that_is_lost_does_not_keep_anybody(
    fleet: Set, certified: Set, tmp_path: Path
) -> None:
    lost = Nodes(tmp_path / "nodes", certified)
    worker = lost.worker(MTLS_OPENSSL=slow(tmp_path))
    run = subprocess.Popen(
        [
            sys.executable, "-m", "mtls_openssl", *NUMBERED, "-n", "30", "--out", fleet.folder,
            *lost.options, "--timeout", "3",
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while run.poll() is None and not list(worker.temporary.glob("*/errand")):
        time.sleep(0.01)
    lost.stop()
    _said, told = run.communicate(timeout=30)

    assert (run.returncode, len(told.splitlines())) == (7, 3), told
    assert "Traceback" not in told
    assert_all_agree(fleet, len(clients.names(fleet.folder)))


def test_a_cluster_without_tls_is_used_only_where_that_is_said(fleet: Set, alone: Nodes) -> None:
    worker = alone.worker()
    refused = fleet.run(*NUMBERED, "-n", "2", "--scheduler", alone.address)
    taken = fleet.run(*NUMBERED, "-n", "2", *alone.options)
    worker.stop()

    assert (refused.code, "is not encrypted" in refused.stderr) == (2, True)
    assert taken.code == 0
    assert "Warning: the private keys of all clients cross the network in the clear" in taken.stderr
    assert_all_agree(fleet, 2)


@pytest.fixture(name="nowhere")
def nowhere_fixture() -> Iterator[str]:
    """The address of a port where nobody listens, and nobody else can."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield f"tls://127.0.0.1:{one.getsockname()[1]}"


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("nothing listens", 7, "nothing listens at that port"),
        ("another CA", 7, "its certificate is of another CA"),
        ("a server's certificate", 7, "it refuses our certificate"),
        ("nobody", 7, "nobody.crt is not in"),
        ("no set", 2, "needs the set of the cluster"),
        ("the same CA", 2, "each of the clients could command the cluster"),
        ("no address", 2, "is not where a scheduler could be"),
        ("no Dask", 2, 'pip install "mtls-openssl[dask]"'),
        ("no cluster", 2, "none is named"),
    ],
)
def test_what_keeps_us_from_a_cluster_is_told_with_what_mends_it(
    fleet: Set, nodes: Nodes, nowhere: str, monkeypatch: pytest.MonkeyPatch, case: str, code: int,
    words: str,
) -> None:  # fmt: skip
    assert nodes.certified
    address, folder = nodes.address, str(nodes.certified.folder)
    other = Set(fleet.folder.parent / "other")
    other.describe(SET)
    if case == "another CA":
        other.must("apply")
    if case == "the same CA":
        fleet.must("client", "add", "client", "--p12", "none", "--key", "P-256")
    if case == "no Dask":
        monkeypatch.setitem(sys.modules, "distributed", None)
    options = {
        "nothing listens": (nowhere, folder),
        "another CA": (address, str(other.folder)),
        "a server's certificate": (address, folder, "--scheduler-as", "alone"),
        "nobody": (address, folder, "--scheduler-as", "nobody"),
        "the same CA": (address, str(fleet.folder)),
        "no address": ("https://example.com", folder),
        "no Dask": (address, folder),
    }.get(case)
    given: tuple[str, ...] = ("--scheduler", address) if case == "no set" else ("--insecure",)
    if options:
        given = ("--scheduler", options[0], "--scheduler-set", *options[1:])

    ran = fleet.run(*NUMBERED, "-n", "2", *given)

    assert (ran.code, words in ran.stderr) == (code, True), ran.stderr
    assert "To mend it:" in ran.stderr
    assert not (fleet.folder / "clients").exists()


def test_a_dry_run_asks_no_cluster(fleet: Set, certified: Set, nowhere: str) -> None:
    given = ("--scheduler", nowhere, "--scheduler-set")

    said = fleet.must(*NUMBERED, "-n", "2", *given, str(certified.folder), "--dry-run").stdout

    assert "device-001" in said
