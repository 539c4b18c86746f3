"""`install`: OpenSSL by what installs programs here, never without asking, never for real."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess
from typer.testing import CliRunner, Result

from mtls_openssl.cli import app, console
from mtls_openssl.elevation import Host
from mtls_openssl.errors import Exit
from tests.trusting import host, program

BOOTSTRAP = (
    "[System.Net.ServicePointManager]::SecurityProtocol = 3072; "
    "iex ((New-Object System.Net.WebClient)"
    ".DownloadString('https://community.chocolatey.org/install.ps1'))"
)


def run(*argv: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["install", *argv], input=typed)


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put this process on a computer without openssl, by platform and rights."""

    def put(platform: str, *, elevated: bool = True) -> Path:
        root = tmp_path / "computer"
        environ = {"PATH": str(root / "path")}
        if platform == "win32":
            environ |= {
                "ProgramData": str(root / "ProgramData"),
                "ProgramFiles": str(root / "Program Files"),
                "LOCALAPPDATA": str(root / "Local"),
            }
        made = host(root, platform, elevated=elevated, **environ)
        monkeypatch.setattr(Host, "here", lambda: made)
        return root

    monkeypatch.setattr(sys, "stdin", None)
    return put


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "is_interactive", lambda: True)


def brings(fp: FakeProcess, openssl: Path) -> Callable[[object], None]:
    """What an installer does: afterwards there is an openssl."""

    def install(_process: object) -> None:
        program(openssl)
        fp.register([str(openssl), "version", "-a"], stdout="OpenSSL 3.6.2 7 Apr 2026\n")

    return install


def choco(root: Path) -> Path:
    return root / "ProgramData" / "chocolatey" / "bin" / "choco.exe"


def winget(root: Path) -> Path:
    return root / "Local" / "Microsoft" / "WindowsApps" / "winget.exe"


WINGET = (
    *("install", "--id", "ShiningLight.OpenSSL.Light", "--exact", "--source", "winget"),
    *("--accept-package-agreements", "--accept-source-agreements", "--disable-interactivity"),
)


