"""A key gets a password or loses it in a new file; the old one is never written over."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import shelf
from tests.machine import snapshot
from tests.shelf import asked, mtls, part, told

pytestmark = pytest.mark.end_to_end

OPEN = ("--password-env", "WORD")
NEW = ("--new-password-env", "NEW")
SHUT = ("--password-env", "NEW")
KINDS = {"rsa": shelf.RSA, "ec": shelf.EC, "ed": shelf.ED25519}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "shelf.cnf").write_text(shelf.CONFIG, "utf-8")
    for name, algorithm in KINDS.items():
        shelf.key(folder, name, *algorithm)
    return folder


@pytest.fixture
def keys(made: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    shutil.copytree(made, folder)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_gets_a_password_and_loses_it_again(kind: str, keys: Path) -> None:
    mtls("key", "encrypt", keys / f"{kind}.key", *NEW)
    mtls("key", "decrypt", keys / f"{kind}.enc.key", *SHUT, "--out-file", keys / "again.key")
    before, after = part(keys / f"{kind}.key"), part(keys / "again.key")
    assert after["encrypted"] is False
    assert after["public_key_sha256"] == before["public_key_sha256"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_encrypted_with_aes_256_on_every_release(kind: str, keys: Path) -> None:
    mtls("key", "encrypt", keys / f"{kind}.key", *NEW)
    told_ = part(keys / f"{kind}.enc.key", *SHUT)
    assert told_["encryption"] == ["PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc"]
    assert told_["opened"] is True


def test_a_traditional_key_is_decrypted_too(keys: Path) -> None:
    old = ("rsa", "-in", "rsa.key", "-aes128", "-passout", "env:WORD", "-out", "old.key")
    asked(keys, *old, *(() if "1.1.1" in asked(keys, "version") else ("-traditional",)))
    mtls("key", "decrypt", keys / "old.key", *OPEN)
    assert part(keys / "old.dec.key")["encrypted"] is False


def test_a_key_gets_another_password(keys: Path) -> None:
    mtls("key", "encrypt", keys / "ec.key", "--new-password-env", "WORD")
    mtls("key", "encrypt", keys / "ec.enc.key", *OPEN, *NEW, "--out-file", keys / "other.key")
    assert part(keys / "other.key", *SHUT)["opened"] is True


def test_a_key_without_a_password_may_have_its_new_one_by_the_short_option(keys: Path) -> None:
    mtls("key", "encrypt", keys / "ec.key", *OPEN)
    assert part(keys / "ec.enc.key", *OPEN)["opened"] is True


def test_the_old_key_stays_as_it_was(keys: Path) -> None:
    before = (keys / "ec.key").read_bytes()
    mtls("key", "encrypt", keys / "ec.key", *NEW)
    assert (keys / "ec.key").read_bytes() == before


def test_the_old_key_is_not_written_over_even_with_force(keys: Path) -> None:
    before = snapshot(keys)
    same = ("--out-file", keys / "ec.key", "--force")
    assert "the only copy" in mtls("key", "encrypt", keys / "ec.key", *NEW, *same, code=2).stderr
    assert snapshot(keys) == before


def test_a_file_that_is_there_is_not_touched(keys: Path) -> None:
    (keys / "ec.enc.key").write_text("mine")
    before = snapshot(keys)
    assert "--force" in mtls("key", "encrypt", keys / "ec.key", *NEW, code=7).stderr
    assert snapshot(keys) == before


@pytest.mark.posix
@pytest.mark.parametrize("command", ["encrypt", "decrypt"])
def test_the_new_key_is_for_its_owner_alone(command: str, keys: Path) -> None:
    mtls("key", "encrypt", keys / "ec.key", *NEW, "--out-file", keys / "enc.key")
    source = keys / ("ec.key" if command == "encrypt" else "enc.key")
    options = NEW if command == "encrypt" else SHUT
    mtls("key", command, source, *options, "--out-file", keys / "x.key")
    assert (keys / "x.key").stat().st_mode & 0o777 == 0o600


def test_both_passwords_may_come_from_standard_input(keys: Path) -> None:
    mtls("key", "encrypt", keys / "ec.key", *OPEN)
    mtls(
        "key", "encrypt", keys / "ec.enc.key", "--password-stdin", "--new-password-stdin",
        "--out-file", keys / "x.key", stdin=f"{shelf.PASSWORD}\n{shelf.NEW_PASSWORD}\n",
    )  # fmt: skip
    assert part(keys / "x.key", *SHUT)["opened"] is True


def test_one_password_from_standard_input_is_enough(keys: Path) -> None:
    mtls("key", "encrypt", keys / "ec.key", "--password-stdin", stdin=f"{shelf.PASSWORD}\n")
    assert part(keys / "ec.enc.key", *OPEN)["opened"] is True


@pytest.mark.parametrize(
    ("argv", "code", "says"),
    [
        (("decrypt", "ec.key", *OPEN), 2, "has no password that could be taken off"),
        (("encrypt", "ec.key"), 2, "is to have a password, and none is given"),
        (("encrypt", "shelf.cnf", *NEW), 7, "no certificate, request, key"),
        (("encrypt", "none.key", *NEW), 7, "there is no file"),
        (("encrypt", "enc.key", *OPEN), 2, "has a password already"),
        (("decrypt", "enc.key"), 2, "has a password, and none is given"),
        (("decrypt", "enc.key", *SHUT), 4, "is not opened by the password"),
        (("encrypt", "ec.key", "--new-password-env", "HAN"), 6, "printable ASCII"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_can_not_be_done_is_told_and_leaves_nothing(
    argv: tuple[str, ...], code: int, says: str, keys: Path
) -> None:
    asked(keys, "pkey", "-in", "ec.key", "-aes256", "-passout", "env:WORD", "-out", "enc.key")
    before = snapshot(keys)
    command, name, *options = argv
    done = mtls("key", command, keys / name, *options, code=code, env={"HAN": "密码密码"})
    assert says in done.stderr
    assert snapshot(keys) == before


def test_a_certificate_is_no_key(keys: Path) -> None:
    shelf.self_sign(keys, "ec", "root")
    assert "one private key" in mtls("key", "encrypt", keys / "ec.crt", *NEW, code=2).stderr


def test_what_was_written_is_told_as_data(keys: Path) -> None:
    told_ = told("key", "encrypt", keys / "ec.key", *NEW)
    assert told_["files"] == {str(keys / "ec.enc.key"): ["private key"]}
