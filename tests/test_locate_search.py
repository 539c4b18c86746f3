"""Which openssl is taken, and what a person reads when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl.errors import Exit, OpensslNotFoundError
from mtls_openssl.locate import find, survey
from mtls_openssl.locate.search import installation
from mtls_openssl.process import Door
from tests.test_locate_places import computer, program

GOOD = "OpenSSL 3.5.7 9 Jun 2026\nplatform: VC-WIN64A\n"
OLD = "OpenSSL 1.1.1w  11 Sep 2023\nplatform: VC-WIN64A\n"
TOO_OLD = "OpenSSL 1.0.2u  20 Dec 2019\nplatform: VC-WIN64A\n"
CYGWIN = "OpenSSL 3.5.7 9 Jun 2026\nplatform: Cygwin-x86_64\n"
LIBRESSL = "LibreSSL 3.3.6\n"


def answering(fp: FakeProcess, folder: Path, output: str) -> Path:
    """A program for Windows that gives this answer, alone in its folder."""
    path = program(folder / "openssl.exe")
    fp.register([str(path), "version", "-a"], stdout=output)
    return path


def path_of(*programs: Path) -> str:
    return ";".join(str(path.parent) for path in programs)


def test_the_search_ends_at_the_first_good_one(fp: FakeProcess, tmp_path: Path) -> None:
    first = answering(fp, tmp_path / "a", GOOD)
    second = answering(fp, tmp_path / "b", GOOD)

    found = find(None, Door(), computer(tmp_path, "win32", {"PATH": path_of(first, second)}))

    assert [candidate.path for candidate in found.candidates] == [first]


def test_the_search_goes_on_past_those_that_cannot_be_used(fp: FakeProcess, tmp_path: Path) -> None:
    first = answering(fp, tmp_path / "a", LIBRESSL)
    second = answering(fp, tmp_path / "b", TOO_OLD)
    third = answering(fp, tmp_path / "c", GOOD)

    found = find(None, Door(), computer(tmp_path, "win32", {"PATH": path_of(first, second, third)}))

    assert found.chosen.path == third
    assert len(found.candidates) == 3


@pytest.mark.parametrize(
    ("answers", "taken"),
    [
        ([OLD, GOOD], 1),
        ([CYGWIN, GOOD], 1),
        ([CYGWIN, OLD], 1),
        ([OLD, CYGWIN], 0),
        ([OLD, OLD], 0),
        ([LIBRESSL, CYGWIN], 1),
    ],
)
def test_a_supported_native_one_is_preferred_then_1_1_1_then_cygwins(
    fp: FakeProcess, tmp_path: Path, answers: list[str], taken: int
) -> None:
    programs = [
        answering(fp, tmp_path / str(place), answer) for place, answer in enumerate(answers)
    ]

    found = find(None, Door(), computer(tmp_path, "win32", {"PATH": path_of(*programs)}))

    assert found.chosen.path == programs[taken]


def test_one_that_was_named_is_taken_though_a_better_one_exists(
    fp: FakeProcess, tmp_path: Path
) -> None:
    better = answering(fp, tmp_path / "a", GOOD)
    asked = answering(fp, tmp_path / "b", CYGWIN)

    found = find(asked, Door(), computer(tmp_path, "win32", {"PATH": path_of(better)}))

    assert found.chosen.path == asked


@pytest.mark.parametrize("origin", ["--openssl", "MTLS_OPENSSL"])
def test_nothing_replaces_one_that_was_named_and_cannot_be_used(
    fp: FakeProcess, tmp_path: Path, origin: str
) -> None:
    good = answering(fp, tmp_path / "a", GOOD)
    asked = answering(fp, tmp_path / "b", LIBRESSL)
    option, variable = (asked, "") if origin == "--openssl" else (None, str(asked))
    machine = computer(tmp_path, "win32", {"PATH": path_of(good), "MTLS_OPENSSL": variable})

    with pytest.raises(OpensslNotFoundError) as caught:
        find(option, Door(), machine)

    assert caught.value.what == f"The openssl named by {origin} can't be used: {asked}"
    assert "LibreSSL" in caught.value.cause
    assert origin in caught.value.fix


def test_one_that_was_named_and_does_not_exist_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(OpensslNotFoundError) as caught:
        find(tmp_path / "gone", Door(), computer(tmp_path, "linux"))

    assert caught.value.cause == "there is no such file"


def test_a_named_folder_without_openssl_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(OpensslNotFoundError) as caught:
        find(tmp_path, Door(), computer(tmp_path, "linux"))

    assert caught.value.cause == "this folder has no openssl, and neither has its bin folder"


def test_when_none_can_be_used_each_is_listed_with_its_reason(
    fp: FakeProcess, tmp_path: Path
) -> None:
    first = answering(fp, tmp_path / "a", LIBRESSL)
    second = answering(fp, tmp_path / "b", TOO_OLD)

    with pytest.raises(OpensslNotFoundError) as caught:
        find(None, Door(), computer(tmp_path, "win32", {"PATH": path_of(first, second)}))

    lines = caught.value.cause.splitlines()
    assert lines[0].startswith(f"{first} (PATH): it is LibreSSL 3.3.6")
    assert lines[1].startswith(f"{second} (PATH): OpenSSL 1.0.2u is too old")
    assert caught.value.code is Exit.NO_OPENSSL


def test_when_there_is_none_the_one_in_the_current_folder_is_explained(tmp_path: Path) -> None:
    path = program(tmp_path / "here" / "openssl.exe")

    with pytest.raises(OpensslNotFoundError) as caught:
        find(None, Door(), computer(tmp_path, "win32", current=path.parent))

    assert caught.value.cause == f"{path}: the current folder is never searched"


def test_on_windows_the_ways_to_install_one_are_named(tmp_path: Path) -> None:
    advice = installation(computer(tmp_path, "win32"))

    assert "choco install openssl -y" in advice
    assert "winget install ShiningLight.OpenSSL.Light" in advice
    assert "https://slproweb.com/products/Win32OpenSSL.html" in advice


def test_on_macos_brew_is_named(tmp_path: Path) -> None:
    assert installation(computer(tmp_path, "darwin")) == "brew install openssl@3"


@pytest.mark.parametrize(
    ("installer", "command"),
    [
        ("usr/bin/apt-get", "sudo apt-get install -y openssl"),
        ("usr/bin/dnf", "sudo dnf install -y openssl"),
        ("sbin/apk", "sudo apk add openssl"),
    ],
)
def test_on_linux_the_installer_that_exists_is_named(
    tmp_path: Path, installer: str, command: str
) -> None:
    program(tmp_path / installer)

    assert installation(computer(tmp_path, "linux")) == command


def test_on_an_unknown_system_the_source_is_named(tmp_path: Path) -> None:
    assert "https://openssl-library.org/source" in installation(computer(tmp_path, "linux"))


def test_a_survey_asks_every_one_and_chooses_as_the_search_does(
    fp: FakeProcess, tmp_path: Path
) -> None:
    programs = [
        answering(fp, tmp_path / str(place), answer)
        for place, answer in enumerate([OLD, LIBRESSL, GOOD, GOOD])
    ]

    search = survey(None, Door(), computer(tmp_path, "win32", {"PATH": path_of(*programs)}))

    assert [candidate.path for candidate in search.candidates] == programs
    assert search.chosen is search.candidates[2]


def test_a_survey_of_a_computer_without_openssl_is_empty(tmp_path: Path) -> None:
    search = survey(None, Door(), computer(tmp_path, "linux"))

    assert (search.candidates, search.chosen) == ((), None)


def test_a_survey_lists_the_named_one_first_and_once(fp: FakeProcess, tmp_path: Path) -> None:
    other = answering(fp, tmp_path / "a", GOOD)
    asked = answering(fp, tmp_path / "b", GOOD)

    search = survey(asked, Door(), computer(tmp_path, "win32", {"PATH": path_of(other, asked)}))

    assert [(found.path, found.origin) for found in search.candidates] == [
        (asked, "--openssl"),
        (other, "PATH"),
    ]


def test_a_survey_chooses_none_when_the_named_one_cannot_be_used(
    fp: FakeProcess, tmp_path: Path
) -> None:
    other = answering(fp, tmp_path / "a", GOOD)

    machine = computer(tmp_path, "win32", {"PATH": path_of(other)})

    assert survey(tmp_path / "gone", Door(), machine).chosen is None


def test_this_computers_own_openssl_is_found_and_supported() -> None:
    found = find(None, Door())

    assert found.chosen.usable
    assert found.chosen.version is not None


def test_importing_the_search_does_not_import_what_starts_programs() -> None:
    check = "import sys, mtls_openssl.locate; sys.exit('plumbum' in sys.modules)"

    finished = subprocess.run([sys.executable, "-c", check], check=False, timeout=60)

    assert finished.returncode == 0
