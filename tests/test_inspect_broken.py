"""A file that is not what it should be is told to be so, in words, and nobody sees a traceback."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from mtls_openssl import process
from mtls_openssl.steps import Ending, Finished
from tests import shelf
from tests.shelf import asked, mtls, told

pytestmark = pytest.mark.end_to_end

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256))


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shelf.filled(tmp_path_factory.mktemp("shelf"))
    asked(folder, "x509", "-in", "server.crt", "-outform", "DER", "-out", "server.der")
    return folder


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (JPEG, "a JPEG picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xfe\xed\xfe\xed\x00\x00\x00\x02", "a Java keystore"),
        (b"ssh-ed25519 AAAA me", "a public key of SSH"),
        (b"milk, bread", "no certificate, request, key, PKCS#12 file or CRL is in it"),
        (b"\x30\x82", "it is DER, but cut off, damaged or of no kind that is known"),
        (b"-----BEGIN CERTIFICATE-----\n", "block CERTIFICATE that begins in line 1 has no end"),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB!!\n-----END CERTIFICATE-----\n",
            "it is a certificate, but a damaged one",
        ),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "a private key of SSH",
        ),
        (
            b"-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n",
            "a block PGP MESSAGE, which is not looked into",
        ),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)
def test_what_is_nothing_of_ours_is_told_for_what_it_is(
    content: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / "x.crt").write_bytes(content)
    assert says in mtls("inspect", tmp_path / "x.crt", code=5).stdout


@pytest.mark.parametrize(
    ("name", "kind"),
    [("server.crt", "certificate"), ("enc.key", "private key"), ("crl.pem", "CRL")],
)
def test_a_cut_file_is_told_to_be_cut(name: str, kind: str, things: Path, tmp_path: Path) -> None:
    content = (things / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    (file,) = told("inspect", tmp_path / name, code=5)["files"]
    assert file["parts"][0]["kind"] == kind
    assert "cut off" in file["parts"][0]["error"]


@pytest.mark.parametrize("name", ["server.der", "server.p12"])
def test_cut_der_is_told_to_be_cut(name: str, things: Path, tmp_path: Path) -> None:
    content = (things / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    (file,) = told("inspect", tmp_path / name, code=5)["files"]
    assert "cut off" in file["parts"][0]["error"]


def test_one_broken_file_keeps_none_of_the_others_back(things: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.crt").touch()
    files = told("inspect", tmp_path / "empty.crt", things / "server.crt", code=5)["files"]
    assert [file["ok"] for file in files] == [False, True]


def test_a_missing_file_is_told_and_the_others_are_read(things: Path) -> None:
    done = mtls("inspect", things / "none.crt", things / "server.crt", code=7)
    assert "there is no file" in done.stderr
    assert "DNS:server.example" in done.stdout


def test_the_data_of_a_missing_file_says_so(things: Path) -> None:
    (file,) = told("inspect", things / "none.crt", code=7)["files"]
    assert file["ok"] is False
    assert "there is no file" in file["error"]


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    assert "has no file" in mtls("inspect", tmp_path, code=7).stderr


def test_a_folder_is_no_file_to_be_matched(things: Path) -> None:
    assert "is a folder" in mtls("match", things, things / "server.crt", code=7).stderr


def test_a_file_that_may_not_be_read_is_told(things: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refused(self: Path, *how: Any, **more: Any) -> Any:
        if self.name == "server.key":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(self, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    done = mtls("inspect", things / "server.key", things / "server.crt", code=7)
    assert "server.key can't be read" in done.stderr
    assert "DNS:server.example" in done.stdout


@pytest.mark.posix
def test_a_device_is_not_read(things: Path) -> None:
    assert "is a device" in mtls("inspect", "/dev/zero", code=7).stderr


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "disk.img").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert "which no certificate" in mtls("inspect", tmp_path / "disk.img", code=7).stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--password-env", "NONE"), "which is not set"),
        (("--password-env", "WORD", "--password-stdin"), "two places"),
        (("--password-file", "none.txt"), "can't be read"),
        (("--password-stdin",), "is empty"),
    ],
)
def test_a_password_that_is_not_there_is_told(
    options: tuple[str, ...], says: str, things: Path
) -> None:
    code = 2 if says == "two places" else 6
    assert says in mtls("inspect", things / "enc.key", *options, code=code).stderr


def _password_file(folder: Path) -> tuple[str, ...]:
    (folder / "word.txt").write_text(f"{shelf.PASSWORD}\r\nsecond line\r\n", "utf-8-sig")
    return ("--password-file", str(folder / "word.txt"))


@pytest.mark.parametrize(
    "named",
    [_password_file, lambda _folder: ("--password-env", "WORD")],
    ids=["file", "environment"],
)
def test_a_password_may_come_from(
    named: Callable[[Path], tuple[str, ...]], things: Path, tmp_path: Path
) -> None:
    assert "public key, SHA-256" in mtls("inspect", things / "enc.key", *named(tmp_path)).stdout


def test_a_password_may_come_from_standard_input(things: Path) -> None:
    done = mtls("inspect", things / "enc.key", "--password-stdin", stdin=f"{shelf.PASSWORD}\n")
    assert "public key, SHA-256" in done.stdout


def test_an_openssl_that_hangs_is_ended_and_told(
    things: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = process.Door._run

    def slow(self: process.Door, program: Path, argv: Sequence[str], **how: Any) -> Finished:
        done = run(self, program, argv, **how)
        hangs = argv[0] == "x509"
        return dataclasses.replace(done, ending=Ending.TIMED_OUT) if hangs else done

    monkeypatch.setattr(process.Door, "_run", slow)
    assert "--timeout" in mtls("inspect", things / "server.crt", code=4).stderr


def test_a_pattern_that_no_file_fits_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    said = mtls("inspect", tmp_path / "*.crt", code=7).stderr

    assert f"no file fits the pattern {tmp_path / '*.crt'}" in said
    assert f"it was looked for in {tmp_path}" in said
    assert "as the user who owns" not in said


def test_a_pattern_in_a_folder_that_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    said = mtls("match", tmp_path / "none" / "?.crt", tmp_path / "a.crt", code=7).stderr

    assert f"There is no folder {tmp_path / 'none'}." in said


@pytest.mark.posix
def test_a_pattern_in_quotes_is_told_to_stand_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.crt").touch()

    assert "type it without quotes" in mtls("inspect", tmp_path / "*.crt", code=7).stderr


@pytest.mark.posix
def test_a_file_that_is_there_in_another_case_is_named(things: Path) -> None:
    said = mtls("inspect", things / "SERVER.crt", code=7).stderr

    assert "server.crt is there: its name differs in upper and lower case only" in said


@pytest.mark.posix
def test_a_link_to_what_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    (tmp_path / "link.crt").symlink_to("nowhere.crt")

    said = mtls("inspect", tmp_path / "link.crt", code=7).stderr

    assert "it is a link to nowhere.crt, which is not there" in said
    assert "its name differs" not in said


@pytest.mark.parametrize(
    "command", ["inspect {}", "match {}", "convert {} x.pem", "sign {}", "import-bat {}"]
)
def test_what_is_named_below_a_file_is_told_as_not_there(
    command: str, things: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(things)

    said = mtls(*command.format("server.crt/x.crt").split(), code=7).stderr

    assert "its name is spelt differently, or it is in another folder" in said
    assert "as the user who owns" not in said


@pytest.mark.posix
@pytest.mark.parametrize(
    "command",
    ["inspect {}", "convert {} x.pem", "key encrypt {}", "doctor --out {}", "all --out {}"],
)
def test_a_name_that_is_too_long_for_the_system_is_told_as_that(
    command: str, things: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(things)

    said = mtls(*command.format("a" * 300).split(), code=7).stderr

    assert "File name too long\nCause: the path is too long\n" in said
    assert "as the user who owns" not in said


def test_status_says_of_a_pattern_what_inspect_says(tmp_path: Path) -> None:
    status, inspect = (mtls(one, tmp_path / "q*", code=7).stderr for one in ("status", "inspect"))

    assert status == inspect
