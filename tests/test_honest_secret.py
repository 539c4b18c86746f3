"""The password of client.p12 and the private keys: who can see them, from first to last."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from mtls_openssl.errors import Exit
from mtls_openssl.openssl.pkcs12 import Password
from mtls_openssl.pipeline import Target
from mtls_openssl.plan import PRIVATE
from mtls_openssl.proof import Proof
from mtls_openssl.runner import Room
from tests.standin import (
    NUMBERED,
    PASSWORD,
    PLAN,
    Folder,
    StandIn,
    argv,
    environ,
    folder_fixture,  # noqa: F401 - pytest finds a fixture by its name in the module
    main,
    stand_in_fixture,  # noqa: F401
)
from tests.terminal import Terminal

PACKING = [command for command in NUMBERED.values() if command.secrets]


class Recorder:
    """A stand-in that writes down how it was called, each time."""

    def __init__(self, stand_in: StandIn, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        here = shlex.quote(str(folder))
        loose = " -o ".join(f"-name '*{ending}'" for ending in (".key", ".p12", ".password"))
        # Started in the stage, whose parent is the folder of the set.
        self.first = (
            f'echo "$0 $*" > {here}/$$.argv; env > {here}/$$.env; umask > {here}/$$.umask\n'
            f"look() {{ find .. -type f \\( {loose} \\) \\( -perm -040 -o -perm -004 \\) -print; "
            f"find . -prune \\( -perm -040 -o -perm -004 \\) -print; }}\n"
            f'case "$1" in version) ;; *) look > {here}/$$.loose;; esac\n'
        )
        self.stand_in = stand_in

    def of(self, kind: str) -> dict[str, str]:
        """What was written down of one kind, by the words of the command."""
        return {
            path.with_suffix(".argv").read_text().partition(" ")[2].strip(): path.read_text()
            for path in self._folder.glob(f"*.{kind}")
        }


@pytest.fixture
def recorder(stand_in: StandIn, tmp_path: Path) -> Recorder:
    return Recorder(stand_in, tmp_path / "recorder")


def assert_in_no_sight(password: str, recorder: Recorder, folder: Folder, *said: str) -> None:
    for text in (*said, *recorder.of("argv").values()):
        assert password not in text
    for words, environment in recorder.of("env").items():
        holders = [line.partition("=")[0] for line in environment.splitlines() if password in line]
        needs_it = words.startswith("pkcs12")
        assert holders == (["MTLS_P12_PASSWORD"] if needs_it else []), words
    for file in folder.path.rglob("*"):
        if file.is_file() and file.suffix != ".password":
            assert password.encode() not in file.read_bytes(), file


Way = Callable[[Folder], tuple[list[str], dict[str, str]]]
"""A way to give the password: options and variables."""
Fate = tuple[int, dict[tuple[str, ...], str]]
"""An exit code, and what the stand-in is told."""


def by_the_usual_variable(_: Folder) -> tuple[list[str], dict[str, str]]:
    return [], {"MTLS_P12_PASSWORD": PASSWORD}


def by_a_named_variable(_: Folder) -> tuple[list[str], dict[str, str]]:
    return ["--p12-password-env", "SESAME"], {"SESAME": PASSWORD, "MTLS_P12_PASSWORD": "other"}


def by_a_file(folder: Folder) -> tuple[list[str], dict[str, str]]:
    file = folder.path.with_name("secret.txt")
    file.write_text(PASSWORD + "\n")
    return ["--p12-password-file", str(file)], {"MTLS_P12_PASSWORD": "other"}


def by_standard_input(_: Folder) -> tuple[list[str], dict[str, str]]:
    return ["--p12-password-stdin"], {"MTLS_P12_PASSWORD": "other"}


WAYS = [by_the_usual_variable, by_a_named_variable, by_a_file, by_standard_input]
MANNERS: dict[str, list[str]] = {
    "plain": [],
    "verbose": ["--verbose"],
    "json": ["--json"],
    "both": ["--json", "-v"],
}
FATES: dict[str, Fate] = {
    "that works": (0, {}),
    "that can't pack": (4, {PACKING[0].argv: "env > env.txt; echo no >&2; exit 1"}),
    "that can't open it": (5, {PACKING[1].argv: "echo Mac verify error >&2; exit 1"}),
}


@pytest.mark.posix
@pytest.mark.parametrize("fate", FATES.values(), ids=FATES)
@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
@pytest.mark.parametrize("way", WAYS)
def test_the_password_is_seen_by_nobody_who_does_not_need_it(
    way: Way, manner: list[str], fate: Fate, recorder: Recorder, folder: Folder
) -> None:
    options, variables = way(folder)
    code, told = fate
    program = recorder.stand_in.write(told, first=recorder.first)
    ran = folder.all(program, *options, *manner, stdin=PASSWORD + "\n", **variables)
    assert ran.code == code
    assert len(recorder.of("argv")) > 7
    assert_in_no_sight(PASSWORD, recorder, folder, ran.stdout, ran.stderr)


@pytest.mark.posix
def test_a_password_typed_at_a_terminal_is_asked_for_twice_and_not_shown(
    recorder: Recorder, folder: Folder
) -> None:
    program = recorder.stand_in.write_real({}, first=recorder.first)
    words = argv("all", "--out", str(folder.path), "--openssl", str(program))
    with Terminal(*words, env=environ(MTLS_P12_PASSWORD=None)) as terminal:
        terminal.answer("Password for client.p12", PASSWORD)
        terminal.answer("Repeat for confirmation", PASSWORD)
        assert terminal.exit() == 0
    assert_in_no_sight(PASSWORD, recorder, folder, terminal.shown)
    assert not (folder.path / "client.p12.password").exists()
    read = ("pkcs12", "-in", str(folder.path / "client.p12"), "-noout", "-passin", "env:P")
    subprocess.run([recorder.stand_in.tape.openssl, *read], env=environ(P=PASSWORD), check=True)


@pytest.mark.posix
@pytest.mark.parametrize("way", WAYS)
def test_a_process_of_our_own_tells_the_password_to_nobody_either(
    way: Way, recorder: Recorder, folder: Folder
) -> None:
    options, variables = way(folder)
    program = recorder.stand_in.write(first=recorder.first)
    ran = main(
        "all", "--out", str(folder.path), "--openssl", str(program), "-v", *options,
        stdin=PASSWORD, **variables,
    )  # fmt: skip
    assert (ran.code, ran.stderr) == (0, "")
    assert_in_no_sight(PASSWORD, recorder, folder, ran.stdout)


@pytest.mark.posix
def test_a_password_that_we_made_is_in_its_file_and_nowhere_else(
    recorder: Recorder, folder: Folder
) -> None:
    program = recorder.stand_in.write_real({}, first=recorder.first)
    ran = main(
        "all", "--out", str(folder.path), "--openssl", str(program), "-v", MTLS_P12_PASSWORD=None
    )
    assert (ran.code, ran.stderr) == (0, "")
    file = folder.path / "client.p12.password"
    password = file.read_text().strip()
    assert len(password) >= 20
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert_in_no_sight(password, recorder, folder, ran.stdout)


def test_what_holds_the_password_does_not_show_it(tmp_path: Path) -> None:
    password = Password(PASSWORD)
    target = Target(tmp_path, jobs=1, passwords={"client.p12": password})
    room = Room(tmp_path, tmp_path, "openssl.cnf", secrets={"MTLS_P12_PASSWORD": PASSWORD})
    for shown in (password, target, room):
        assert PASSWORD not in f"{shown!r} {shown!s}"


@pytest.mark.posix
def test_a_fault_of_our_own_does_not_show_it_even_in_full(
    folder: Folder, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> None:
        raise RuntimeError("no more ideas")

    monkeypatch.setattr(Proof, "judge", faulty)
    ran = folder.all(stand_in.write(), "--verbose")
    assert ran.code == Exit.OUR_FAULT
    assert "RuntimeError: no more ideas" in ran.stderr
    assert "Traceback" in ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
    folder.assert_untouched(ran.code)


class Watch:
    """Looks at a folder and its stage, again and again, for secrets that others may read."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, folder / ".mtls.stage")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: set[str] = set()
        self.loose: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.0005):
            for entry in self._entries():
                try:
                    mode = entry.stat().st_mode
                except FileNotFoundError:
                    continue
                self.seen.add(entry.path)
                if mode & 0o077:
                    self.loose.add(f"{entry.path} {stat.filemode(mode)}")

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        for folder in self._folders:
            try:
                yield from (entry for entry in os.scandir(folder) if entry.name in PRIVATE)
            except FileNotFoundError:
                continue


