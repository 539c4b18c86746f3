"""The real registry and the real openssl.exe of a Windows computer."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtls_openssl.locate import Machine, find, registry
from mtls_openssl.locate.registry import SystemRegistry
from mtls_openssl.process import Door

pytestmark = pytest.mark.windows


@pytest.fixture
def scratch() -> Iterator[str]:
    """A registry key of this user that only this test knows."""
    name = rf"Software\mtls-openssl-test-{uuid.uuid4().hex}"
    if sys.platform == "win32":
        import winreg

        winreg.CreateKey(winreg.HKEY_CURRENT_USER, name).Close()
    yield name
    if sys.platform == "win32":
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, name) as opened:
            children = [
                winreg.EnumKey(opened, index) for index in range(winreg.QueryInfoKey(opened)[0])
            ]
        for child in children:
            winreg.DeleteKey(winreg.HKEY_CURRENT_USER, rf"{name}\{child}")
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, name)


def test_the_openssl_in_program_files_is_found_though_it_is_not_on_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MTLS_OPENSSL", raising=False)
    monkeypatch.setenv("PATH", r"C:\Windows\System32")

    chosen = find(None, Door()).chosen

    assert chosen.path.name == "openssl.exe"
    assert chosen.path.is_relative_to(Machine.here().environ["ProgramFiles"])


def test_the_openssl_in_program_files_is_taken_from_a_folder_that_holds_a_planted_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MTLS_OPENSSL", raising=False)
    (tmp_path / "openssl.exe").write_bytes(b"MZ")
    monkeypatch.setenv("PATH", f".;;{tmp_path}")
    monkeypatch.chdir(tmp_path)

    assert find(None, Door()).chosen.path.parent != tmp_path


def test_variables_in_the_users_path_are_filled_in(
    monkeypatch: pytest.MonkeyPatch, scratch: str
) -> None:
    if sys.platform == "win32":
        import winreg

        monkeypatch.setattr(registry, "_USER_ENVIRONMENT", scratch)
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, scratch, 0, winreg.KEY_ALL_ACCESS) as opened:
            winreg.SetValueEx(opened, "Path", 0, winreg.REG_EXPAND_SZ, r"%SystemDrive%\tool")

    assert ("user", r"C:\tool") in list(SystemRegistry().paths())


def test_the_machines_path_is_read() -> None:
    assert "machine" in [whose for whose, _ in SystemRegistry().paths()]


def test_what_this_user_installed_is_read(monkeypatch: pytest.MonkeyPatch, scratch: str) -> None:
    entry = {"DisplayName": "OpenSSL 9.9 (64-bit)", "InstallLocation": "C:\\tool\\"}
    if sys.platform == "win32":
        import winreg

        monkeypatch.setattr(registry, "_UNINSTALL", scratch)
        with winreg.CreateKey(winreg.HKEY_CURRENT_USER, rf"{scratch}\OpenSSL_is1") as opened:
            for name, text in entry.items():
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, text)
            winreg.SetValueEx(opened, "EstimatedSize", 0, winreg.REG_DWORD, 7)

    assert list(SystemRegistry().installed()) == [entry]


def test_a_registry_without_the_keys_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_USER_ENVIRONMENT", "_MACHINE_ENVIRONMENT", "_UNINSTALL"):
        monkeypatch.setattr(registry, name, r"Software\mtls-openssl-no-such-key")

    assert [*SystemRegistry().paths(), *SystemRegistry().installed()] == []
