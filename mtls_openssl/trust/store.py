"""What every trust store can do, however its own program goes about it."""

from __future__ import annotations

import abc
import dataclasses
import enum
from collections.abc import Mapping

from mtls_openssl.desk import Desk
from mtls_openssl.language import Text, _
from mtls_openssl.steps import Command, Outcome
from mtls_openssl.trust.certificate import Certificate

SYSTEM = "system"
NSS = "nss"
JAVA = "java"
NAMES = (SYSTEM, NSS, JAVA)
"""What `--store` takes: the computer's own, the browsers', Java's."""


class Presence(enum.Enum):
    """Whether a store has a certificate."""

    TRUSTED = "trusted"
    """It is there, and believed."""
    DISTRUSTED = "there, but not trusted"
    ABSENT = "not in it"
    UNREADABLE = "can't be read"

    @property
    def told(self) -> Text:
        """For people."""
        return _TOLD[self]


_TOLD = {
    Presence.TRUSTED: _("trusted"),
    Presence.DISTRUSTED: _("there, but not trusted"),
    Presence.ABSENT: _("not in it"),
    Presence.UNREADABLE: _("can't be read"),
}


@dataclasses.dataclass(frozen=True)
class Standing:
    """How a certificate stands in a store.

    Args:
        presence: whether it is there.
        entries: the names under which it is there, by which it can be taken out.
        reason: why the store can't be read, or what else is to be known; may be empty.
    """

    presence: Presence
    entries: tuple[str, ...] = ()
    reason: str = ""


class Store(abc.ABC):
    """One place where certificates are that somebody believes.

    Attributes:
        name: one of NAMES.
        title: which one it is, for people.
        note: what to know once it has changed; may be empty.
        needs_elevation: whether an administrator alone can change it.
        asks_in_a_window: whether the system asks the user before it changes it.
        secrets: the passwords that its commands read, by the name of the variable.
    """

    name: str
    title: Text
    note: str = ""
    needs_elevation: bool = False
    asks_in_a_window: bool = False
    secrets: Mapping[str, str] = {}

    @abc.abstractmethod
    def look(self, desk: Desk, certificate: Certificate) -> Standing:
        """How a certificate stands in it, found by its thumbprint."""

    @abc.abstractmethod
    def adding(self, certificate: Certificate) -> tuple[Command, ...]:
        """The commands that put a certificate into it; they run in the certificate's folder."""

    @abc.abstractmethod
    def removing(self, certificate: Certificate, standing: Standing) -> tuple[Command, ...]:
        """The commands that take a certificate out of it, and nothing else."""

    def cause(self, outcome: Outcome) -> str:
        """Why one of its commands failed, for people."""
        return said(outcome)


def said(outcome: Outcome) -> str:
    """The last that a program said that failed; what became of it, where it said nothing."""
    finished = outcome.finished
    lines = [line.strip() for line in (finished.stderr or finished.stdout).splitlines()]
    last = next((line for line in reversed(lines) if line), "")
    return last or _("the program {problem}", problem=outcome.problem)
