"""Certificates and lists taken apart here are those that openssl reads, and nothing breaks it."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtls_openssl.inspection.content import Kind, taken_apart
from mtls_openssl.inventory import certificate, container, keys, reading, revocation
from mtls_openssl.inventory.der import NotDerError
from mtls_openssl.openssl import crl, x509
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.extensions import alternatives
from mtls_openssl.openssl.x509 import Description
from tests import shelf
from tests.tls_servers import Workshop

pytestmark = pytest.mark.end_to_end

COMPARED = (
    ext.BASIC_CONSTRAINTS, ext.KEY_USAGE, ext.EXTENDED_KEY_USAGE, ext.SUBJECT_KEY_IDENTIFIER,
    ext.AUTHORITY_KEY_IDENTIFIER, ext.ALTERNATIVE_NAME,
)  # fmt: skip
LEAF = ("basicConstraints = CA:FALSE", "subjectKeyIdentifier = hash")
NAMES = (
    "subjectAltName = DNS:a.example, DNS:*.b.example, IP:192.0.2.1, IP:2001:db8::1,"
    " email:a@b.example, URI:https://a.example/x"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One certificate of each kind."""
    shop = Workshop.at(tmp_path_factory.mktemp("kinds"))
    shop.certificate(
        "ca", None, "basicConstraints = critical, CA:TRUE, pathlen:1",
        "keyUsage = critical, keyCertSign, cRLSign", "subjectKeyIdentifier = hash", rsa=2048,
        dates=("500101000000Z", "20991231235959Z"),
    )  # fmt: skip
    shop.certificate(
        "plain", "ca", *LEAF, NAMES, "keyUsage = digitalSignature, decipherOnly, keyAgreement",
        "authorityKeyIdentifier = keyid, issuer",
        "extendedKeyUsage = serverAuth, clientAuth, codeSigning, 1.2.3.4",
        subject="/CN=x, y+z=\\/ü",
    )  # fmt: skip
    shop.certificate(
        "later", "ca", *LEAF, digest="sha384", dates=("20490101000000Z", "20510101000000Z")
    )
    return shop


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shelf.filled(tmp_path_factory.mktemp("shelf"))
    shelf.key(folder, "ed", *shelf.ED25519)
    shelf.issue(folder, "ed", "middle")
    shelf.key(folder, "rsa", *shelf.RSA)
    subject = "/C=CN/O=安全组/OU=a+OU=b/emailAddress=a@b.example/1.2.3.4=odd/CN=王 小明"
    shelf.asked(
        folder, "req", "-new", "-key", "rsa.key", "-out", "rsa.csr", "-utf8", "-multivalue-rdn",
        "-subj", subject,
    )  # fmt: skip
    shelf.asked(
        folder, "x509", "-req", "-in", "rsa.csr", "-CA", "root.crt", "-CAkey", "root.key",
        "-set_serial", "-0x80", "-days", "9", "-out", "rsa.crt",
    )  # fmt: skip
    return folder


def as_openssl_reads(folder: Path, name: str) -> Description:
    said = shelf.asked(folder, *x509.inspect(name), env={"OPENSSL_CONF": ""})
    return x509.parse_text(said)


def compared(described: Description) -> Description:
    """What both are to agree on, in a form that no release has for itself."""
    found = described.extensions
    values = {
        name: dataclasses.replace(
            found[name],
            values={
                ext.ALTERNATIVE_NAME: alternatives(found[name]),
                ext.SUBJECT_KEY_IDENTIFIER: (ext.key_identifier(found[name]),),
                ext.AUTHORITY_KEY_IDENTIFIER: (ext.key_identifier(found[name]),),
            }.get(name, found[name].values),
        )
        for name in COMPARED
        if name in found
    }
    return dataclasses.replace(described, extensions=values)


def der(file: Path) -> bytes:
    (part,) = taken_apart(file.read_bytes()).parts
    return reading._bytes(part.data)


@pytest.mark.parametrize("name", ["ca", "plain", "later"])
def test_a_certificate_says_what_openssl_says_of_it(shop: Workshop, name: str) -> None:
    described, own = certificate.read(der(shop.folder / f"{name}.crt") + b"more")

    assert own == der(shop.folder / f"{name}.crt")
    assert compared(described) == compared(as_openssl_reads(shop.folder, f"{name}.crt"))


@pytest.mark.parametrize("name", ["root", "middle", "server", "ed", "rsa"])
def test_so_it_is_with_other_keys_and_names(stocked: Path, name: str) -> None:
    described, _own = certificate.read(der(stocked / f"{name}.crt"))

    assert compared(described) == compared(as_openssl_reads(stocked, f"{name}.crt"))


def test_a_list_says_what_openssl_says_of_it(stocked: Path) -> None:
    listed, _own = revocation.read(der(stocked / "crl.pem"))
    theirs = crl.parse(shelf.asked(stocked, *crl.describe("crl.pem")))

    assert dataclasses.replace(listed, extensions={}) == dataclasses.replace(theirs, extensions={})
    assert listed.revoked[0].reason == "Key Compromise"


@pytest.mark.parametrize("form", ["pkcs8", "traditional"])
@pytest.mark.parametrize("name", ["root", "rsa"])
def test_the_public_half_of_a_private_key_is_found_in_it(
    stocked: Path, name: str, form: str
) -> None:
    kind = "rsa" if name == "rsa" else "ec"
    file = f"{name}.{form}.key"
    how = ("pkcs8", "-topk8", "-nocrypt") if form == "pkcs8" else (kind,)
    shelf.asked(stocked, *how, "-in", f"{name}.key", "-out", file)
    data = reading._bytes(taken_apart((stocked / file).read_bytes()).parts[-1].data)

    public = as_openssl_reads(stocked, f"{name}.crt").public_key
    assert keys.of_private(data) == keys.of_public(public) != ""


def test_what_a_structure_is_is_found_out_by_its_content(stocked: Path) -> None:
    for name, argv in {
        "server.p7b": ("crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-outform", "DER"),
        "server.der": ("x509", "-in", "server.crt", "-outform", "DER"),
        "crl.der": ("crl", "-in", "crl.pem", "-outform", "DER"),
        "encrypted.der": ("pkcs8", "-topk8", "-in", "server.key", "-outform", "DER", "-passout",
                          "env:WORD"),
    }.items():  # fmt: skip
        shelf.asked(stocked, *argv, "-out", name)
    kinds = {
        name: container.kind((stocked / name).read_bytes())
        for name in ("server.p7b", "server.der", "crl.der", "encrypted.der", "server.p12")
    }

    assert list(kinds.values()) == [
        Kind.PKCS7, Kind.CERTIFICATE, Kind.CRL, Kind.KEY, Kind.PKCS12,
    ]  # fmt: skip
    assert container.is_encrypted_key((stocked / "encrypted.der").read_bytes())
    within = reading.read(stocked / "server.p7b", "server.p7b").certificates
    assert [one.described.subject[-1][1] for one in within] == ["server", "middle", "root"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_nothing_that_is_damaged_breaks_it(
    shop: Workshop, stocked: Path, data: st.DataObject
) -> None:
    whole = bytearray(
        der(data.draw(st.sampled_from((shop.folder / "plain.crt", stocked / "crl.pem"))))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(whole[: data.draw(st.integers(0, len(whole)))])

    for read in (certificate.read, revocation.read, keys.of_private, container.within):
        with contextlib.suppress(NotDerError):
            tuple(read(damaged))
    container.kind(damaged)
    container.is_encrypted_key(damaged)
