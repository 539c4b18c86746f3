"""Every alert and every verify code that is told in words, caused for real."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from mtls_openssl.desk import Desk, at
from mtls_openssl.live import alerts, verification
from mtls_openssl.live.connect import Identity, Manner, connect
from mtls_openssl.live.reading import Answer
from mtls_openssl.live.target import Target
from mtls_openssl.locate import find
from mtls_openssl.process import Door
from tests.tls_servers import Workshop, context_of, over_tls, s_server, serving, web

pytestmark = pytest.mark.end_to_end

CA = ("basicConstraints = critical, CA:TRUE", "keyUsage = critical, keyCertSign, cRLSign")
SERVER = ("basicConstraints = CA:FALSE", "extendedKeyUsage = serverAuth")
LOCALHOST = "subjectAltName = DNS:localhost, IP:127.0.0.1"
CLIENT = ("basicConstraints = CA:FALSE", "extendedKeyUsage = clientAuth")
KEY_IDS = ("subjectKeyIdentifier = hash", "authorityKeyIdentifier = keyid")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    shop = Workshop.at(tmp_path_factory.mktemp("shop"))
    shop.certificate("ca", None, *CA)
    shop.certificate("server", "ca", *SERVER, LOCALHOST)
    shop.certificate("client", "ca", *CLIENT)
    return shop


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    door = Door()
    with at(tmp_path, find(None, door), door=door, purpose="connect") as desk:
        yield desk


def knock(
    desk: Desk,
    port: int,
    shop: Workshop,
    *,
    ca: str = "ca",
    client: str | None = None,
    name: str | None = "localhost",
    version: str | None = None,
) -> Answer:
    folder = shop.folder
    identity = Identity(folder / f"{client}.crt", folder / f"{client}.key") if client else None
    manner = Manner(ca=folder / f"{ca}.crt", identity=identity, name=name, version=version)
    return connect(desk, Target("127.0.0.1", port), manner)


def codes(answer: Answer, kind: str) -> list[int | None]:
    return [finding.code for finding in answer.wrong if finding.kind == kind]


def alert_record(number: int) -> bytes:
    """A fatal alert in plain, as before there are keys (RFC 8446 section 5.1)."""
    return bytes([0x15, 3, 3, 0, 2, 2, number])


@pytest.mark.parametrize("number", alerts.ALERTS)
def test_each_alert_of_a_server_is_told_by_its_own_words(
    number: int, desk: Desk, shop: Workshop
) -> None:
    def send_it(client: socket.socket) -> None:
        client.recv(8192)
        client.sendall(alert_record(number))
        client.recv(8192)

    with serving(send_it) as port:
        answer = knock(desk, port, shop)
    assert (answer.wrong[0].kind, answer.wrong[0].code) == ("alert", number)
    assert answer.wrong[0].told == alerts.ALERTS[number]


def test_an_alert_that_no_standard_names_is_told_by_its_number(desk: Desk, shop: Workshop) -> None:
    def send_it(client: socket.socket) -> None:
        client.recv(8192)
        client.sendall(alert_record(99))
        client.recv(8192)

    with serving(send_it) as port:
        answer = knock(desk, port, shop)
    assert "99" in answer.wrong[0].told.meaning


BOTH = ("1.2", "1.3")


@pytest.mark.parametrize(("version", "number"), [("1.2", 40), ("1.3", 116)])
def test_a_server_that_gets_no_certificate_sends_its_alert(
    version: str, number: int, desk: Desk, shop: Workshop
) -> None:
    with asking_server(shop) as port:
        answer = knock(desk, port, shop, version=version)
    assert codes(answer, "alert") == [number]
    assert answer.wrong[0].told.meaning == alerts.ALERTS[116].meaning
    assert (answer.asked, answer.sent, answer.accepted) == ("handshake", False, None)


def asking_server(shop: Workshop, *options: str) -> AbstractContextManager[int]:
    return s_server(
        shop.folder, "-cert", "server.crt", "-key", "server.key", "-CAfile", "ca.crt",
        "-Verify", "3", "-verify_return_error", *options,
    )  # fmt: skip


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    ("client", "number"),
    [("stranger", 48), ("server", 43), ("expired", 45), ("future", 42)],
)
def test_a_server_that_refuses_our_certificate_sends_its_alert(
    client: str, number: int, version: str, desk: Desk, clients: Workshop
) -> None:
    with asking_server(clients) as port:
        answer = knock(desk, port, clients, client=client, version=version)
    assert codes(answer, "alert") == [number]
    assert (answer.sent, answer.accepted) == (True, False)


@pytest.mark.parametrize("version", BOTH)
def test_a_server_that_has_our_certificate_on_its_list_sends_its_alert(
    version: str, desk: Desk, clients: Workshop
) -> None:
    with asking_server(clients, "-crl_check", "-CRL", "ca.crl") as port:
        answer = knock(desk, port, clients, client="revoked", version=version)
    assert codes(answer, "alert") == [44]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Client certificates that a server must refuse, each for a reason of its own."""
    shop = Workshop.at(tmp_path_factory.mktemp("clients"))
    shop.certificate("ca", None, *CA)
    shop.certificate("server", "ca", *SERVER, LOCALHOST)
    shop.certificate("stranger-ca", None, *CA)
    shop.certificate("stranger", "stranger-ca", *CLIENT)
    shop.certificate("expired", "ca", *CLIENT, dates=("20200101000000Z", "20200102000000Z"))
    shop.certificate("future", "ca", *CLIENT, dates=("20980101000000Z", "20991231235959Z"))
    shop.certificate("revoked", "ca", *CLIENT)
    shop.certificate("client", "ca", *CLIENT)
    shop.certificate("middle", "ca", *CA)
    shop.certificate("deep", "middle", *CLIENT)
    authority = ("-cert", "ca.crt", "-keyfile", "ca.key")
    shop.openssl("ca", "-revoke", "revoked.crt", *authority)
    shop.openssl("ca", "-gencrl", "-out", "ca.crl", *authority)
    return shop


