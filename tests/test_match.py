"""Certificate, key, request and PKCS#12 are told to belong together when they do, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import shelf
from tests.shelf import asked, joined, mtls, told

pytestmark = pytest.mark.end_to_end

OPEN = ("--password-env", "WORD")


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shelf.filled(tmp_path_factory.mktemp("shelf"))
    for name, algorithm in (("rsa", shelf.RSA), ("ed", shelf.ED25519)):
        shelf.key(folder, name, *algorithm)
        shelf.issue(folder, name, "root")
    return folder


@pytest.mark.parametrize("name", ["rsa", "server", "ed"])
def test_what_belongs_together_is_told_to(name: str, things: Path) -> None:
    files = [things / f"{name}.{ending}" for ending in ("crt", "key", "csr")]
    assert mtls("match", *files).stdout.startswith("Yes: they belong together.")


@pytest.mark.parametrize(("certificate", "key"), [("rsa", "ed"), ("server", "middle")])
def test_what_does_not_belong_together_is_told_not_to(
    certificate: str, key: str, things: Path
) -> None:
    done = mtls("match", things / f"{certificate}.crt", things / f"{key}.key", code=5)
    assert done.stdout.startswith("No: they do not belong together.")


def test_which_fits_which_is_told(things: Path) -> None:
    names = ("server.crt", "rsa.crt", "rsa.key", "server.csr")
    answer = told("match", *(things / name for name in names), code=5)
    groups = [[Path(one["file"]).name for one in group["members"]] for group in answer["groups"]]
    assert groups == [["server.crt", "server.csr"], ["rsa.crt", "rsa.key"]]


def test_the_key_in_a_p12_is_compared(things: Path) -> None:
    assert told("match", things / "server.p12", things / "server.crt", *OPEN)["ok"] is True


def test_an_encrypted_key_is_compared_with_its_password(things: Path) -> None:
    assert told("match", things / "server.crt", things / "enc.key", *OPEN)["ok"] is True


def test_an_encrypted_key_without_its_password_is_not_known(things: Path) -> None:
    done = mtls("match", things / "server.crt", things / "enc.key", code=5)
    assert done.stdout.startswith("Not known: not everything could be opened.")
    assert "To mend it: give the password by --password-env" in done.stderr


def test_an_encrypted_key_with_a_wrong_password_is_told(things: Path) -> None:
    wrong = {"WORD": "not this one"}
    done = mtls("match", things / "server.crt", things / "enc.key", *OPEN, code=5, env=wrong)
    assert "the password is not the one of this key" in done.stderr


def test_the_leaf_of_a_chain_is_enough(things: Path) -> None:
    assert told("match", things / "chain.pem", things / "server.key")["ok"] is True


def test_der_is_compared_with_pem(things: Path) -> None:
    asked(things, "pkey", "-in", "rsa.key", "-outform", "DER", "-out", "rsa.der")
    assert told("match", things / "rsa.crt", things / "rsa.der")["ok"] is True


def test_the_parts_of_one_file_are_compared_with_each_other(things: Path) -> None:
    together = joined(things, "together.pem", "server.key", "chain.pem")
    apart = joined(things, "apart.pem", "rsa.key", "chain.pem")
    assert told("match", together)["ok"] is True
    assert told("match", apart, code=5)["ok"] is False


def test_one_thing_alone_has_nothing_to_belong_to(things: Path) -> None:
    done = mtls("match", things / "server.crt", code=5)
    assert "nothing to compare it with" in done.stdout
    assert "To mend it: name the file to compare it with" in done.stderr


def test_a_missing_file_is_told(things: Path) -> None:
    done = mtls("match", things / "server.crt", things / "none.key", code=7)
    assert "there is no file" in done.stderr


def test_a_broken_file_is_told(things: Path) -> None:
    (things / "empty.key").touch()
    done = mtls("match", things / "server.crt", things / "empty.key", code=5)
    assert "it is empty" in done.stderr


def test_a_public_key_is_compared_too(things: Path) -> None:
    asked(things, "pkey", "-in", "server.key", "-pubout", "-out", "public.pem")
    assert told("match", things / "server.crt", things / "public.pem")["ok"] is True
