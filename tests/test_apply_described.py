"""`apply` makes each certificate of a set as mtls.toml describes it, and `verify` proves it."""

from __future__ import annotations

import pytest

from mtls_openssl.openssl import extensions
from tests.sets import PASSPHRASE, Set, made_fixture

__all__ = ["made_fixture"]
pytestmark = pytest.mark.end_to_end

WHOLE = """\
profile = "modern"
org = "示例公司"
domain = "example.com"

[ca]
cn = "Root"
key = "P-384"
days = 4000
passphrase = "env:MTLS_CA_PASSPHRASE"
path_length = 1
permitted = ["example.com", "127.0.0.0/8", "2001:db8::/32"]
excluded = ["bad.example.com"]
crl_url = "http://pki.example.com/crl.der"
ocsp_url = "http://ocsp.example.com/"

[intermediate]
cn = "Issuing"
key = "RSA-2048"
days = 2000
path_length = 0

[[server]]
name = "www.example.com"
dns = ["www.example.com", "*.example.com"]
ip = ["127.0.0.1", "2001:db8::1"]
key = "RSA-3072"
p12 = ["default", "windows2016"]

[[client]]
name = "alice"
cn = "Alice, A/B + C"
email = ["alice@example.com"]
uri = ["spiffe://example.com/alice"]
key = "Ed25519"
"""


@pytest.fixture(name="original", scope="module")
def original_fixture(tmp_path_factory: pytest.TempPathFactory) -> Set:
    original = Set(tmp_path_factory.mktemp("original") / "set")
    original.describe(WHOLE)
    original.must("apply", MTLS_CA_PASSPHRASE=PASSPHRASE)
    return original


@pytest.fixture(name="whole")
def whole_fixture(original: Set, made: Set) -> Set:
    return made.copy_of(original)


def test_each_certificate_is_made_as_it_is_described(whole: Set) -> None:
    root, issuing = whole.certificate("ca"), whole.certificate("intermediate")
    www, alice = whole.certificate("www.example.com"), whole.certificate("alice")

    assert [one.subject[-1] for one in (root, issuing, www, alice)] == [
        ("CN", "Root"),
        ("CN", "Issuing"),
        ("CN", "www.example.com"),
        ("CN", "Alice, A/B + C"),
    ]
    assert [(one.key.kind, one.key.bits) for one in (root, issuing, www, alice) if one.key] == [
        ("EC", 384),
        ("RSA", 2048),
        ("RSA", 3072),
        ("ED25519", 0),
    ]
    assert dict(www.subject)["O"] == "示例公司"
    assert www.extensions[extensions.ALTERNATIVE_NAME].values == (
        "DNS:www.example.com",
        "DNS:*.example.com",
        "IP Address:127.0.0.1",
        "IP Address:2001:DB8:0:0:0:0:0:1",
    )
    assert alice.extensions[extensions.ALTERNATIVE_NAME].values == (
        "email:alice@example.com",
        "URI:spiffe://example.com/alice",
    )
    assert root.extensions[extensions.BASIC_CONSTRAINTS].values == ("CA:TRUE", "pathlen:1")
    assert issuing.extensions[extensions.BASIC_CONSTRAINTS].values == ("CA:TRUE", "pathlen:0")


def test_the_root_limits_the_names_below_it_and_leaves_say_where_to_ask(whole: Set) -> None:
    root, alice = whole.certificate("ca"), whole.certificate("alice")

    limits = root.extensions[extensions.NAME_CONSTRAINTS]
    assert (limits.critical, limits.values) == (
        True,
        (
            "Permitted:",
            "DNS:example.com",
            "IP:127.0.0.0/255.0.0.0",
            "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:0:0:0:0:0:0",
            "Excluded:",
            "DNS:bad.example.com",
        ),
    )
    said = [value for one in alice.extensions.values() for value in one.values]
    assert "URI:http://pki.example.com/crl.der" in said
    assert "OCSP - URI:http://ocsp.example.com/" in said


def test_what_an_address_in_certificates_means_on_windows_is_said(whole: Set) -> None:
    ran = whole.must("renew", "alice")
    assert "IIS refuses every client (403.13)" in ran.stdout
    assert "http://pki.example.com/crl.der leads" in ran.stdout


def test_the_chain_is_leaf_intermediate_root_and_strict_validators_take_it(whole: Set) -> None:
    folder = whole.folder

    def text(name: str) -> str:
        return (folder / name).read_text("ascii")

    assert text("chain.crt") == text("intermediate.crt") + text("ca.crt")
    assert text("alice.chain.crt") == text("alice.crt") + text("intermediate.crt")
    strict = ("verify", "-x509_strict", "-CAfile", "ca.crt", "-untrusted", "intermediate.crt")
    assert whole.openssl(*strict, "-purpose", "sslclient", "alice.crt") == "alice.crt: OK\n"
    assert (
        whole.openssl(*strict, "-verify_ip", "2001:db8::1", "www.example.com.crt")
        == "www.example.com.crt: OK\n"
    )


def test_the_cas_key_is_encrypted_and_a_pass_phrase_is_asked_for_by_name(whole: Set) -> None:
    assert "ENCRYPTED" in (whole.folder / "ca.key").read_text("ascii")
    assert "ENCRYPTED" not in (whole.folder / "intermediate.key").read_text("ascii")
    log = (whole.folder / "mtls-audit.jsonl").read_text("utf-8")
    assert PASSPHRASE not in log
    assert '"-passin","env:MTLS_CA_PASSPHRASE"' in log

    before = whole.files()
    ran = whole.run("apply", "--replace", "ca", MTLS_CA_PASSPHRASE=None)
    assert (ran.code, "the variable MTLS_CA_PASSPHRASE" in ran.stderr) == (6, True)
    assert whole.files() == before


def test_a_pkcs12_file_is_packed_for_each_reader_with_the_whole_chain_of_a_client(
    whole: Set,
) -> None:
    passwords = {
        name: (whole.folder / f"{name}.password").read_text("ascii").strip()
        for name in ("alice.p12", "www.example.com.p12", "www.example.com.windows2016.p12")
    }
    assert len(set(passwords.values())) == 3

    def held(name: str) -> int:
        password = f"pass:{passwords[name]}"
        text = whole.openssl("pkcs12", "-in", name, "-nokeys", "-passin", password)
        return text.count("BEGIN CERTIFICATE")

    assert [held(name) for name in passwords] == [3, 2, 2]


def test_a_second_run_does_nothing_and_needs_no_pass_phrase(whole: Set) -> None:
    before = whole.files()

    ran = whole.must("apply", MTLS_CA_PASSPHRASE=None)

    assert "Nothing to do" in ran.stdout
    assert whole.files() == before


def test_verify_checks_every_certificate_for_its_own_purpose(whole: Set) -> None:
    ran = whole.must("verify", "--json")
    checks: list[dict[str, str]] = ran.data["checks"]  # type: ignore[assignment]
    assert {check["file"] for check in checks} == {
        "ca.crt", "intermediate.crt", "alice.crt", "www.example.com.crt",
    }  # fmt: skip

    (whole.folder / "alice.key").write_bytes((whole.folder / "www.example.com.key").read_bytes())
    ran = whole.run("verify")
    assert (ran.code, "its public key is not that of alice.key" in ran.stderr) == (5, True)
