"""A certificate for a key of others has what was granted here, whatever the request asks for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtls_openssl.cli import console
from mtls_openssl.openssl import extensions, req
from mtls_openssl.openssl.x509 import Description
from tests.requests import GREEDY, asked, request
from tests.sets import Set
from tests.test_sign import ca_fixture, host_fixture, only, whole_fixture

pytestmark = pytest.mark.end_to_end
_used = (ca_fixture, host_fixture, whole_fixture)

OURS = {
    extensions.BASIC_CONSTRAINTS, extensions.KEY_USAGE, extensions.EXTENDED_KEY_USAGE,
    extensions.SUBJECT_KEY_IDENTIFIER, extensions.AUTHORITY_KEY_IDENTIFIER,
    "X509v3 CRL Distribution Points",
}  # fmt: skip


def public_key(path: Path) -> str:
    return asked(path.parent, "req", "-in", path.name, "-noout", "-pubkey").strip()


def test_a_greedy_request_is_granted_none_of_it_and_told_what_it_asked(ca: Set, host: Path) -> None:
    theirs = request(host, "mallory", subject="/C=XX/O=Evil/OU=Root/CN=mallory", extensions=GREEDY)

    one = only(ca.must("sign", str(theirs), "--client", "--json").data)

    made = ca.certificate("mallory")
    assert set(made.extensions) == OURS
    assert made.extensions[extensions.BASIC_CONSTRAINTS].values == ("CA:FALSE",)
    assert extensions.usages(made.extensions[extensions.KEY_USAGE]) == ("digitalSignature",)
    assert extensions.usages(made.extensions[extensions.EXTENDED_KEY_USAGE]) == ("clientAuth",)
    assert made.subject == (*ca.certificate("alice").subject[:-1], ("CN", "mallory"))
    assert made.public_key == public_key(theirs)
    assert one["asked"]["basic_constraints"] == ["CA:TRUE", "pathlen:3"]
    assert one["asked"]["names"][:4] == [
        "DNS:server.your_domain.com",
        "DNS:*.example.com",
        "IP:192.0.2.1",
        "IP:2001:db8::1",
    ]
    assert one["asked"]["other_extensions"] == [
        "X509v3 Name Constraints",
        "X509v3 Certificate Policies",
        "1.3.6.1.4.1.99999.1",
    ]
    refused = {entry["what"] for entry in one["refused"]}
    assert refused >= {
        "C=XX", "O=Evil", "OU=Root", "CA:TRUE", "pathlen:3", "keyCertSign", "cRLSign",
        "codeSigning", "DNS:*.example.com", "URI:spiffe://example.com/admin",
        "1.3.6.1.4.1.99999.1", "X509v3 Name Constraints",
    }  # fmt: skip
    assert one["granted"]["names"] == []


def test_everything_is_shown_side_by_side(ca: Set, host: Path) -> None:
    theirs = request(host, "mallory", subject="/O=Evil/CN=mallory", extensions=GREEDY)

    shown = ca.must("sign", str(theirs), "--client").stdout

    assert "O=Evil, CN=mallory" in shown
    assert "yes, CA:TRUE, pathlen:3" in shown
    assert "  Not granted: 1.3.6.1.4.1.99999.1 (this extension is not known here" in shown
    assert "Send back mallory.crt and ca.crt" in shown


@pytest.mark.parametrize(
    ("granted", "names"),
    [
        ("none", ()),
        ("192.0.2.1,dns:*.EXAMPLE.com", ("DNS:*.example.com", "IP:192.0.2.1")),
        ("IP:2001:0db8::1", ("IP:2001:db8::1",)),
        (
            "all",
            (
                "DNS:server.your_domain.com", "DNS:*.example.com", "IP:192.0.2.1",
                "IP:2001:db8::1", "email:boss@example.com", "URI:spiffe://example.com/admin",
            ),
        ),
    ],
)  # fmt: skip
def test_the_names_are_those_that_are_granted(
    ca: Set, host: Path, granted: str, names: tuple[str, ...]
) -> None:
    from mtls_openssl.proof.certificates import alternatives_of

    theirs = request(host, "bob", extensions=GREEDY)

    ca.must("sign", str(theirs), "--client", "--grant-san", granted)

    assert alternatives_of(ca.certificate("bob")) == names


def test_a_name_that_nobody_asks_for_can_t_be_granted(ca: Set, host: Path) -> None:
    theirs = request(host, "bob", extensions="subjectAltName = DNS:bob.example.com\n")

    refused = ca.run("sign", str(theirs), "--client", "--grant-san", "eve.example.com")

    assert (refused.code, (ca.folder / "bob.crt").exists()) == (2, False)
    assert "DNS:bob.example.com" in refused.stderr


def test_the_side_is_the_one_that_the_request_says_or_must_be_given(ca: Set, host: Path) -> None:
    silent = request(host, "silent")
    says = request(host, "says", extensions="extendedKeyUsage = clientAuth\n")
    both = request(host, "both", extensions="extendedKeyUsage = clientAuth, serverAuth\n")

    assert ca.run("sign", str(silent)).code == 2
    assert ca.run("sign", str(both)).code == 2
    told = only(ca.must("sign", str(says), "--json").data)
    assert told["granted"]["role"] == "client"
    assert told["notes"] == ["the request itself says that it is for a client"]


def test_a_server_without_a_granted_name_is_refused_and_told_why(ca: Set, host: Path) -> None:
    theirs = request(host, "api", extensions="subjectAltName = DNS:api.example.com\n")

    refused = ca.run("sign", str(theirs), "--server")
    ca.must("sign", str(theirs), "--server", "--grant-san", "all")

    assert refused.code == 5
    assert "--grant-san all" in refused.stderr
    assert ca.certificate("api").extensions[extensions.ALTERNATIVE_NAME].values == (
        "DNS:api.example.com",
    )


@pytest.mark.parametrize("asks", ["", "subjectAltName = RID:1.2.3\n"], ids=["none", "unfit"])
def test_a_server_that_asks_for_no_name_is_told_to_ask_again(
    ca: Set, host: Path, asks: str
) -> None:
    theirs = request(host, "plain", extensions=asks)

    refused = ca.run("sign", str(theirs), "--server", "--grant-san", "all")

    assert (refused.code, "--grant-san" in refused.stderr) == (5, False)
    assert "csr NAME --server --dns" in refused.stderr


def test_the_whole_subject_is_taken_when_it_is_asked_for_by_option(ca: Set, host: Path) -> None:
    subject = "/DC=com/DC=example/O=伙伴/OU=A, B+C/emailAddress=a@b.example/CN=Bob"
    theirs = request(host, "bob", subject=subject.replace("+", "\\+"), extensions=GREEDY)

    ca.must("sign", str(theirs), "--client", "--subject", "as-asked")

    made = ca.certificate("bob")
    assert made.subject == req.parse(asked(host, *req.describe("bob.csr"))).subject
    assert set(made.extensions) == OURS


@pytest.mark.parametrize(
    ("subject", "said"),
    [("/O=x", "0 common names"), ("/CN=a/CN=b", "2 common names")],
)
def test_a_request_without_one_common_name_needs_one(
    ca: Set, host: Path, subject: str, said: str
) -> None:
    theirs = request(host, "bob", subject=subject)

    refused = ca.run("sign", str(theirs), "--client")
    ca.must("sign", str(theirs), "--client", "--cn", "Bob")

    assert (refused.code, said in refused.stderr) == (5, True)
    assert ca.certificate("bob").subject[-1] == ("CN", "Bob")


def test_somebody_at_a_terminal_is_asked(
    ca: Set, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from mtls_openssl.cli import app

    theirs = request(
        host, "api", extensions="subjectAltName = DNS:api.example.com, DNS:b.example\n"
    )
    monkeypatch.setattr(console, "is_interactive", lambda: True)
    words = ["sign", str(theirs), "--server", "--out", str(ca.folder)]

    refused = CliRunner().invoke(app, words, input="all\nn\n")
    there = (ca.folder / "api.crt").exists()
    signed = CliRunner().invoke(app, words, input="api.example.com\ny\n")

    assert (refused.exit_code, there, signed.exit_code) == (130, False, 0)
    assert ca.certificate("api").extensions[extensions.ALTERNATIVE_NAME].values == (
        "DNS:api.example.com",
    )


def test_yes_asks_nothing(ca: Set, host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = request(host, "bob", extensions="subjectAltName = DNS:bob.example.com\n")
    monkeypatch.setattr(console, "is_interactive", lambda: True)

    ca.must("sign", str(theirs), "--client", "--yes")

    assert extensions.ALTERNATIVE_NAME not in ca.certificate("bob").extensions


LINES = (
    "basicConstraints = CA:TRUE", "basicConstraints = critical, CA:FALSE",
    "keyUsage = keyCertSign, cRLSign", "extendedKeyUsage = clientAuth, anyExtendedKeyUsage",
    "subjectAltName = DNS:www.example.com, email:root@example.com", "1.2.3.4.5 = DER:05:00",
    "subjectKeyIdentifier = hash", "nameConstraints = permitted;email:example.com",
    "tlsfeature = status_request", "crlDistributionPoints = URI:http://evil.example/crl",
    "authorityInfoAccess = OCSP;URI:http://evil.example/",
    "policyConstraints = inhibitPolicyMapping:0",
)  # fmt: skip


@pytest.mark.posix  # What is granted is the same everywhere, as the greedy request shows.
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(lines=st.lists(st.sampled_from(LINES), unique_by=lambda line: line.split()[0]))
def test_whatever_is_asked_for_the_certificate_is_the_one_that_is_granted(
    ca: Set, lines: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        theirs = request(Path(folder), "bob", extensions="".join(f"{line}\n" for line in lines))

        ca.must("sign", str(theirs), "--client", "--replace", "--yes")

    made = ca.certificate("bob")
    assert set(made.extensions) == OURS
    assert values(made) == (("CA:FALSE",), ("clientAuth",), "http://pki.example.com/crl.der")


def values(made: Description) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    points = made.extensions["X509v3 CRL Distribution Points"].values
    return (
        made.extensions[extensions.BASIC_CONSTRAINTS].values,
        extensions.usages(made.extensions[extensions.EXTENDED_KEY_USAGE]),
        points[-1].strip().removeprefix("URI:"),
    )
