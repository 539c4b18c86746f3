"""Keys of a fleet that processes of this machine make: what comes back is proven, or nobody's."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

from mtls_openssl.errors import CommandFailedError, NotProvenError
from mtls_openssl.fleet import asking, errand, issuing
from mtls_openssl.fleet.errand import Brought
from mtls_openssl.fleet.nouns import Done, Order
from mtls_openssl.fleet.series import Series
from mtls_openssl.inventory import clients
from mtls_openssl.life import condition
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from mtls_openssl.settings import load
from mtls_openssl.steps import Ending, Finished
from tests.sets import Set, made_fixture, program
from tests.test_issue import assert_all_agree, fleet_fixture, original_fixture
from tests.test_issue_cluster import HOST

pytestmark = [pytest.mark.end_to_end, pytest.mark.posix]
_used = (made_fixture, fleet_fixture, original_fixture)


class Nobody:
    """Who is told nothing."""

    def progress(self, made: int, left: int) -> None:
        pass

    def tick(self) -> None:
        pass


@dataclasses.dataclass
class Pool:
    """Two processes of this machine.

    Args:
        executor: they themselves.
        openssl: the program that they take for openssl, which a test may rewrite.
    """

    executor: Executor
    openssl: Path

    def does_for_one(self, script: str) -> None:
        """Do something else where a key is made for device-003."""
        case = f'case " $* " in\n*\\ req\\ *device-003*) {script};;\nesac\n'
        self.openssl.write_text(f'#!/bin/sh\n{case}exec {program()} "$@"\n')
        self.openssl.chmod(0o700)


@pytest.fixture(name="processes", scope="module")
def processes_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    openssl = tmp_path_factory.mktemp("pool") / "openssl"
    spawned = multiprocessing.get_context("spawn")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MTLS_OPENSSL", str(openssl))
        with ProcessPoolExecutor(2, mp_context=spawned) as pool:
            for begun in [pool.submit(time.sleep, 0.2) for _process in range(2)]:
                begun.result()
            environment.undo()
            yield Pool(pool, openssl)


@pytest.fixture(name="pool")
def pool_fixture(processes: Pool) -> Pool:
    """Two processes of this machine, made once, with an openssl that does what it should."""
    processes.does_for_one("")
    return processes


def issued(made: Set, pool: Pool, count: int) -> Done:
    read = load({"key_size": "2048"}, environ={}, config=made.folder / "mtls.toml")
    series = Series(count, 1, {"cn": "device-{:03d}"}, {})
    order = Order(
        made.folder,
        condition.with_authorities(read.manifest, made.folder, described=read.tables),
        asking.wanted(series, read.settings, (), made.folder),
        jobs=2,
        executor=pool.executor,
        hands=2,
    )
    found = find(Path(program()), Door())
    return issuing.issue(order, found, door=Door(), watcher=Nobody())


def test_any_executor_of_processes_will_do(fleet: Set, pool: Pool) -> None:
    done = issued(fleet, pool, 4)

    assert (done.made, done.hosts) == (4, {HOST: 4})
    assert_all_agree(fleet, 4)


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("echo broken >&2; exit 1", CommandFailedError, "broken"),
        ("exit 0", CommandFailedError, "wrote no clients/device-003/device-003.key"),
        (f'exec {program()} "$@" -addext 1.2.3.4=ASN1:NULL:', NotProvenError, "1.2.3.4"),
        (
            f'exec {program()} "$@" -addext subjectAltName=DNS:other',
            NotProvenError,
            "DNS:other",
        ),
    ],
)
def test_what_is_wrong_with_what_comes_back_is_found_and_nobody_is_there_half(
    fleet: Set, pool: Pool, script: str, error: type[Exception], words: str
) -> None:
    pool.does_for_one(script)

    with pytest.raises(error) as refused:
        issued(fleet, pool, 4)

    told = f"{refused.value} {getattr(refused.value, 'cause', '')}"
    assert words in told
    assert clients.names(fleet.folder) == []
    assert_all_agree(fleet, 0)


def test_what_is_brought_back_shows_no_key_and_what_was_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Finished(Ending.EXITED, 0, "", "", 0.0, None)  # type: ignore[arg-type]
    brought = Brought("h", "o", "1", "f", now, (), {"a.key": b"SECRET"})
    old, new = tmp_path / "mtls-openssl-errand-old", tmp_path / "mtls-openssl-errand-new"
    for folder in (old, new):
        (folder / "errand").mkdir(parents=True)
    os.utime(old, (0, 0))

    errand._tidy(tmp_path)

    assert "SECRET" not in repr(brought) + str(brought)
    assert [path.name for path in tmp_path.iterdir()] == [new.name]
