"""The nouns of a whole set: its authorities, its certificates, and what is asked of each. Frozen.

`settings` makes a manifest of what was written and typed; `plan` makes steps of it, and `proof`
holds what was made against it.
"""

from __future__ import annotations

import enum
from typing import Literal

from mtls_openssl.frozen import dataclass

Name = tuple[tuple[str, str], ...]
"""A distinguished name: attribute short names and values, the first one first."""

ROOT = "ca"
INTERMEDIATE = "intermediate"
"""What the files of an authority are called, before the dot."""


class Role(enum.StrEnum):
    """Which side of a connection a certificate is for."""

    SERVER = "server"
    CLIENT = "client"

    @property
    def purpose(self) -> str:
        """What `openssl verify -purpose` calls it."""
        return f"ssl{self.value}"

    @property
    def usage(self) -> str:
        """Its extended key usage (RFC 5280, section 4.2.1.12)."""
        return f"{self.value}Auth"


@dataclass(frozen=True)
class Key:
    """Which kind of key.

    Args:
        algorithm: the kind.
        bits: the size of an RSA key.
        curve: the curve of an EC key, as NIST calls it: P-256 or P-384.
    """

    algorithm: Literal["RSA", "EC", "ED25519"]
    bits: int = 0
    curve: str = ""

    def __str__(self) -> str:
        if self.algorithm == "RSA":
            return f"RSA-{self.bits}"
        return self.curve if self.algorithm == "EC" else "Ed25519"


class _Files:
    """What the files of one certificate are called."""

    name: str

    @property
    def key_file(self) -> str:
        """The name of the file of its key."""
        return f"{self.name}.key"

    @property
    def certificate_file(self) -> str:
        """The name of the file of its certificate."""
        return f"{self.name}.crt"


@dataclass(frozen=True)
class Authority(_Files):
    """A certification authority.

    Args:
        name: ROOT or INTERMEDIATE.
        subject: its name.
        days: how long its certificate lasts.
        key: its kind of key.
        encrypted: whether its key has a pass phrase.
        path_length: how many authorities may stand below it; None for no limit (RFC 5280,
            section 4.2.1.9).
        permitted: the names that may be certified below it, as openssl writes them in a
            nameConstraints, such as `DNS:example.com`; none for no limit (section 4.2.1.10).
        excluded: the names that may not.
    """

    name: str
    subject: Name
    days: int
    key: Key
    encrypted: bool = False
    path_length: int | None = None
    permitted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def passphrase_variable(self) -> str:
        """The environment variable that openssl reads its pass phrase from; empty for none."""
        return passphrase_variable(self.name) if self.encrypted else ""


def passphrase_variable(authority: str) -> str:
    """The environment variable that holds the pass phrase of the authority `authority`'s key."""
    return f"MTLS_{authority.upper()}_PASSPHRASE"


PASSPHRASE_VARIABLES = tuple(map(passphrase_variable, (ROOT, INTERMEDIATE)))
"""The environment variables that the pass phrases of authorities' keys are read from."""


@dataclass(frozen=True)
class Packing:
    """A PKCS#12 file that a certificate and its key are packed into.

    Args:
        file: the name of the file.
        name: the friendly name in it.
        reader: the one of `profiles.P12_FOR` who must be able to read it; None for the algorithms
            that the openssl release likes best.
    """

    file: str
    name: str
    reader: str | None = None

    @property
    def password_file(self) -> str:
        """The name of the file that a password goes to which was made up by us."""
        return f"{self.file}.password"


@dataclass(frozen=True)
class Leaf(_Files):
    """A certificate of a server or of a client: an end entity, in the words of RFC 5280.

    Args:
        name: what its files are called before the dot, such as `client` or `alice`.
        role: which side it is for.
        subject: whom it is for.
        days: how long it lasts.
        key: its kind of key.
        alternatives: its subjectAltName, as openssl.cnf has it: `DNS:…`, `IP:…`, `email:…`,
            `URI:…` (x509v3_config(5)).
        extensions: the name of its extension file.
        critical_key_usage: whether it marks keyUsage critical (RFC 5280, section 4.2.1.3).
        packings: the PKCS#12 files that it goes into.
        peer: whether it is for the other side as well: a server that is a client of its peers.
    """

    name: str
    role: Role
    subject: Name
    days: int
    key: Key
    alternatives: tuple[str, ...] = ()
    extensions: str = ""
    critical_key_usage: bool = False
    packings: tuple[Packing, ...] = ()
    peer: bool = False

    @property
    def roles(self) -> tuple[Role, ...]:
        """The sides that it is for."""
        return tuple(Role) if self.peer else (self.role,)

    @property
    def usages(self) -> tuple[str, ...]:
        """Its extended key usages (RFC 5280, section 4.2.1.12)."""
        return tuple(role.usage for role in self.roles)

    @property
    def request_file(self) -> str:
        """The name of the file of its certificate signing request."""
        return f"{self.name}.csr"


@dataclass(frozen=True)
class Manifest:
    """A whole set.

    Args:
        root: the root CA.
        leaves: the certificates of servers and clients, each with a name of its own.
        intermediate: the authority that issues them; None if that is the root.
        crl_url: where the list of revoked certificates can be had, said in each certificate;
            empty to say nothing (RFC 5280, section 4.2.1.13).
        ocsp_url: where an OCSP responder answers, likewise (section 4.2.2.1).
        crl_days: how long a list of revoked certificates is good for.
    """

    root: Authority
    leaves: tuple[Leaf, ...]
    intermediate: Authority | None = None
    crl_url: str = ""
    ocsp_url: str = ""
    crl_days: int = 30

    @property
    def issuer(self) -> Authority:
        """Who issues the certificates of servers and clients."""
        return self.intermediate or self.root

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """The root, and the intermediate authority if there is one."""
        return (self.root, self.intermediate) if self.intermediate else (self.root,)

    def leaf(self, name: str) -> Leaf | None:
        """The certificate of that name."""
        return next((leaf for leaf in self.leaves if leaf.name == name), None)
