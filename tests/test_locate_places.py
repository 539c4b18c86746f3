"""Where an openssl is looked for, and in which order; the computers are made up."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtls_openssl.locate import Machine, candidates
from mtls_openssl.locate.places import named


@dataclasses.dataclass(frozen=True)
class MadeUpRegistry:
    path_texts: tuple[tuple[str, str], ...] = ()
    entries: tuple[Mapping[str, str], ...] = ()

    def paths(self) -> Iterable[tuple[str, str]]:
        return self.path_texts

    def installed(self) -> Iterable[Mapping[str, str]]:
        return self.entries


def computer(
    root: Path,
    platform: str,
    environ: Mapping[str, str] = MappingProxyType({}),
    *,
    registry: MadeUpRegistry | None = None,
    current: Path | None = None,
) -> Machine:
    """A computer whose disk is the folder `root`."""
    if platform == "win32":
        environ = {
            "ProgramW6432": str(root / "Program Files"),
            "ProgramFiles": str(root / "Program Files"),
            "ProgramFiles(x86)": str(root / "Program Files (x86)"),
            "USERPROFILE": str(root / "Users" / "ann"),
            "LOCALAPPDATA": str(root / "Users" / "ann" / "AppData" / "Local"),
            "ProgramData": str(root / "ProgramData"),
            **environ,
        }
    return Machine(platform, environ, registry or MadeUpRegistry(), root, current)


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a stand-in")
    path.chmod(0o755)
    return path


def found(machine: Machine, option: Path | None = None) -> list[tuple[Path, str]]:
    return list(candidates(option, machine))


def test_the_path_comes_in_its_own_order(tmp_path: Path) -> None:
    second = program(tmp_path / "b" / "openssl.exe")
    first = program(tmp_path / "z" / "openssl.exe")

    machine = computer(tmp_path, "win32", {"PATH": f"{first.parent};{second.parent}"})

    assert found(machine) == [(first, "PATH"), (second, "PATH")]


@pytest.mark.parametrize("variable", ["OPENSSL_ROOT_DIR", "OPENSSL_DIR", "OPENSSL_HOME"])
def test_a_root_variable_comes_before_the_path(tmp_path: Path, variable: str) -> None:
    on_path = program(tmp_path / "p" / "openssl.exe")
    rooted = program(tmp_path / "r" / "bin" / "openssl.exe")
    environ = {variable: str(tmp_path / "r"), "PATH": str(on_path.parent)}

    machine = computer(tmp_path, "win32", environ)

    assert found(machine) == [(rooted, variable), (on_path, "PATH")]


def test_a_quoted_path_entry_is_read_as_windows_reads_it(tmp_path: Path) -> None:
    path = program(tmp_path / "with space" / "openssl.exe")

    assert found(computer(tmp_path, "win32", {"PATH": f'"{path.parent}"'})) == [(path, "PATH")]


def test_on_windows_a_batch_file_named_openssl_is_not_taken(tmp_path: Path) -> None:
    batch = program(tmp_path / "p" / "openssl.bat")
    program(tmp_path / "p" / "openssl")

    assert found(computer(tmp_path, "win32", {"PATH": str(batch.parent)})) == []


def test_on_windows_an_empty_app_alias_is_not_taken(tmp_path: Path) -> None:
    alias = tmp_path / "WindowsApps" / "openssl.exe"
    alias.parent.mkdir()
    alias.touch()

    assert found(computer(tmp_path, "win32", {"PATH": str(alias.parent)})) == []


def test_a_program_just_installed_is_found_by_the_path_in_the_registry(tmp_path: Path) -> None:
    machines = program(tmp_path / "m" / "openssl.exe")
    users = program(tmp_path / "u" / "openssl.exe")
    registry = MadeUpRegistry((("machine", str(machines.parent)), ("user", f";{users.parent};")))

    assert found(computer(tmp_path, "win32", registry=registry)) == [
        (machines, "registry PATH (machine)"),
        (users, "registry PATH (user)"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Inno Setup: App Path", "{folder}"),
        ("InstallLocation", "{folder}"),
        ("UninstallString", '"{folder}/unins000.exe" /SILENT'),
        ("UninstallString", "{folder}/unins000.exe"),
        ("DisplayIcon", "{folder}/bin/openssl.exe,0"),
    ],
)
def test_an_installed_openssl_is_found_by_its_uninstall_entry(
    tmp_path: Path, value: str, text: str
) -> None:
    path = program(tmp_path / "My Tools" / "bin" / "openssl.exe")
    entry = {
        "DisplayName": "OpenSSL 3.6.2 (64-bit)",
        value: text.format(folder=tmp_path / "My Tools"),
    }

    machine = computer(tmp_path, "win32", registry=MadeUpRegistry(entries=(entry,)))

    assert found(machine) == [(path, "uninstall entry OpenSSL 3.6.2 (64-bit)")]


def test_the_uninstall_entry_of_another_program_leads_nowhere(tmp_path: Path) -> None:
    path = program(tmp_path / "Other" / "openssl.exe")
    entry = {"DisplayName": "Not OpenSSL", "InstallLocation": str(path.parent)}

    assert found(computer(tmp_path, "win32", registry=MadeUpRegistry(entries=(entry,)))) == []


def test_an_msi_uninstall_command_leads_nowhere(tmp_path: Path) -> None:
    entry = {"DisplayName": "OpenSSL 3.6.2", "UninstallString": "MsiExec.exe /X{0-0}"}

    assert found(computer(tmp_path, "win32", registry=MadeUpRegistry(entries=(entry,)))) == []


def test_the_usual_windows_folders_are_searched_with_bundled_copies_last(tmp_path: Path) -> None:
    expected = [
        program(tmp_path / folder / "openssl.exe")
        for folder in (
            "Program Files/OpenSSL-Win64/bin",
            "Program Files (x86)/OpenSSL-Win32/bin",
            "Program Files/OpenSSL/bin",
            "Program Files/openssl-3.10/x86_64/bin",
            "Program Files/openssl-3.9/x86_64/bin",
            "OpenSSL-Win64/bin",
            "Program Files/FireDaemon OpenSSL 4/bin",
            "Program Files/FireDaemon OpenSSL 3/bin",
            "Users/ann/scoop/apps/openssl/current/bin",
            "Users/ann/miniconda3/Library/bin",
            "Strawberry/c/bin",
            "Program Files/OpenVPN/bin",
            "msys64/ucrt64/bin",
            "msys64/usr/bin",
            "Program Files/Git/mingw64/bin",
            "Users/ann/AppData/Local/Programs/Git/mingw64/bin",
            "Program Files/Git/usr/bin",
            "cygwin64/bin",
        )
    ]

    assert [path for path, _ in found(computer(tmp_path, "win32"))] == expected


def test_on_macos_homebrew_comes_before_the_system_and_after_a_root_variable(
    tmp_path: Path,
) -> None:
    rooted = program(tmp_path / "mine" / "bin" / "openssl")
    brewed = program(tmp_path / "opt/homebrew/opt/openssl@3/bin/openssl")
    system = program(tmp_path / "usr/bin/openssl")

    machine = computer(tmp_path, "darwin", {"OPENSSL_DIR": str(tmp_path / "mine")})

    assert found(machine) == [
        (rooted, "OPENSSL_DIR"),
        (brewed, "Homebrew"),
        (system, "system folder"),
    ]


@pytest.mark.posix
def test_on_linux_the_path_comes_first_and_then_the_system_folders(tmp_path: Path) -> None:
    system = program(tmp_path / "usr/bin/openssl")
    conda = program(tmp_path / "env/bin/openssl")
    on_path = program(tmp_path / "p/openssl")
    environ = {"PATH": f"/nowhere:{on_path.parent}", "CONDA_PREFIX": str(tmp_path / "env")}

    assert found(computer(tmp_path, "linux", environ)) == [
        (on_path, "PATH"),
        (system, "system folder"),
        (conda, "conda"),
    ]


@pytest.mark.posix
def test_a_program_with_two_names_is_listed_once_by_the_first(tmp_path: Path) -> None:
    real = program(tmp_path / "usr/bin/openssl")
    link = tmp_path / "bin" / "openssl"
    link.parent.mkdir()
    link.symlink_to(real)

    machine = computer(tmp_path, "linux", {"PATH": f"{link.parent}:{real.parent}"})

    assert found(machine) == [(link, "PATH")]


@pytest.mark.posix
def test_a_link_to_a_program_in_the_current_folder_is_not_taken(tmp_path: Path) -> None:
    planted = program(tmp_path / "here" / "openssl")
    link = tmp_path / "bin" / "openssl"
    link.parent.mkdir()
    link.symlink_to(planted)

    machine = computer(tmp_path, "linux", {"PATH": str(link.parent)}, current=planted.parent)

    assert found(machine) == []


@pytest.mark.parametrize("platform", ["win32", "linux", "darwin"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_current_folders_openssl_is_never_taken(
    tmp_path_factory: pytest.TempPathFactory, platform: str, data: st.DataObject
) -> None:
    disk = tmp_path_factory.mktemp("disk")
    here = disk / "here"
    for name in ("openssl", "openssl.exe", "bin/openssl", "bin/openssl.exe"):
        program(here / name)
    # The current folder is `here` or `here/bin`, so that `bin` below a named folder is met too.
    current = data.draw(st.sampled_from([here, here / "bin"]))
    spellings = [
        "",
        ".",
        "./",
        "..",
        "bin",
        f"{current}",
        f"{current}/",
        f"{current}/.",
        f'"{current}"',
    ]
    spelling = st.sampled_from([*spellings, f"{here}/bin/..", f"{here}/bin/../bin"])
    separator = ";" if platform == "win32" else ":"
    path = separator.join(data.draw(st.lists(spelling, max_size=5)))
    environ = {"PATH": path, "OPENSSL_ROOT_DIR": data.draw(spelling), "CONDA_PREFIX": str(current)}

    machine = computer(disk, platform, environ, current=current)

    assert [path for path, _ in found(machine) if path.parent.resolve() == current.resolve()] == []


@pytest.mark.parametrize("where", ["tool/openssl.exe", "tool/bin/openssl.exe"])
def test_the_option_may_name_a_folder(tmp_path: Path, where: str) -> None:
    path = program(tmp_path / where)

    assert found(computer(tmp_path, "win32"), tmp_path / "tool") == [(path, "--openssl")]


def test_on_windows_the_option_may_leave_out_exe(tmp_path: Path) -> None:
    path = program(tmp_path / "tool" / "openssl.exe")

    assert found(computer(tmp_path, "win32"), path.with_suffix("")) == [(path, "--openssl")]


def test_the_option_comes_before_the_variable(tmp_path: Path) -> None:
    asked = program(tmp_path / "a" / "openssl")
    other = program(tmp_path / "b" / "openssl")

    machine = computer(tmp_path, "linux", {"MTLS_OPENSSL": str(other)})

    assert found(machine, asked) == [(asked, "--openssl")]


def test_the_variable_leaves_no_other_choice(tmp_path: Path) -> None:
    asked = program(tmp_path / "a" / "openssl")
    program(tmp_path / "usr/bin/openssl")

    machine = computer(tmp_path, "linux", {"MTLS_OPENSSL": str(asked.parent)})

    assert found(machine) == [(asked, "MTLS_OPENSSL")]


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    path = program(tmp_path / "usr/bin/openssl")

    assert found(computer(tmp_path, "linux", {"MTLS_OPENSSL": ""})) == [(path, "system folder")]


def test_a_relative_option_is_read_from_the_current_folder(tmp_path: Path) -> None:
    path = program(tmp_path / "tool" / "openssl")
    (tmp_path / "work").mkdir()

    machine = computer(tmp_path, "linux", current=tmp_path / "work")

    assert named(Path("../tool/openssl"), machine) == (
        path.parent.resolve() / path.name,
        "--openssl",
        "",
    )


def test_a_bare_name_does_not_mean_the_current_folders_program(tmp_path: Path) -> None:
    program(tmp_path / "openssl")
    machine = computer(tmp_path, "linux", current=tmp_path)

    answer = named(Path("openssl"), machine)

    assert answer is not None
    assert "full path" in answer[2]


def test_the_current_folders_program_may_be_named_by_its_full_path(tmp_path: Path) -> None:
    path = program(tmp_path / "openssl")

    assert named(path, computer(tmp_path, "linux", current=tmp_path)) == (path, "--openssl", "")


def test_this_computers_search_starts_from_its_own_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine.here()
    path = program(tmp_path / machine.program)
    monkeypatch.delenv("MTLS_OPENSSL", raising=False)
    monkeypatch.setenv("OPENSSL_ROOT_DIR", os.fspath(tmp_path))

    assert next(candidates(None)) == (path, "OPENSSL_ROOT_DIR")