def test_a_server_without_the_version_that_is_asked_for_sends_its_alert(
    desk: Desk, shop: Workshop
) -> None:
    options = ("-cert", "server.crt", "-key", "server.key", "-tls1_2")
    with s_server(shop.folder, *options) as port:
        answer = knock(desk, port, shop, version="1.3")
    assert codes(answer, "alert") == [70]


@pytest.mark.parametrize(
    "number",
    [
        ssl.AlertDescription.ALERT_DESCRIPTION_ACCESS_DENIED,
        ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR,
        ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME,
    ],
)
def test_a_server_that_does_not_like_the_name_sends_its_alert(
    number: ssl.AlertDescription, desk: Desk, shop: Workshop
) -> None:
    context = context_of(shop.folder, ssl.CERT_NONE)
    context.sni_callback = lambda _socket, _name, _context: number
    with serving(over_tls(context, web)) as port:
        answer = knock(desk, port, shop)
    assert codes(answer, "alert") == [int(number)]


def test_what_is_good_has_nothing_wrong(desk: Desk, shop: Workshop) -> None:
    with asking_server(shop) as port:
        answer = knock(desk, port, shop, client="client")
    assert answer.wrong == ()
    assert (answer.trusted, answer.named, answer.accepted) == (True, True, True)


WEAK = ("-cipher", "ALL:@SECLEVEL=0", "-tls1_2")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Server certificates with one fault each, named after their verify code."""
    shop = Workshop.at(tmp_path_factory.mktemp("servers"))
    shop.certificate("ca", None, *CA, KEY_IDS[0])
    shop.certificate("7", "ca", *SERVER, LOCALHOST)
    break_signature(shop.folder / "7.crt")
    shop.certificate("9", "ca", *SERVER, LOCALHOST, dates=("20980101000000Z", "20991231235959Z"))
    shop.certificate("10", "ca", *SERVER, LOCALHOST, dates=("20200101000000Z", "20200102000000Z"))
    shop.certificate("18", None, *SERVER, LOCALHOST)
    shop.certificate("other-ca", None, *CA)
    shop.certificate("20", "other-ca", *SERVER, LOCALHOST)
    shop.certificate("2-ca", "other-ca", *CA)
    shop.certificate("2", "2-ca", *SERVER, LOCALHOST)
    shop.certificate("24-ca", "ca", "basicConstraints = CA:FALSE")
    shop.certificate("24", "24-ca", *SERVER, LOCALHOST)
    shop.certificate("25-root", None, "basicConstraints = critical, CA:TRUE, pathlen:0", CA[1])
    shop.certificate("25-ca", "25-root", *CA)
    shop.certificate("25", "25-ca", *SERVER, LOCALHOST)
    shop.certificate("26", "ca", *CLIENT, LOCALHOST)
    shop.certificate("34", "ca", *SERVER, LOCALHOST, "1.2.3.4 = critical, ASN1:NULL")
    shop.certificate("47-ca", None, *CA, "nameConstraints = permitted;DNS:example.org")
    shop.certificate("47", "47-ca", *SERVER, "subjectAltName = DNS:localhost")
    shop.certificate("48-ca", None, *CA, "nameConstraints = excluded;DNS:localhost")
    shop.certificate("48", "48-ca", *SERVER, "subjectAltName = DNS:localhost")
    shop.certificate("32-ca", None, CA[0], "keyUsage = critical, cRLSign")
    shop.certificate("32", "32-ca", *SERVER, LOCALHOST)
    shop.certificate("62", "ca", *SERVER, "subjectAltName = DNS:other.example")
    shop.certificate("66", "ca", *SERVER, LOCALHOST, rsa=512)
    shop.certificate("67-ca", None, *CA, rsa=512)
    shop.certificate("67", "67-ca", *SERVER, LOCALHOST)
    shop.certificate("68-ca", None, *CA, rsa=2048)
    shop.certificate("68", "68-ca", *SERVER, LOCALHOST, digest="md5")
    distrusted = shop.openssl("x509", "-in", "ca.crt", "-addreject", "serverAuth", "-trustout")
    (shop.folder / "28-ca.crt").write_text(distrusted)
    shop.certificate("28", "ca", *SERVER, LOCALHOST)
    for code, same in ((19, 20), (21, 20), (64, 62)):
        for kind in ("crt", "key"):
            shutil.copy(shop.folder / f"{same}.{kind}", shop.folder / f"{code}.{kind}")
    return shop


def break_signature(certificate: Path) -> None:
    """Change the last byte of a certificate, which is of its signature (RFC 5280 section 4.1)."""
    der = bytearray(ssl.PEM_cert_to_DER_cert(certificate.read_text("ascii")))
    der[-1] ^= 1
    certificate.write_text(ssl.DER_cert_to_PEM_cert(bytes(der)), "ascii")


FAULTS: tuple[tuple[int, str, str | None], ...] = (
    (2, "2-ca", None),
    (7, "ca", None),
    (9, "ca", None),
    (10, "ca", None),
    (18, "ca", None),
    (19, "ca", "other-ca"),
    (20, "ca", None),
    (21, "ca", None),
    (24, "ca", "24-ca"),
    (25, "25-root", "25-ca"),
    (26, "ca", None),
    (28, "28-ca", None),
    (32, "32-ca", None),
    (34, "ca", None),
    (47, "47-ca", None),
    (48, "48-ca", None),
    (62, "ca", None),
    (64, "ca", None),
    (66, "ca", None),
    (67, "67-ca", None),
    (68, "68-ca", None),
)
"""A verify code, the CA that the client trusts, and what the server sends besides its own."""


@pytest.mark.parametrize(("code", "ca", "chain"), FAULTS)
def test_each_fault_of_a_servers_certificate_is_told_by_its_own_words(
    code: int, ca: str, chain: str | None, desk: Desk, servers: Workshop
) -> None:
    more = ("-cert_chain", f"{chain}.crt") if chain else ()
    weak = WEAK if code in {66, 67, 68} else ()
    options = ("-cert", f"{code}.crt", "-key", f"{code}.key", *more, *weak)
    with s_server(servers.folder, *options) as port:
        answer = knock(desk, port, servers, ca=ca, name="127.0.0.1" if code == 64 else "localhost")
    told = {finding.code: finding.told for finding in answer.wrong if finding.kind == "verify"}
    if code == 24 and 79 in told:  # since 3.0
        code = 79
    assert told.get(code) == verification.VERIFICATION[code]
    assert not (answer.trusted and answer.named)


RULES = (
    (3, ("-crl_check",), "client"),
    (12, ("-crl_check", "-CRLfile", "ca.crl", "-attime", "3471292800"), "client"),
    (22, ("-verify_depth", "0", "-untrusted", "middle.crt"), "deep"),
    (23, ("-crl_check", "-CRLfile", "ca.crl"), "revoked"),
)
"""A verify code, the rule of a server that leads to it, and the certificate it is applied to."""


@pytest.mark.parametrize(("code", "options", "certificate"), RULES)
def test_what_a_server_says_of_a_client_by_its_own_rules_is_told_by_its_own_words(
    code: int, options: tuple[str, ...], certificate: str, clients: Workshop
) -> None:
    said = clients.openssl(
        "verify", *options, "-CAfile", "ca.crt", f"{certificate}.crt", exit_code=2
    )
    assert f"error {code} at " in said
    words = verification.VERIFICATION[code].name.replace("-", " ")
    assert words.lower() in said.replace("-", " ").lower()


def test_every_row_of_the_tables_is_caused_here() -> None:
    caused = {code for code, *_how in (*FAULTS, *RULES)}
    assert {*caused, 79, verification.NO_CERTIFICATE} == set(verification.VERIFICATION)


def test_a_verify_code_that_is_not_in_the_table_is_told_in_openssls_words() -> None:
    assert "strange (verify error 999)" in verification.verification(999, "strange").meaning
