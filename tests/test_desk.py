"""Commands that only look: they run as all others do, and leave their line and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl import audit
from mtls_openssl.desk import Desk, at
from mtls_openssl.errors import UsageError
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace.folder import LOCK
from mtls_openssl.workspace.lock import FolderLock
from tests.machine import snapshot

VERSION = Command(("version",), "ask for its version", Kind.LOOK)


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MTLS_LOG_DIR", str(tmp_path / "own"))
    return tmp_path / "own" / audit.LOG


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


@pytest.fixture
def folder_with_a_log(folder: Path) -> Path:
    with audit.AuditLog.open(folder / audit.LOG) as log:
        log.end(0, "done", {})
    return folder


def purposes(log: Path) -> list[str]:
    return [line.purpose for line in audit.read(log)]


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    door = Door()
    with at(folder, find(None, door), door=door, purpose="look") as desk:
        yield desk


SHOW = Command(
    ("asn1parse", "-in", "thing.pem"), "look at it", Kind.LOOK, reads=("thing.pem",), verdict=True
)
ZERO, ONE = (
    f"-----BEGIN THING-----\n{inside}\n-----END THING-----\n" for inside in ("AgEA", "AgEB")
)


def test_what_was_asked_of_the_same_files_before_is_not_asked_again(
    desk: Desk, folder: Path
) -> None:
    (folder / "thing.pem").write_text(ZERO)
    heard = list[str]()
    desk.heard = lambda outcome: heard.append(outcome.command.purpose)

    answers = [
        desk.ask(dataclasses.replace(SHOW, purpose=purpose), folder=folder)
        for purpose in ("first", "again")
    ]

    assert heard == ["first"]
    assert [answer.command.purpose for answer in answers] == ["first", "again"]
    assert answers[0].finished == answers[1].finished
    assert "INTEGER" in answers[0].finished.stdout


def test_a_file_that_has_changed_is_asked_about_again(desk: Desk, folder: Path) -> None:
    said = list[str]()
    for content in (ZERO, ONE):
        (folder / "thing.pem").write_text(content)
        said.append(desk.ask(SHOW, folder=folder).finished.stdout)

    assert (":00" in said[0], ":01" in said[1]) == (True, True)


@pytest.fixture
def locked(desk: Desk, folder: Path) -> str:
    making = Command(
        ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256",
         "-pass", "env:WORD", "-out", "a.key"),
        "make a key", Kind.LOOK, writes=("a.key",), secrets=("WORD",),
    )  # fmt: skip
    assert desk.ask(making, folder=folder, secrets={"WORD": "right"}).problem == ""
    return "a.key"


def opening(key: str, variable: str = "WORD") -> Command:
    argv = ("pkey", "-in", key, "-passin", f"env:{variable}", "-noout")
    return Command(argv, "open it", Kind.LOOK, reads=(key,), secrets=(variable,), verdict=True)


def test_what_needs_another_password_is_asked_again(desk: Desk, folder: Path, locked: str) -> None:
    exits = [
        desk.ask(opening(locked), folder=folder, secrets={"WORD": word}).finished.exit
        for word in ("wrong", "right", "wrong")
    ]

    assert exits == [1, 0, 1]


def test_the_same_password_in_another_variable_is_no_other_question(
    desk: Desk, folder: Path, locked: str
) -> None:
    heard = list[str]()
    desk.heard = lambda outcome: heard.append(outcome.command.purpose)

    exits = [
        desk.ask(opening(locked, name), folder=folder, secrets={name: "right"}).finished.exit
        for name in ("WORD", "OTHER")
    ]

    assert (heard, exits) == (["open it"], [0, 0])


def test_what_is_more_than_its_files_is_asked_each_time(desk: Desk) -> None:
    heard = list[str]()
    desk.heard = lambda outcome: heard.append(outcome.command.purpose)

    for _time in range(2):
        desk.ask(VERSION)

    assert len(heard) == 2


def look(folder: Path) -> Path:
    door = Door()
    with at(folder, find(None, door), door=door, purpose="look") as desk:
        assert "OpenSSL" in desk.ask(VERSION).finished.stdout
    return desk.log


def test_where_there_is_no_log_the_users_own_is_written_and_the_folder_stays_as_it_is(
    folder: Path, own_log: Path
) -> None:
    assert look(folder) == own_log
    assert snapshot(folder) == {}
    assert purposes(own_log)[-2:] == ["ask for its version", "done: look"]
    assert audit.verify(own_log, folder=own_log.parent).faults == ()


def test_where_there_is_a_log_it_has_what_was_looked_at_too(folder_with_a_log: Path) -> None:
    log = look(folder_with_a_log)
    assert log == folder_with_a_log / audit.LOG
    assert purposes(log)[-2:] == ["ask for its version", "done: look"]
    assert list(snapshot(folder_with_a_log)) == [audit.LOG]


def test_somebody_at_work_in_the_folder_is_not_disturbed(
    folder_with_a_log: Path, own_log: Path
) -> None:
    before = snapshot(folder_with_a_log)
    lock = FolderLock(folder_with_a_log / LOCK, "all")
    lock.acquire()
    try:
        assert look(folder_with_a_log) == own_log
    finally:
        lock.release()
    assert snapshot(folder_with_a_log) == before


def test_a_command_that_fails_is_told_and_has_its_line(desk: Desk) -> None:
    outcome = desk.ask(Command(("x509", "-in", "none.crt"), "read what is not there", Kind.LOOK))
    assert "exit code" in outcome.problem
    assert purposes(desk.log)[-1] == "read what is not there"


def test_a_password_reaches_the_command_that_names_it_and_no_line(desk: Desk) -> None:
    command = Command(
        ("genrsa", "-aes256", "-passout", "env:WORD", "-out", "k.pem", "2048"), "make a key",
        Kind.LOOK, writes=("k.pem",), secrets=("WORD",),
    )  # fmt: skip
    assert desk.ask(command, secrets={"WORD": "sesame-open"}).problem == ""
    assert "ENCRYPTED" in (desk.scratch / "k.pem").read_text()
    assert "sesame" not in desk.log.read_text()


def test_what_went_wrong_is_how_the_run_ended_and_the_scratch_folder_is_gone(
    folder: Path, own_log: Path
) -> None:
    scratch = []

    def look_in_vain() -> None:
        door = Door()
        with at(folder, find(None, door), door=door, purpose="look") as desk:
            (desk.scratch / "left.txt").write_text("left")
            scratch.append(desk.scratch)
            raise UsageError("not like this")

    with pytest.raises(UsageError):
        look_in_vain()
    assert purposes(own_log)[-1] == "failed: not like this"
    assert not scratch[0].exists()