def test_choco_installs_it_and_it_is_found_though_the_path_is_still_the_old_one(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32")
    program(choco(root))
    openssl = root / "Program Files" / "OpenSSL-Win64" / "bin" / "openssl.exe"
    fp.register([str(choco(root)), "install", "openssl", "-y"], callback=brings(fp, openssl))
    done = run("--yes")
    assert done.exit_code == 0, done.output
    assert f"OpenSSL 3.6.2 is installed: {openssl}" in done.stdout
    assert "it is not on the PATH yet" in done.stdout


def test_winget_is_taken_where_choco_is_not_and_needs_no_administrator(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32", elevated=False)
    program(winget(root))
    openssl = root / "Program Files" / "OpenSSL" / "bin" / "openssl.exe"
    fp.register([str(winget(root)), *WINGET], callback=brings(fp, openssl))
    done = run("--yes")
    assert done.exit_code == 0, done.output


def test_choco_itself_is_installed_first_where_it_is_not(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32")
    powershell = root / "Windows" / "System32" / "WindowsPowerShell" / "v1.0" / "powershell.exe"
    openssl = root / "Program Files" / "OpenSSL-Win64" / "bin" / "openssl.exe"
    fp.register(
        [
            *(str(powershell), "-NoProfile", "-InputFormat", "None"),
            *("-ExecutionPolicy", "Bypass", "-Command", BOOTSTRAP),
        ],
        callback=lambda _: program(choco(root)),
    )
    fp.register([str(choco(root)), "install", "openssl", "-y"], callback=brings(fp, openssl))
    done = run("--yes", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["openssl"] == {"path": str(openssl), "version": "3.6.2"}


@pytest.mark.posix
@pytest.mark.parametrize(
    ("place", "argvs"),
    [
        ("usr/bin/apt-get", [("update",), ("install", "-y", "openssl")]),
        ("usr/bin/dnf", [("install", "-y", "openssl")]),
        ("usr/bin/yum", [("install", "-y", "openssl")]),
        ("usr/bin/zypper", [("install", "-y", "openssl")]),
        ("usr/bin/pacman", [("-S", "--noconfirm", "openssl")]),
        ("sbin/apk", [("add", "openssl")]),
    ],
)
def test_each_package_manager_of_linux_is_told_exactly_so(
    place: str, argvs: list[tuple[str, ...]], on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("linux")
    manager = program(root / place)
    *first, last = argvs
    for argv in first:
        fp.register([str(manager), *argv])
    fp.register([str(manager), *last], callback=brings(fp, root / "usr/bin/openssl"))
    done = run("--yes")
    assert done.exit_code == 0, done.output


@pytest.mark.posix
def test_brew_installs_it_and_refuses_to_be_root(on: Callable[..., Path], fp: FakeProcess) -> None:
    root = on("darwin", elevated=False)
    brew = program(root / "opt/homebrew/bin/brew")
    openssl = root / "opt/homebrew/opt/openssl@3/bin/openssl"
    fp.register([str(brew), "install", "openssl@3"], callback=brings(fp, openssl))
    assert run("--yes").exit_code == 0
    openssl.unlink()
    on("darwin", elevated=True)
    done = run("--yes")
    assert done.exit_code == Exit.USAGE
    assert "run the same without sudo" in done.stderr


def test_one_that_is_here_already_is_named_and_nothing_is_run(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32")
    program(choco(root))
    openssl = program(root / "Program Files" / "OpenSSL-Win64" / "bin" / "openssl.exe")
    fp.register([str(openssl), "version", "-a"], stdout="OpenSSL 3.6.2 7 Apr 2026\n")
    done = run("--yes")
    assert done.exit_code == 0
    assert f"OpenSSL 3.6.2 is here already: {openssl}" in done.stdout


def test_a_dry_run_prints_the_commands_and_runs_none(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32", elevated=False)
    done = run("--dry-run")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.splitlines()
    assert first.endswith(f'-ExecutionPolicy Bypass -Command "{BOOTSTRAP}"')
    assert second.endswith("install openssl -y")
    assert str(choco(root)) in second
    assert len(fp.calls) == 0


def test_without_a_terminal_and_without_yes_nothing_is_installed(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    program(choco(on("win32")))
    done = run()
    assert done.exit_code == Exit.USAGE
    assert "nothing is installed without asking" in done.stderr
    assert "add --yes" in done.stderr
    assert len(fp.calls) == 0


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_the_commands_are_shown_and_no_is_taken_for_an_answer(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    program(choco(on("win32")))
    done = run(typed="n\n")
    assert done.exit_code == Exit.NOT_PROVEN
    assert "install openssl -y" in done.stdout
    assert "Nothing was installed." in done.stderr
    assert len(fp.calls) == 0


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_yes_installs_it(on: Callable[..., Path], fp: FakeProcess) -> None:
    root = on("win32")
    program(choco(root))
    openssl = root / "Program Files" / "OpenSSL-Win64" / "bin" / "openssl.exe"
    fp.register([str(choco(root)), "install", "openssl", "-y"], callback=brings(fp, openssl))
    done = run(typed="y\n")
    assert done.exit_code == 0, done.output


def test_who_is_no_administrator_is_told_before_anything_is_run(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    program(choco(on("win32", elevated=False)))
    done = run("--yes")
    assert done.exit_code == Exit.FOLDER_UNAVAILABLE
    assert "Run as administrator" in done.stderr
    assert done.stderr.strip().endswith("-m mtls_openssl install --using choco")
    assert len(fp.calls) == 0


def test_an_installer_that_fails_is_told_with_its_last_words(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32")
    program(choco(root))
    fp.register(
        [str(choco(root)), "install", "openssl", "-y"],
        stdout="Unable to connect to source\nThe install of openssl was NOT successful.",
        returncode=1,
    )
    done = run("--yes")
    assert done.exit_code == Exit.COMMAND_FAILED
    assert "choco.exe did not install OpenSSL" in done.stderr
    assert "The install of openssl was NOT successful." in done.stderr
    assert "is in the log" in done.stderr


def test_an_installer_that_brings_none_is_not_believed(
    on: Callable[..., Path], fp: FakeProcess
) -> None:
    root = on("win32")
    program(choco(root))
    fp.register([str(choco(root)), "install", "openssl", "-y"])
    done = run("--yes")
    assert done.exit_code == Exit.NO_OPENSSL
    assert "No openssl that can be used was found" in done.stderr


def test_an_installer_that_is_not_here_is_refused_with_those_that_are(
    on: Callable[..., Path],
) -> None:
    root = on("win32")
    program(winget(root))
    done = run("--using", "apt-get", "--yes")
    assert done.exit_code == Exit.SETTING_REFUSED
    assert "use one of these: winget, choco" in done.stderr


def test_where_nothing_installs_programs_the_source_is_named(on: Callable[..., Path]) -> None:
    on("linux")
    done = run("--yes")
    assert done.exit_code == Exit.NO_OPENSSL
    assert "https://openssl-library.org/source" in done.stderr


def test_an_openssl_that_was_named_and_is_not_there_is_not_mended_by_installing(
    on: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on("win32")
    made = host(tmp_path, "win32", MTLS_OPENSSL=str(tmp_path / "gone" / "openssl.exe"))
    monkeypatch.setattr(Host, "here", lambda: made)
    done = run("--yes")
    assert done.exit_code == Exit.NO_OPENSSL
    assert "unset the variable" in done.stderr
