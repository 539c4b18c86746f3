"""An openssl that goes wrong at any one of its commands: told, on record, and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl import audit
from mtls_openssl.audit import LOG
from mtls_openssl.errors import Exit
from mtls_openssl.openssl import pkcs12
from mtls_openssl.process import Door
from mtls_openssl.steps import Command, Ending, Finished
from tests.standin import (
    NUMBERED,
    PLAN,
    Folder,
    StandIn,
    described,
    folder_fixture,  # noqa: F401 - pytest finds a fixture by its name in the module
    main,
    stand_in_fixture,  # noqa: F401
)

WORDS = "0:error:stand-in:the moon is in the wrong house"
WRITERS = {number: command for number, command in NUMBERED.items() if command.writes}
SPEAKERS = {number: command for number, command in NUMBERED.items() if not command.writes}


def each(commands: Mapping[int, Command]) -> pytest.MarkDecorator:
    ids = [f"{number}-{described(command)}" for number, command in commands.items()]
    return pytest.mark.parametrize(("step", "command"), commands.items(), ids=ids)


def place(step: int, command: Command) -> str:
    return f"openssl {command.argv[0]} (step {step}: {command.purpose}) "


def assert_told_as_failed(text: str, step: int, command: Command, exit_code: int) -> None:
    if command.verdict:
        assert exit_code == Exit.NOT_PROVEN
        assert f"openssl ended with exit code 1 and said: {WORDS}" in text
        assert command.reads[-1] in text
    else:
        assert exit_code == Exit.COMMAND_FAILED
        assert f"{place(step, command)}ended with exit code 1." in text
        assert f"openssl said: {WORDS}" in text


def test_the_list_of_commands_is_the_guides_and_the_proof() -> None:
    kinds = [command.kind.value for command in NUMBERED.values()]
    assert kinds == ["guide"] * 11 + ["proof"] * 10


@pytest.mark.posix
def test_a_stand_in_that_does_nothing_wrong_makes_a_set(folder: Folder, stand_in: StandIn) -> None:
    ran = folder.all(stand_in.write())
    assert (ran.code, ran.stderr) == (0, "")


@pytest.mark.posix
@pytest.mark.parametrize("first", ["", "played 2> /dev/null; "], ids=["at once", "when done"])
@each(NUMBERED)
def test_an_openssl_that_fails(
    step: int, command: Command, first: str, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: f"{first}echo {WORDS!r} >&2; exit 1"}))
    assert_told_as_failed(ran.stderr, step, command, ran.code)
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each(NUMBERED)
def test_an_openssl_that_is_killed(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: "kill -KILL $$"}))
    assert ran.code == Exit.COMMAND_FAILED
    assert f"{place(step, command)}was killed (SIGKILL)." in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each(NUMBERED)
def test_an_openssl_that_hangs(
    step: int,
    command: Command,
    folder: Folder,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(command, monkeypatch)
    ran = folder.all(stand_in.write({command.argv: "exec sleep 600"}))
    assert ran.code == Exit.COMMAND_FAILED
    assert f"{place(step, command)}did not come to an end within " in ran.stderr
    assert "give it longer: --timeout SECONDS" in ran.stderr
    folder.assert_logged(command, ending=Ending.TIMED_OUT)
    folder.assert_untouched(ran.code)


def hurry(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give one command next to no time, and the others all they need."""
    run = Door.run

    def hurried(self: Door, executable: Path, argv: tuple[str, ...], **how: Any) -> Finished:
        if argv == command.argv:
            how["limit"] = 0.05
        return run(self, executable, argv, **how)

    monkeypatch.setattr(Door, "run", hurried)


@pytest.mark.posix
def test_the_time_limit_is_an_option(folder: Folder, stand_in: StandIn) -> None:
    key = NUMBERED[2]
    program = stand_in.write({key.argv: "exec sleep 600"})
    ran = main(
        "all", "--out", str(folder.path), "--openssl", str(program), "--timeout=1", "--jobs=1"
    )
    assert ran.code == Exit.COMMAND_FAILED
    assert f"{place(2, key)}did not come to an end within 1 s, and was killed." in ran.stderr
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each(WRITERS)
def test_an_openssl_that_lies_and_writes_nothing(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: "exit 0"}))
    assert ran.code == Exit.COMMAND_FAILED
    assert place(step, command) in ran.stderr
    assert f"said that all was well (exit code 0), but wrote no {command.writes[0]}." in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each(WRITERS)
