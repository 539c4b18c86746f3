"""Windows' stores: certutil is called exactly so, and its exit codes alone are believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl import trust
from mtls_openssl.errors import CommandFailedError, NotProvenError
from mtls_openssl.trust import windows
from mtls_openssl.trust.store import Presence
from mtls_openssl.trust.windows import WindowsStore
from tests.trusting import desk_with, host, installed, removed, root_in

NOT_FOUND = 0x80092004
CANCELLED = 0x800704C7
DENIED = 0x80070005
STRANGERS = (
    "[Console]::OutputEncoding = [Text.Encoding]::UTF8; "
    r"Get-ChildItem Cert:\LocalMachine\Root | Where-Object { $_.Issuer -ne $_.Subject } | "
    "ForEach-Object { $_.Thumbprint + ' ' + $_.Subject }"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("根 证书"))


@pytest.fixture(autouse=True)
def openssl_is_real(fp: FakeProcess) -> None:
    fp.allow_unregistered(True)


def certutil(computer: Path) -> str:
    return str(computer / "Windows" / "System32" / "certutil.exe")


def calls(fp: FakeProcess, computer: Path) -> list[list[str]]:
    """What certutil was called with."""
    called = [list(map(str, call)) for call in fp.calls if not isinstance(call, str)]
    return [words for program, *words in called if program == certutil(computer)]


def test_the_computers_store_gets_the_root_and_is_read_back(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    program = certutil(tmp_path)
    with desk_with(root) as (desk, ca):
        fp.register([program, "-store", "Root", ca.sha1], returncode=NOT_FOUND)
        fp.register([program, "-f", "-addstore", "Root", "ca.crt"])
        fp.register([program, "-store", "Root", ca.sha1], stdout="根证书颁发机构")
        store = WindowsStore(host(tmp_path, "win32"), user=False)
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
    assert calls(fp, tmp_path) == [
        ["-store", "Root", ca.sha1],
        ["-f", "-addstore", "Root", "ca.crt"],
        ["-store", "Root", ca.sha1],
    ]


def test_a_root_that_is_there_already_is_not_added_again(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    with desk_with(root) as (desk, ca):
        fp.register([certutil(tmp_path), "-store", "Root", ca.sha1])
        store = WindowsStore(host(tmp_path, "win32"), user=False)
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
    assert calls(fp, tmp_path) == [["-store", "Root", ca.sha1]]


def test_a_root_is_taken_out_by_its_thumbprint(root: Path, tmp_path: Path, fp: FakeProcess) -> None:
    program = certutil(tmp_path)
    with desk_with(root) as (desk, ca):
        fp.register([program, "-store", "Root", ca.sha1])
        fp.register([program, "-delstore", "Root", ca.sha1])
        fp.register([program, "-store", "Root", ca.sha1], returncode=NOT_FOUND)
        store = WindowsStore(host(tmp_path, "win32"), user=False)
        assert removed(desk, [store], ca) == [Presence.ABSENT]
    assert ["-delstore", "Root", ca.sha1] in calls(fp, tmp_path)


def test_certutil_is_not_believed_when_the_root_is_not_there_after_it(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    program = certutil(tmp_path)
    with desk_with(root) as (desk, ca):
        fp.register([program, "-store", "Root", ca.sha1], returncode=NOT_FOUND, occurrences=2)
        fp.register([program, "-f", "-addstore", "Root", "ca.crt"], stdout="命令成功完成。")
        store = WindowsStore(host(tmp_path, "win32"), user=False)
        with pytest.raises(NotProvenError, match="not in it at the end"):
            installed(desk, [store], ca)


def test_a_users_store_is_changed_and_undone_without_an_administrator(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    program = certutil(tmp_path)
    store = WindowsStore(host(tmp_path, "win32", elevated=False), user=True)
    assert not store.needs_elevation
    with desk_with(root) as (desk, ca):
        fp.register([program, "-user", "-store", "Root", ca.sha1], returncode=NOT_FOUND)
        fp.register([program, "-user", "-addstore", "Root", "ca.crt"])
        fp.register([program, "-user", "-store", "Root", ca.sha1], occurrences=2)
        fp.register([program, "-store", "Root", ca.sha1], returncode=NOT_FOUND, occurrences=2)
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
        fp.register([program, "-user", "-delstore", "Root", ca.sha1])
        fp.register([program, "-user", "-store", "Root", ca.sha1], returncode=NOT_FOUND)
        assert removed(desk, [store], ca) == [Presence.ABSENT]


@pytest.mark.parametrize("code", [CANCELLED, DENIED])
def test_a_no_in_the_window_that_asks_a_user_is_told_as_such(
    code: int, root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    program = certutil(tmp_path)
    with desk_with(root) as (desk, ca):
        fp.register(
            [program, "-user", "-store", "Root", ca.sha1], returncode=NOT_FOUND, occurrences=2
        )
        fp.register([program, "-user", "-addstore", "Root", "ca.crt"], returncode=code)
        store = WindowsStore(host(tmp_path, "win32"), user=True)
        with pytest.raises(CommandFailedError) as caught:
            installed(desk, [store], ca)
    assert "answered with No" in caught.value.cause


def test_a_root_that_a_user_has_through_the_computer_is_not_taken_from_the_user(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    program = certutil(tmp_path)
    with desk_with(root) as (desk, ca):
        fp.register([program, "-user", "-store", "Root", ca.sha1])
        fp.register([program, "-store", "Root", ca.sha1])
        store = WindowsStore(host(tmp_path, "win32"), user=True)
        with pytest.raises(NotProvenError) as caught:
            removed(desk, [store], ca)
    assert caught.value.cause == "through the roots of this computer"


def test_a_computer_without_certutil_is_told_and_not_taken_for_one_without_the_root(
    root: Path, tmp_path: Path
) -> None:
    with desk_with(root) as (desk, ca):
        standing = WindowsStore(host(tmp_path, "win32"), user=False).look(desk, ca)
    assert standing.presence is Presence.UNREADABLE
    assert standing.reason


def test_the_computers_store_needs_an_administrator(tmp_path: Path) -> None:
    machine, user = trust.every(host(tmp_path, "win32", elevated=False))
    assert (machine.needs_elevation, user.needs_elevation) == (True, False)


def test_an_intermediate_among_the_roots_is_found_in_any_language(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    powershell = tmp_path / "Windows/System32/WindowsPowerShell/v1.0/powershell.exe"
    fp.register([certutil(tmp_path), "-verify", "ca.crt"])
    fp.register(
        [
            str(powershell), "-NoProfile", "-NonInteractive", "-Command",
            STRANGERS,
        ],
        stdout=f"{'AB' * 20} CN=中间证书, O=某公司\r\n".encode(),
    )  # fmt: skip
    with desk_with(root) as (desk, ca):
        findings = windows.examine(desk, ca, host(tmp_path, "win32"))
    assert findings == windows.Findings(True, (("AB" * 20, "CN=中间证书, O=某公司"),))
