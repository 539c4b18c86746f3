"""What is objected to in a certificate is what strict validators refuse, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import shelf
from tests.machine import openssl, ran
from tests.shelf import part

pytestmark = pytest.mark.end_to_end

GOOD = {
    "basicConstraints": "CA:FALSE",
    "keyUsage": "digitalSignature",
    "extendedKeyUsage": "serverAuth",
    "subjectAltName": "DNS:server.example",
    "subjectKeyIdentifier": "hash",
    "authorityKeyIdentifier": "keyid",
}
GOOD_CA = {
    "basicConstraints": "critical,CA:TRUE",
    "keyUsage": "critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier": "hash",
    "authorityKeyIdentifier": "keyid",
}


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "shelf.cnf").write_text(shelf.CONFIG, "utf-8")
    shelf.root(folder)
    return folder


def issued(folder: Path, name: str, extensions: dict[str, str]) -> list[str]:
    """The codes of what is objected to in a certificate with these extensions."""
    lines = [f"{key} = {value}\n" for key, value in extensions.items() if value]
    shelf.issue(folder, name, "root", extensions="".join(lines))
    return [one["code"] for one in part(folder / f"{name}.crt")["objections"]]


def strict(folder: Path, *options: str) -> str:
    """What `openssl verify -x509_strict` says."""
    done = ran(
        openssl(), "verify", "-x509_strict", *options, cwd=folder, exit_code=None,
        env={"SSL_CERT_FILE": "none.pem"},
    )  # fmt: skip
    return done.stdout + done.stderr


def test_nothing_is_objected_to_in_a_good_certificate(things: Path) -> None:
    assert issued(things, "good", GOOD) == []
    assert "good.crt: OK" in strict(things, "-CAfile", "root.crt", "good.crt")
    assert part(things / "root.crt")["objections"] == []


STRICT_LEAVES = [
    ({"authorityKeyIdentifier": ""}, "authority-key-identifier"),
    ({"keyUsage": "digitalSignature,keyCertSign"}, "leaf-cert-sign"),
]


@pytest.mark.parametrize(
    ("changed", "code"), STRICT_LEAVES, ids=[code for _, code in STRICT_LEAVES]
)
def test_a_leaf_that_openssl_refuses_is_objected_to(
    changed: dict[str, str], code: str, things: Path
) -> None:
    extensions = GOOD | changed
    if not extensions["authorityKeyIdentifier"]:
        # Releases from 3.2 to 3.6 add it by themselves.
        extensions["authorityKeyIdentifier"] = "none"
    version = shelf.asked(things, "version")
    if "1.1.1" in version and extensions["authorityKeyIdentifier"] == "none":
        extensions["authorityKeyIdentifier"] = ""
    assert issued(things, "leaf", extensions) == [code]
    if "1.1.1" not in version:  # its strictness is less
        assert "error" in strict(things, "-CAfile", "root.crt", "leaf.crt")


STRICT_CAS = [
    ({"keyUsage": ""}, "ca-key-usage"),
    ({"basicConstraints": "CA:TRUE"}, "ca-constraints-critical"),
    ({"keyUsage": "critical,cRLSign"}, "ca-cert-sign"),
]


@pytest.mark.parametrize(("changed", "code"), STRICT_CAS, ids=[code for _, code in STRICT_CAS])
def test_a_ca_that_openssl_refuses_is_objected_to(
    changed: dict[str, str], code: str, things: Path
) -> None:
    assert issued(things, "middle", GOOD_CA | changed) == [code]
    version = shelf.asked(things, "version")
    # 1.1.1 was not strict yet; 4.0 gave this one rule up.
    if "1.1.1" not in version and not (" 4." in version and code == "ca-constraints-critical"):
        shelf.issue(things, "below", "middle")
        said = strict(things, "-CAfile", "root.crt", "-untrusted", "middle.crt", "below.crt")
        assert "error" in said


def test_the_ca_of_the_guides_batch_file_is_objected_to_as_python_does(things: Path) -> None:
    (things / "v3_ca.cnf").write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=v3_ca\n[dn]\n[v3_ca]\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always,issuer\n"
        "basicConstraints=critical,CA:TRUE\n",
        "ascii",
    )
    shelf.key(things, "guide")
    shelf.asked(
        things, "req", "-new", "-x509", "-days", "3650", "-key", "guide.key", "-out", "guide.crt",
        "-subj", "/CN=MyRootCA", env={"OPENSSL_CONF": "v3_ca.cnf"},
    )  # fmt: skip
    (objection,) = part(things / "guide.crt")["objections"]
    assert objection["code"] == "ca-key-usage"
    assert "Python 3.13" in objection["who"]


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"subjectAltName": ""}, ["server-names"]),
        ({"subjectAltName": "email:a@b.example"}, ["server-names"]),
        ({"subjectAltName": "DNS:10.0.0.1"}, ["address-as-name"]),
        ({"subjectAltName": "DNS:w*.server.example"}, ["wildcard"]),
        ({"subjectAltName": "DNS:*.example"}, ["wildcard"]),
        ({"subjectAltName": "DNS:*.server.example"}, []),
        (
            {"subjectAltName": "DER:30:0A:82:01:61:87:05:01:02:03:04:05"},  # a, and five bytes
            ["address-length"],
        ),
        ({"extendedKeyUsage": ""}, ["apple-server-auth"]),
        ({"extendedKeyUsage": "clientAuth", "subjectAltName": ""}, []),
        ({"keyUsage": "digitalSignature,keyEncipherment"}, ["ec-key-encipherment"]),
        ({"keyUsage": "keyAgreement"}, ["leaf-digital-signature"]),
        ({"extendedKeyUsage": "serverAuth,clientAuth"}, []),
    ],
)
def test_what_browsers_apple_and_tls_object_to_in_a_leaf_is_told(
    changed: dict[str, str], codes: list[str], things: Path
) -> None:
    assert issued(things, "leaf", GOOD | changed) == codes


@pytest.mark.parametrize(("days", "codes"), [(825, []), (826, ["apple-days"])])
def test_apples_825_days_are_counted(days: int, codes: list[str], things: Path) -> None:
    shelf.key(things, "long")
    shelf.self_sign(things, "long", "server", days)
    assert [one["code"] for one in part(things / "long.crt")["objections"]] == codes


@pytest.mark.parametrize(
    ("algorithm", "codes"),
    [
        (("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"), ["rsa-bits"]),
        (("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"), ["ec-curve"]),
        (shelf.ED25519, ["key-kind"]),
        (shelf.RSA, []),
    ],
    ids=["short RSA", "another curve", "Ed25519", "RSA"],
)
def test_keys_that_are_refused_are_told(
    algorithm: tuple[str, ...], codes: list[str], things: Path
) -> None:
    shelf.key(things, "odd", *algorithm)
    assert issued(things, "odd", GOOD) == codes
    (things / "odd.key").unlink()


def test_a_certificate_of_version_1_is_objected_to(things: Path) -> None:
    shelf.key(things, "old")
    shelf.request(things, "old")
    shelf.asked(things, "x509", "-req", "-in", "old.csr", "-signkey", "old.key", "-out", "old.crt")
    told = part(things / "old.crt")
    codes = [one["code"] for one in told["objections"]]
    # From 3.2 on openssl writes version 3 by itself.
    assert ("version-1" in codes) is (told["version"] == 1)
