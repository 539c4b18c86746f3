"""A node of a cluster: one certificate for both sides of a connection, and only where asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtls_openssl.openssl import extensions
from tests.sets import Set, made_fixture

pytestmark = pytest.mark.end_to_end
_used = made_fixture

BOTH = ("TLS Web Server Authentication", "TLS Web Client Authentication")
SET = """
[ca]
key = "P-256"
[[server]]
name = "node"
key = "P-256"
dns = ["node.example.com"]
{more}
"""


def purposes(made: Set, name: str) -> tuple[str, ...]:
    return made.certificate(name).extensions[extensions.EXTENDED_KEY_USAGE].values


def accepted(made: Set, name: str, purpose: str) -> bool:
    argv = ("verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt", f"{name}.crt")
    return "OK" in made.openssl(*argv)


def test_a_peer_is_proven_for_both_sides_and_stays_one_when_it_is_renewed(made: Set) -> None:
    made.describe(SET.format(more="peer = true"))
    made.must("apply")
    made.must("server", "add", "alone", "--peer", "--key", "P-256")

    for name in ("node", "alone"):
        assert purposes(made, name) == BOTH
        assert accepted(made, name, "sslserver")
        assert accepted(made, name, "sslclient")
    log = (made.folder / "mtls-audit.jsonl").read_text("utf-8")
    assert all(f'"-purpose","ssl{side}"' in log for side in ("server", "client"))
    assert "server and client" in made.must("status").stdout
    made.must("renew", "node", "alone")
    assert (purposes(made, "node"), purposes(made, "alone")) == (BOTH, BOTH)
    assert made.actions("apply") == {}


@pytest.mark.parametrize("before", ["", "peer = true"])
def test_whoever_becomes_a_peer_or_is_one_no_longer_is_issued_again(made: Set, before: str) -> None:
    made.describe(SET.format(more=before))
    made.must("apply")
    key = (made.folder / "node.key").read_bytes()
    made.describe(SET.format(more="peer = false" if before else "peer = true"))

    assert made.actions("apply") == {"node": "reissue"}
    made.must("apply")

    assert purposes(made, "node") == (BOTH[:1] if before else BOTH)
    assert (made.folder / "node.key").read_bytes() == key


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SET.format(more='peer = "perhaps"'), "[[server]] peer 'perhaps'"),
        ('[[client]]\nname = "a"\npeer = true\n', "is no setting of [[client]]"),
    ],
)
def test_only_a_server_is_a_peer_and_it_is_one_or_not(made: Set, text: str, words: str) -> None:
    made.describe(text)

    ran = made.run("apply")

    assert (ran.code, words in ran.stderr) == (6, True), ran.stderr


def test_a_peer_asks_for_both_sides_and_is_granted_them_only_where_it_is_said(
    made: Set, tmp_path: Path
) -> None:
    made.describe(SET.format(more=""))
    made.must("apply")
    host = Set(tmp_path / "host")
    said = host.must("csr", "far", "--peer", "--dns", "far.example.com", "--key", "P-256").stdout
    assert "sign far.csr --server --peer --grant-san far.example.com\n" in said
    request = str(host.folder / "far.csr")

    assert made.run("sign", request).code == 2
    plain = made.must("sign", request, "--server", "--grant-san", "all").stdout
    assert "Not granted: clientAuth" in plain
    assert purposes(made, "far") == BOTH[:1]
    both = made.must("sign", request, "--peer", "--grant-san", "all").stdout

    assert "Not granted" not in both
    assert purposes(made, "far") == BOTH
    assert made.run("csr", "x", "--client", "--peer").code == 2