def test_an_openssl_that_writes_an_empty_file(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: f": > {command.writes[0]}"}))
    assert ran.code == Exit.COMMAND_FAILED
    assert place(step, command) in ran.stderr
    assert f"(exit code 0), but left {command.writes[0]} empty." in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


PACK = NUMBERED[14]
SPOILED = pytest.mark.parametrize(
    "spoil", ["echo nonsense > {0}", "played; head -c 500 {0} > half; mv half {0}"],
    ids=["nonsense", "half a file"],
)  # fmt: skip


@pytest.mark.posix
@SPOILED
@each({step: command for step, command in WRITERS.items() if command is not PACK})
def test_an_openssl_that_writes_no_whole_file(
    step: int, command: Command, spoil: str, folder: Folder, stand_in: StandIn
) -> None:
    name = command.writes[0]
    ran = folder.all(stand_in.write({command.argv: spoil.format(name)}))
    assert ran.code == Exit.COMMAND_FAILED
    assert place(step, command) in ran.stderr
    assert f"(exit code 0), but left {name} damaged." in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@SPOILED
def test_an_openssl_that_packs_no_whole_file(spoil: str, folder: Folder, stand_in: StandIn) -> None:
    ran = folder.all(stand_in.write_real({PACK.argv: spoil.format("client.p12")}))
    assert ran.code == Exit.NOT_PROVEN
    assert "client.p12: openssl ended with exit code 1 and said: " in ran.stderr
    folder.assert_logged(PACK)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each({step: command for step, command in WRITERS.items() if command is not PACK})
def test_a_file_that_only_looks_whole_is_found_out_by_whoever_reads_it(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    name = command.writes[0]
    hollow = f"played; sed 2,9d {name} > hollow; mv hollow {name}"
    ran = folder.all(stand_in.write_real({command.argv: hollow}))
    assert ran.code in {Exit.COMMAND_FAILED, Exit.NOT_PROVEN}
    readers = [place(number, reader) for number, reader in NUMBERED.items() if name in reader.reads]
    assert name in ran.stderr or any(reader in ran.stderr for reader in readers)
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each(SPEAKERS)
def test_an_openssl_that_says_nothing_where_it_should_answer(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: "exit 0"}))
    assert ran.code == Exit.NOT_PROVEN
    assert command.reads[-1] in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@pytest.mark.posix
@each({step: command for step, command in SPEAKERS.items() if command.argv[0] == "verify"})
def test_an_ok_for_another_certificate_is_no_ok(
    step: int, command: Command, folder: Folder, stand_in: StandIn
) -> None:
    ran = folder.all(stand_in.write({command.argv: "echo other.crt: OK"}))
    assert ran.code == Exit.NOT_PROVEN
    assert f"{command.argv[-1]}: openssl ended with exit code 0 and said: other.crt: OK" in (
        ran.stderr
    )
    folder.assert_untouched(ran.code)


ISSUE_CA, ISSUE_SERVER = NUMBERED[3], NUMBERED[7]
WRONG = {
    "another subject": (
        ISSUE_CA, '"$real" "$@" -subj /CN=Somebody', "ca.crt: it says 'CN=Somebody'",
    ),
    "another key": (
        ISSUE_SERVER, '"$real" "$@" && cp client.key server.key',
        "server.crt: its public key is not that of server.key",
    ),
    "a day too few": (
        ISSUE_SERVER, '"$real" "$@" -days 364', "server.crt: it says 364, where 365 was asked for",
    ),
    "no extensions": (
        ISSUE_SERVER, ': > v3_server.ext; "$real" "$@"', "server.crt: it says '', where",
    ),
    "the client's in place of the server's": (
        ISSUE_SERVER, '"$real" "$@" && cp client.crt server.crt',
        "server.crt: its public key is not that of server.key",
    ),
    "the server's certificate packed": (
        PACK,
        '"$real" ' + " ".join(pkcs12.export("client.p12", "server.key", "server.crt", "x")),
        "client.p12: it does not hold client.crt and ca.crt",
    ),
    "packed with another password": (
        PACK, 'MTLS_P12_PASSWORD=other "$real" "$@"', "client.p12: openssl ended with exit code 1",
    ),
}  # fmt: skip


