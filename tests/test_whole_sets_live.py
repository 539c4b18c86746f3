"""`handshake` and `connect` with sets of any names, below an intermediate authority."""

from __future__ import annotations

import json
import shutil
import ssl
from pathlib import Path

import pytest

from tests.sets import PASSPHRASE, Ran, Set
from tests.tls_servers import over_tls, serving, web

pytestmark = pytest.mark.end_to_end

DESCRIBED = """\
profile = "modern"
domain = "example.com"

[ca]
passphrase = "env:MTLS_CA_PASSPHRASE"

[intermediate]
cn = "Issuing"

[[server]]
name = "www"
dns = ["www.example.com", "localhost"]

[[client]]
name = "alice"

[[client]]
name = "bob"
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Set:
    made = Set(tmp_path_factory.mktemp("whole") / "一 套")
    made.describe(DESCRIBED)
    made.must("apply", MTLS_CA_PASSPHRASE=PASSPHRASE)
    return made


@pytest.fixture
def own(whole: Set, tmp_path: Path) -> Set:
    """A copy, to be spoilt."""
    copy = Set(tmp_path / "own")
    shutil.copytree(whole.folder, copy.folder, dirs_exist_ok=True)
    return copy


def happened(ran: Ran) -> dict[object, bool]:
    rows: list[dict[str, object]] = ran.data["handshakes"]  # type: ignore[assignment]
    return {row["tried"]: bool(row["as_expected"]) for row in rows}


def test_the_only_server_is_proven_with_the_client_that_is_named(whole: Set) -> None:
    before = whole.files()
    tried = happened(whole.must("handshake", "--client", "bob", "--json"))

    assert tried == dict.fromkeys(
        (
            "bob.crt",
            "no certificate",
            "a certificate of another CA",
            "www.crt as the client's",
            "a name that www.crt lacks",
            "an expired certificate",
        ),
        True,
    )
    assert whole.files() == before


def test_where_there_are_several_and_none_is_named_all_are_listed(whole: Set) -> None:
    ran = whole.run("handshake")
    assert ran.code == 2
    assert "several client certificates" in ran.stderr
    assert "there are: alice, bob" in ran.stderr
    assert "name one of them: --client alice" in ran.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("carol", "There is no certificate carol"),
        ("alice", "alice.crt may not be used by a server"),
    ],
)
def test_a_name_of_none_or_of_the_other_side_is_refused(whole: Set, name: str, words: str) -> None:
    ran = whole.run("handshake", "--server", name)
    assert (ran.code, words in ran.stderr) == (7, True)
    assert "there are: www" in ran.stderr


def test_a_chain_that_is_not_the_servers_is_found_as_a_client_finds_it(own: Set) -> None:
    other = Set(own.folder.parent / "other")
    other.describe(DESCRIBED)
    other.must("apply", MTLS_CA_PASSPHRASE=PASSPHRASE)
    shutil.copy(other.folder / "www.chain.crt", own.folder / "www.chain.crt")

    ran = own.run("handshake", "--client", "alice")

    assert ran.code == 5
    assert "Cause: www.crt: " in ran.stderr
    assert "python -m mtls_openssl apply" in ran.stderr


def test_a_revoked_client_of_a_whole_set_is_kept_out(own: Set) -> None:
    own.must("revoke", "bob", MTLS_CA_PASSPHRASE=PASSPHRASE)

    tried = happened(own.must("handshake", "--client", "alice", "--json"))

    assert (tried["alice.crt"], tried["a revoked client"]) == (True, True)


def root_only(folder: Path) -> ssl.SSLContext:
    """A server that knows the root alone: clients have to send who issued their certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "www.chain.crt", folder / "www.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_connect_sends_the_certificate_that_is_named_and_its_chain(whole: Set) -> None:
    with serving(over_tls(root_only(whole.folder), web)) as port:
        ran = whole.must("connect", f"localhost:{port}", "--client", "bob", "--json")

    sent = ran.data["client_certificate"]
    assert isinstance(sent, dict)
    assert (sent["sent"], sent["accepted"]) == (True, True)
    assert len(json.loads(ran.stdout)["chain"]) == 2


def test_connect_takes_the_only_client_and_asks_which_of_several(own: Set) -> None:
    ran = own.run("connect", "localhost:1")
    assert (ran.code, "--client alice" in ran.stderr) == (2, True)

    for path in own.folder.glob("bob.*"):
        path.unlink()
    with serving(over_tls(root_only(own.folder), web)) as port:
        assert (
            "alice.chain.crt was sent; accepted" in own.must("connect", f"localhost:{port}").stdout
        )


def test_connect_refuses_two_ways_to_name_one_certificate(whole: Set) -> None:
    ran = whole.run("connect", "localhost:1", "--client", "bob", "--cert", "x.crt")
    assert (ran.code, "choose one of them" in ran.stderr) == (2, True)
