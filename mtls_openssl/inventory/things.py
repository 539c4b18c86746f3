"""The nouns: what was found, how it stands, and where. Frozen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum

from mtls_openssl.language import Text, _
from mtls_openssl.openssl import crl, x509


class Severity(enum.IntEnum):
    """How much something matters; the exit codes of a Nagios plugin."""

    FINE = 0
    SOON = 1
    OVER = 2
    UNKNOWN = 3


class State(enum.StrEnum):
    """How a thing stands; the value is for programs."""

    FINE = "fine"
    SOON = "soon"
    OVER = "over"
    NOT_YET = "not yet valid"
    REVOKED = "revoked"
    MISMATCH = "key does not match"
    STRANGER = "of another authority"
    OUTLIVED = "CA ends before it"
    SUPERSEDED = "superseded"
    BROKEN = "broken"
    CLOSED = "not opened"
    UNKNOWN = "unknown"

    @property
    def told(self) -> Text:
        """In words."""
        return _TITLES[self]


_TITLES = {
    State.FINE: _("fine"),
    State.SOON: _("ends soon"),
    State.OVER: _("EXPIRED"),
    State.NOT_YET: _("NOT VALID YET"),
    State.REVOKED: _("REVOKED"),
    State.MISMATCH: _("KEY DOES NOT MATCH"),
    State.STRANGER: _("OF ANOTHER AUTHORITY"),
    State.OUTLIVED: _("its CA ends before it"),
    State.SUPERSEDED: _("HOLDS ANOTHER CERTIFICATE"),
    State.BROKEN: _("BROKEN"),
    State.CLOSED: _("not opened"),
    State.UNKNOWN: _("NOT REACHED"),
}


class Role(enum.StrEnum):
    """What a certificate is for; the value is for programs."""

    ROOT = "root"
    INTERMEDIATE = "intermediate"
    SERVER = "server"
    CLIENT = "client"
    BOTH = "server and client"
    OTHER = "other"
    CRL = "crl"
    PKCS12 = "pkcs12"
    NOTHING = ""

    @property
    def told(self) -> Text:
        """In words."""
        return _ROLES[self]

    @property
    def is_ca(self) -> bool:
        """Whether it issues others."""
        return self in {Role.ROOT, Role.INTERMEDIATE}


_ROLES = {
    Role.ROOT: _("root CA"),
    Role.INTERMEDIATE: _("intermediate CA"),
    Role.SERVER: _("server"),
    Role.CLIENT: _("client"),
    Role.BOTH: _("server and client"),
    Role.OTHER: _("other purpose"),
    Role.CRL: _("list of revoked"),
    Role.PKCS12: _("PKCS#12"),
    Role.NOTHING: Text(""),
}


@dataclasses.dataclass(frozen=True, order=True)
class Place:
    """Where in a place something stands.

    Args:
        file: the file, from the folder on; empty for what a server sent.
        number: which part of it, from 1.
        alone: whether it is the only one of its kind in there.
    """

    file: str
    number: int = 1
    alone: bool = True

    def __str__(self) -> str:
        return self.file if self.alone else f"{self.file} #{self.number}"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How a thing stands.

    Args:
        state: in a word.
        severity: how much that matters.
        why: what a person should know of it; empty if the state says it all.
    """

    state: State
    severity: Severity = Severity.FINE
    why: str = ""


@dataclasses.dataclass(frozen=True)
class Node:
    """One thing in the tree.

    Args:
        role: what it is.
        places: where it stands, the best place first.
        verdict: how it stands.
        begins: from when it is good, UTC; None for what has no time.
        ends: until when; None if it does not say.
        certificate: what it says as a certificate.
        crl: what it says as a list of revoked certificates.
        sha256: its fingerprint, hex; empty if it has none.
        key: the file of its private key, if that is there.
        notes: what else is worth knowing.
        children: what it has issued, and what holds it.
    """

    role: Role
    places: tuple[Place, ...]
    verdict: Verdict
    begins: dt.datetime | None = None
    ends: dt.datetime | None = None
    certificate: x509.Description | None = None
    crl: crl.Description | None = None
    sha256: str = ""
    key: str = ""
    notes: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()

    @property
    def file(self) -> str:
        """Its best place, as it is shown."""
        return str(self.places[0])


@dataclasses.dataclass(frozen=True)
class Stock:
    """All that was found in one place.

    Args:
        place: the place, as it was named.
        kind: `folder`, `file` or `server`.
        nodes: the trees.
        backups: the names of the folders in `backup/`, the oldest first.
        passed_over: files of a folder that are too large, or can't be read, and have no name that
            promises a certificate; and those of private keys that somebody else keeps.
    """

    place: str
    kind: str
    nodes: tuple[Node, ...]
    backups: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