@pytest.mark.posix
@pytest.mark.parametrize(("command", "script", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_does_not_pass_the_proof_even_if_verify_says_ok_to_all(
    command: Command, script: str, told: str, folder: Folder, stand_in: StandIn
) -> None:
    always_ok = {
        command.argv: f"echo {command.argv[-1]}: OK"
        for command in SPEAKERS.values()
        if command.argv[0] == "verify"
    }
    ran = folder.all(stand_in.write_real({**always_ok, command.argv: script}), "--jobs=1")
    assert ran.code == Exit.NOT_PROVEN
    assert told in ran.stderr
    folder.assert_untouched(ran.code)


@pytest.mark.posix
def test_what_was_stopped_because_another_failed_is_not_blamed(
    folder: Folder, stand_in: StandIn
) -> None:
    slow = {
        command.argv: "exec sleep 600"
        for command in SPEAKERS.values()
        if command.reads in {("ca.crt",), ("ca.key",)}
    }
    told = {ISSUE_SERVER.argv: f"echo {WORDS!r} >&2; exit 1"}
    ran = folder.all(stand_in.write({**slow, **told}), "--jobs=8")
    assert_told_as_failed(ran.stderr, 7, ISSUE_SERVER, ran.code)
    assert "SIGKILL" not in ran.stderr
    folder.assert_untouched(ran.code)


class Played:
    """The tape without a process, which every platform can play."""

    def __init__(self, process: FakeProcess, stand_in: StandIn) -> None:
        self._process = process
        self._tape = stand_in.tape

    def register(self, wrong: Command | None, **how: Any) -> Path:
        for argv, answer in self._tape.answers.items():
            told = how if wrong and argv == wrong.argv else {}
            files = told.get("files", answer.files)
            self._process.register(
                [str(self._tape.openssl), *argv],
                stdout=told.get("stdout", answer.stdout),
                stderr=told.get("stderr", answer.stderr),
                returncode=told.get("returncode", 0),
                callback=self._write,
                callback_kwargs={"files": files},
            )
        return self._tape.openssl

    @staticmethod
    def _write(process: Any, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            (Path(process.kwargs["cwd"]) / name).write_bytes(content)


@pytest.fixture
def played(folder: Folder, fp: FakeProcess, stand_in: StandIn) -> Played:
    return Played(fp, stand_in)


def test_on_every_platform_a_good_openssl_makes_a_set(played: Played, folder: Folder) -> None:
    ran = folder.all(played.register(None))
    assert (ran.code, ran.stderr) == (0, "")
    assert audit.verify(folder.path / LOG, folder=folder.path).faults == ()
    assert {name for name in PLAN.makes if (folder.path / name).is_file()} == set(PLAN.makes)


@each(NUMBERED)
def test_on_every_platform_an_openssl_that_fails(
    step: int, command: Command, played: Played, folder: Folder
) -> None:
    openssl = played.register(
        command, returncode=1, stdout=b"", stderr=WORDS.encode() + b"\r\n", files={}
    )
    ran = folder.all(openssl)
    assert_told_as_failed(ran.stderr, step, command, ran.code)
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@each(WRITERS)
def test_on_every_platform_an_openssl_that_lies(
    step: int, command: Command, played: Played, folder: Folder
) -> None:
    ran = folder.all(played.register(command, files={}))
    assert ran.code == Exit.COMMAND_FAILED
    assert f"{place(step, command)}said that all was well" in ran.stderr
    assert f"but wrote no {command.writes[0]}." in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)


@each(WRITERS)
def test_on_every_platform_an_openssl_that_crashes(
    step: int, command: Command, played: Played, folder: Folder
) -> None:
    ran = folder.all(played.register(command, returncode=0xC0000005, files={}))
    assert ran.code == Exit.COMMAND_FAILED
    assert f"{place(step, command)}ended with code 0xC0000005: it crashed" in ran.stderr
    folder.assert_logged(command)
    folder.assert_untouched(ran.code)
