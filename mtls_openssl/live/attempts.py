"""The ways to knock at the server of a set, and what must come of each."""

from __future__ import annotations

import dataclasses

from mtls_openssl.language import Text, _
from mtls_openssl.live import revoked, strangers, verification

LACKING = "not-in-the-certificate.invalid"
"""A name that no certificate has (RFC 6761 section 6.4)."""


@dataclasses.dataclass(frozen=True)
class Parties:
    """Who takes part.

    Args:
        server: what the files of the server's certificate are called.
        client: what those of the client's are called.
        trusted: the file with the CAs by which clients are checked.
        server_chain: the file with who issued the server's certificate; empty where that is the
            root.
        client_chain: the same for the client's.
    """

    server: str = "server"
    client: str = "client"
    trusted: str = "ca.crt"
    server_chain: str = ""
    client_chain: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the set that take part."""
        names = (self.server, self.client)
        return ("ca.crt", *(f"{name}.{kind}" for name in names for kind in ("key", "crt")))

    @property
    def server_pair(self) -> tuple[str, str]:
        """The server's certificate and key."""
        return f"{self.server}.crt", f"{self.server}.key"

    @property
    def client_pair(self) -> tuple[str, str]:
        """The client's certificate and key."""
        return f"{self.client}.crt", f"{self.client}.key"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One way to knock at the server.

    Args:
        title: what is tried.
        expected: what must come of it.
        name: the name that the client asks for and wants in the certificate; empty for the
            certificate's own.
        client: the client's certificate and key; None to go without.
        chain: the file with who issued the client's certificate; empty to send none.
        apart: whether these are in the scratch folder, and not in the set's.
        server_says: verify codes of which the server must give one as its reason.
        client_says: verify codes of which the client must.
    """

    title: Text
    expected: Text
    name: str = ""
    client: tuple[str, str] | None = None
    chain: str = ""
    apart: bool = False
    server_says: frozenset[int] = frozenset()
    client_says: frozenset[int] = frozenset()

    @property
    def is_let_in(self) -> bool:
        """Whether it must be let in."""
        return not self.server_says and not self.client_says


_REFUSED = _("refused")

EXPIRED = Attempt(
    _("an expired certificate"),
    _REFUSED,
    client=strangers.EXPIRED,
    apart=True,
    server_says=frozenset({verification.EXPIRED}),
)
REVOKED = Attempt(
    _("a revoked client"),
    _REFUSED,
    client=revoked.REVOKED,
    apart=True,
    server_says=frozenset({verification.REVOKED}),
)


def always(parties: Parties) -> tuple[Attempt, ...]:
    """What is tried with every set."""
    certificate, _key = parties.server_pair
    client = Text("{file}", file=parties.client_pair[0])
    return (
        Attempt(client, _("let in"), client=parties.client_pair, chain=parties.client_chain),
        Attempt(
            _("no certificate"), _REFUSED, server_says=frozenset({verification.NO_CERTIFICATE})
        ),
        Attempt(
            _("a certificate of another CA"),
            _REFUSED,
            client=strangers.STRANGER,
            apart=True,
            server_says=verification.UNKNOWN_CA,
        ),
        Attempt(
            _("{file} as the client's", file=certificate),
            _REFUSED,
            client=parties.server_pair,
            server_says=frozenset({verification.WRONG_PURPOSE}),
        ),
        Attempt(
            _("a name that {file} lacks", file=certificate),
            _("refused by the client"),
            name=LACKING,
            client=parties.client_pair,
            chain=parties.client_chain,
            client_says=verification.WRONG_NAME,
        ),
    )
