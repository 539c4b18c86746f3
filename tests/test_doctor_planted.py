"""The doctor names each planted fault first, and what it prescribes cures it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import ailments, original
from tests.ailments import (
    CA,
    findings,
    gone,
    heed,
    issue,
    moved,
    of_the_set,
    rewritten,
    ssl,
    unlogged,
)
from tests.machine import PASSWORD, lock

pytestmark = pytest.mark.end_to_end

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def made(modern: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(modern, tmp_path_factory.mktemp("made") / "set"))
    unlogged(folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "我的 证书"))


def der(folder: Path) -> None:
    ssl(folder, "x509", "-in", "server.crt", "-outform", "DER", "-out", "server.der")
    (folder / "server.der").replace(folder / "server.crt")


def with_password(folder: Path) -> None:
    lock(folder / "server.key", PASSWORD)


def with_small_key(folder: Path) -> None:
    ssl(folder, "genrsa", "-out", "server.key", "1024")
    issue(folder, "server")


def swapped(folder: Path) -> None:
    (folder / "server.crt").replace(folder / "x")
    (folder / "client.crt").replace(folder / "server.crt")
    (folder / "x").replace(folder / "client.crt")


def with_key_inside(folder: Path) -> None:
    both = (folder / "server.crt").read_text() + (folder / "server.key").read_text()
    (folder / "server.crt").write_text(both)


def without_san(folder: Path) -> None:
    issue(folder, "server", extensions=ailments.SERVER[:4])


def with_five_bytes(folder: Path) -> None:
    names = "2.5.29.17 = DER:30:0A:82:01:61:87:05:01:02:03:04:05"
    issue(folder, "server", extensions=(*ailments.SERVER[:4], names))


def without_authority(folder: Path) -> None:
    names_its_serial = "authorityKeyIdentifier = issuer:always"
    issue(folder, "client", extensions=(names_its_serial, *ailments.CLIENT[1:]))


def for_clients_only(folder: Path) -> None:
    issue(folder, "server", extensions=ailments.CLIENT)


def ca_made_anew(folder: Path) -> None:
    ssl(folder, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-out", "ca.key")  # fmt: skip
    old = ssl(folder, "x509", "-in", "ca.crt", "-noout", "-subject", "-nameopt", "compat").strip()
    (folder / "v3.ext").write_text(
        "subjectKeyIdentifier = hash\nbasicConstraints = critical,CA:TRUE\n"
        "keyUsage = critical,keyCertSign\n"
    )
    ssl(folder, "req", "-new", "-key", "ca.key", "-out", "x.csr",
        "-subj", "/" + old.partition("=")[2].strip().lstrip("/").replace(", ", "/"))  # fmt: skip
    ssl(folder, "x509", "-req", "-in", "x.csr", "-signkey", "ca.key", "-days", "99",
        "-extfile", "v3.ext", "-out", "ca.crt")  # fmt: skip
    gone("v3.ext", "x.csr")(folder)


CURED: dict[str, tuple[Callable[[Path], None], str]] = {
    "ca.crt is missing": (gone("ca.crt"), "missing"),
    "server.crt is missing": (gone("server.crt"), "missing"),
    "client.key is missing": (gone("client.key"), "missing"),
    "nothing is there": (gone(*original.FILES), "no-set"),
    "client.crt is cut off": (rewritten("client.crt", lambda all_: all_[:400]), "damaged"),
    "server.crt is DER": (der, "der"),
    "ca.crt was saved as UTF-16": (
        rewritten("ca.crt", lambda all_: all_.decode().encode("utf-16")), "encoding"),
    "server.key is the client's": (moved("client.key", "server.key"), "key-mismatch"),
    "server.key has a password": (with_password, "key-password"),
    "the leaves are in each other's place": (swapped, "purpose"),
    "server.crt is for clients only": (for_clients_only, "purpose"),
    "server.crt has expired": (
        lambda folder: issue(folder, "server", begin=-9 * DAY, end=-DAY), "expired"),
    "server.crt lasts too long for Apple": (
        lambda folder: issue(folder, "server", end=900 * DAY), "apple-days"),
    "the CA has expired": (
        lambda folder: issue(folder, "ca", extensions=CA, begin=-9 * DAY, end=-DAY,
                             self_signed=True), "expired"),
    "the server's key is small": (with_small_key, "rsa-bits"),
    "the CA was made anew": (ca_made_anew, "chain"),
    "two serial numbers are one": (ailments.numbered, "serial-twice"),
    "a run was cut off": (ailments.journal, "unfinished"),
}  # fmt: skip


ALIKE = {
    "client.crt is cut off", "client.key is missing", "nothing is there",
    "server.crt is for clients only", "server.crt is missing",
    "server.crt lasts too long for Apple", "the CA was made anew", "the server's key is small",
    "two serial numbers are one",
}  # fmt: skip
"""What is the same on Windows, where a process takes its time."""

FAULTS = [
    pytest.param(fault, marks=[pytest.mark.posix] if fault in ALIKE else []) for fault in CURED
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named_first_and_cured_by_what_is_prescribed(
    fault: str, folder: Path
) -> None:
    plant, code = CURED[fault]
    plant(folder)
    first = of_the_set(findings(folder, password=None))[0]
    assert first.code == code, first
    mend = first.mend
    if "convert" in mend and fault == "server.key has a password":
        mend = f"{mend} --password-env MTLS_P12_PASSWORD"
    # One command at a time, as the doctor says, until all is well: the first one must help.
    heed(mend, folder)
    left = findings(folder, password=None)
    assert (first.code, first.subject) not in {(one.code, one.subject) for one in left}


NAMED: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "server.crt is empty": (rewritten("server.crt", lambda _: b""), "damaged", "server --out"),
    "server.key is damaged": (
        rewritten("server.key", lambda all_: all_[:60] + b"AAAAAAAA" + all_[68:]), "damaged",
        "server --profile modern --out"),
    "server.crt was saved with a byte order mark": (
        rewritten("server.crt", lambda all_: b"\xef\xbb\xbf" + all_), "encoding", "convert"),
    "server.key was saved as UTF-16": (
        rewritten("server.key", lambda all_: all_.decode().encode("utf-16")), "encoding",
        "convert"),
    "server.key holds the certificate": (
        moved("server.crt", "server.key"), "wrong-kind", "server --profile modern --out"),
    "server.crt holds the key too": (
        with_key_inside, "key-in-certificate", "server --profile modern --out"),
    "ca.key is the server's": (
        moved("server.key", "ca.key"), "key-mismatch", "all --profile modern --out"),
    "server.crt is the CA's": (
        moved("ca.crt", "server.crt"), "purpose", "server --profile modern --out"),
    "server.crt names no host": (without_san, "server-names", "server --profile modern --out"),
    "server.crt names an address of five bytes": (
        with_five_bytes, "address-length", "server --profile modern --server-dns a --out"),
    "client.crt does not say who issued it": (
        without_authority, "authority-key-identifier", "client --profile modern --out"),
    "server.crt is signed with SHA-1": (
        lambda folder: issue(folder, "server", digest="sha1"), "weak-hash",
        "server --profile modern --server-dns server.your_domain.com --server-dns localhost --out"),
}  # fmt: skip
"""With the command that is prescribed, which cures one of the others."""


@pytest.mark.posix  # the same on Windows, where a process takes its time
@pytest.mark.parametrize("fault", NAMED)
def test_a_planted_fault_is_named_first_with_what_cures_others_as_well(
    fault: str, folder: Path
) -> None:
    plant, code, command = NAMED[fault]
    plant(folder)
    first = of_the_set(findings(folder, password=None))[0]
    assert first.code == code, first
    assert first.mend.startswith(f"python -m mtls_openssl {command} ")