@pytest.mark.posix
@pytest.mark.parametrize("password", [PASSWORD, None], ids=["password given", "password made"])
def test_keys_are_private_the_whole_time_even_if_the_shell_makes_all_files_public(
    password: str | None, recorder: Recorder, folder: Folder
) -> None:
    really = {command.argv: 'exec "$real" "$@"' for command in NUMBERED.values()}
    program = recorder.stand_in.write(really, first=recorder.first)
    with Watch(folder.path) as watch:
        ran = main(
            "all", "--out", str(folder.path), "--openssl", str(program),
            before=("sh", "-c", 'umask 000; exec "$@"', "sh"), MTLS_P12_PASSWORD=password,
        )  # fmt: skip
    assert (ran.code, ran.stderr) == (0, "")
    assert watch.loose == set()
    assert {Path(path).name for path in watch.seen if ".mtls.stage" in path} >= {"ca.key"}
    assert set(recorder.of("umask").values()) == {"0077\n"}
    assert set(recorder.of("loose").values()) == {""}
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in folder.path.iterdir()
        if re.search(r"\.(key|p12|password|jsonl)$", path.name)
    }
    assert set(modes.values()) == {0o600}
    made = {*PLAN.makes, *(() if password else ("client.p12.password",))}
    assert made & {*PRIVATE} <= set(modes)
