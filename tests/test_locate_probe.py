"""What is said of one program, from what it answers to `version -a`."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl.locate import Candidate, Version, probe
from mtls_openssl.process import Door
from mtls_openssl.steps import Ending, Kind

NATIVE = "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19 27 Jan 2026)\nplatform: VC-WIN64A\n"


def answering(path: Path, body: str) -> Path:
    """A shell script in place of openssl."""
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8", newline="\n")
    path.chmod(0o755)
    return path


def asked(path: Path, *, windows: bool = False) -> Candidate:
    return probe.examine(path, "PATH", Door(), windows=windows)


def judged(fp: FakeProcess, folder: Path, output: str, exit_code: int = 0) -> Candidate:
    """What is said on Windows of a program that gives this answer."""
    path = folder / "openssl.exe"
    path.write_bytes(b"a stand-in")
    path.chmod(0o755)
    fp.register([str(path), "version", "-a"], stdout=output, returncode=exit_code)
    return asked(path, windows=True)


def test_versions_are_ordered_as_they_were_released() -> None:
    released = [
        Version(0, 9, 8, "zh"),
        Version(1, 0, 2),
        Version(1, 0, 2, "u"),
        Version(1, 1, 1),
        Version(1, 1, 1, "w"),
        Version(3, 0, 9),
        Version(3, 0, 19),
        Version(4, 0, 3),
    ]

    assert all(older < newer for older, newer in itertools.pairwise(released))


@pytest.mark.parametrize("text", ["1.1.1w", "3.0.19"])
def test_a_version_reads_as_openssl_writes_it(fp: FakeProcess, tmp_path: Path, text: str) -> None:
    assert str(judged(fp, tmp_path, f"OpenSSL {text}  1 Jan 2026\n").version) == text


def test_a_native_openssl_is_usable_without_a_remark(fp: FakeProcess, tmp_path: Path) -> None:
    candidate = judged(fp, tmp_path, NATIVE)

    assert (candidate.usable, candidate.rank, candidate.note) == (True, 0, "")


def test_the_platform_is_what_the_program_says(fp: FakeProcess, tmp_path: Path) -> None:
    assert judged(fp, tmp_path, NATIVE).platform == "VC-WIN64A"


def test_the_question_is_on_record_as_the_probe(fp: FakeProcess, tmp_path: Path) -> None:
    outcome = judged(fp, tmp_path, NATIVE).probe

    assert outcome is not None
    assert (outcome.step, outcome.command.kind, outcome.finished.stdout) == (0, Kind.PROBE, NATIVE)


def test_1_1_1_is_usable_and_said_to_be_out_of_support(fp: FakeProcess, tmp_path: Path) -> None:
    candidate = judged(fp, tmp_path, "OpenSSL 1.1.1w  11 Sep 2023\nplatform: VC-WIN64A\n")

    assert (candidate.usable, candidate.rank) == (True, 1)
    assert "out of support since 2023-09-11" in candidate.note


def test_a_cygwin_build_is_the_last_choice_on_windows(fp: FakeProcess, tmp_path: Path) -> None:
    candidate = judged(fp, tmp_path, NATIVE.replace("VC-WIN64A", "Cygwin-x86_64"))

    assert (candidate.usable, candidate.rank) == (True, 2)
    assert "Cygwin" in candidate.note


def test_a_library_of_another_release_is_pointed_out(fp: FakeProcess, tmp_path: Path) -> None:
    candidate = judged(fp, tmp_path, "OpenSSL 3.0.8 x (Library: OpenSSL 3.0.7 y)\n")

    assert candidate.note == "it runs with the library of OpenSSL 3.0.7"


@pytest.mark.parametrize(
    ("exit_code", "reason"),
    [
        (0xC0000135, "a DLL that it needs is missing"),
        (0xC0000135 - 2**32, "a DLL that it needs is missing"),
        (0xC000007B, "one 32-bit and one 64-bit"),
        (0xC0000142, "could not be started"),
    ],
)
def test_a_program_that_windows_could_not_load_is_explained(
    fp: FakeProcess, tmp_path: Path, exit_code: int, reason: str
) -> None:
    candidate = judged(fp, tmp_path, "", exit_code)

    assert reason in candidate.problem
    assert f"0x{exit_code & 0xFFFFFFFF:08X}" in candidate.problem


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("LibreSSL 3.3.6\nplatform: x\n", "LibreSSL 3.3.6, a different program"),
        ("OpenSSL 1.1.1 (compatible; AWS-LC 1.40.0)\n", "AWS-LC, a different program"),
        ("OpenSSL 1.0.2u  20 Dec 2019\n", "OpenSSL 1.0.2u is too old: 1.1.1 or newer is needed"),
        ("OpenSSL 1.1.0l  10 Sep 2019\n", "OpenSSL 1.1.0l is too old"),
        ("hello\x1b[31m there\n", "it is not OpenSSL: it says 'hello?[31m there'"),
        ("", "it is not OpenSSL: it says ''"),
    ],
)
def test_a_program_that_is_not_a_recent_openssl_is_passed_over_with_the_reason(
    fp: FakeProcess, tmp_path: Path, output: str, reason: str
) -> None:
    candidate = judged(fp, tmp_path, output)

    assert reason in candidate.problem
    assert not candidate.usable


@pytest.mark.posix
def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "LIMIT", 0.3)
    path = answering(tmp_path / "openssl", "exec sleep 60")

    candidate = asked(path)

    assert candidate.problem == "it gave no answer within 0.3 seconds"
    assert candidate.probe is not None
    assert candidate.probe.finished.ending is Ending.TIMED_OUT


@pytest.mark.posix
def test_a_program_that_waits_for_input_gets_none(tmp_path: Path) -> None:
    path = answering(tmp_path / "openssl", 'read line; echo "OpenSSL 3.0.0 got:$line"')

    assert asked(path).usable


@pytest.mark.posix
def test_a_failing_program_is_reported_in_its_own_words(tmp_path: Path) -> None:
    path = answering(tmp_path / "openssl", "echo no luck >&2; exit 3")

    assert asked(path).problem == "it failed to say what it is (exit 3: no luck)"


@pytest.mark.posix
def test_a_killed_program_is_reported_by_its_signal(tmp_path: Path) -> None:
    path = answering(tmp_path / "openssl", "kill -9 $$")

    assert asked(path).problem == "it failed to say what it is (signal 9)"


@pytest.mark.posix
def test_a_missing_shared_library_is_explained(tmp_path: Path) -> None:
    said = "openssl: error while loading shared libraries: libssl.so.3: cannot open"
    path = answering(tmp_path / "openssl", f"echo '{said}' >&2; exit 127")

    assert asked(path).problem == f"a library that it needs is missing; install it again ({said})"


@pytest.mark.posix
def test_a_file_that_is_not_executable_is_not_started(tmp_path: Path) -> None:
    path = answering(tmp_path / "openssl", "touch started")
    path.chmod(0o644)

    candidate = asked(path)

    assert (candidate.problem, candidate.probe) == ("it is not executable, or not by you", None)


def test_a_file_that_is_not_a_program_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "openssl.exe"
    path.write_bytes(b"\x00just some bytes")
    path.chmod(0o755)

    assert asked(path).problem.startswith("the system did not start it: ")


@pytest.mark.posix
def test_neither_the_current_folder_nor_the_users_configuration_reaches_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("OPENSSL_CONF", "/nowhere/openssl.cnf")
    monkeypatch.setenv("OPENSSL_MODULES", "/nowhere")
    path = answering(
        tmp_path / "openssl", 'echo "OpenSSL 3.0.0"; echo "$PWD $OPENSSL_CONF [$OPENSSL_MODULES]"'
    )

    outcome = asked(path).probe

    assert outcome is not None
    assert outcome.finished.stdout.splitlines()[1] == f"{tmp_path} /dev/null []"
