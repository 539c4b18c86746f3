"""What is decided for a set, and by which wish. Pure."""

from __future__ import annotations

import dataclasses
import enum
from datetime import datetime, timedelta

from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT, Manifest
from mtls_openssl.plan import Halves, Plan, Work, selected


class Verb(enum.Enum):
    """What is done for a certificate."""

    KEEP = "keep"
    MAKE = "make"
    RENEW = "renew"
    REISSUE = "reissue"
    PACK = "pack"

    @property
    def title(self) -> Text:
        """The word for a person."""
        return _TITLES[self]


_TITLES = {
    Verb.KEEP: _("stays as it is"),
    Verb.MAKE: _("is made"),
    Verb.RENEW: _("is renewed"),
    Verb.REISSUE: _("is issued again"),
    Verb.PACK: _("is packed"),
}
_HALVES = {Verb.MAKE: Halves.BOTH, Verb.RENEW: Halves.CERTIFICATE}


@dataclasses.dataclass(frozen=True)
class Action:
    """What is done for one certificate of the set.

    Args:
        name: what its files are called.
        verb: what is done.
        reasons: why, a sentence each.
        work: it, for the plan; None for an authority or where nothing is done.
    """

    name: str
    verb: Verb
    reasons: tuple[str, ...] = ()
    work: Work | None = None

    @property
    def new_key(self) -> bool:
        """Whether there is a new key."""
        return self.verb is Verb.MAKE or bool(self.work and self.work.issue and self.work.new_key)


@dataclasses.dataclass(frozen=True)
class Decision:
    """What is done for a set.

    Args:
        manifest: what is wanted.
        actions: for each authority and certificate of it.
        notes: what a person should know besides.
        join: whether the chain of the authorities is written.
    """

    manifest: Manifest
    actions: tuple[Action, ...]
    notes: tuple[Text, ...] = ()
    join: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing is to be done."""
        return not self.join and all(action.verb is Verb.KEEP for action in self.actions)

    def makes(self, name: str) -> bool:
        """Whether that one is made, for the first time or anew."""
        return self._of(name) is Verb.MAKE

    def renews(self, name: str) -> bool:
        """Whether that one is renewed, with the key that it has or another."""
        return self._of(name) is Verb.RENEW

    def plan(self, name: str) -> Plan:
        """It as a plan of the command `name`."""
        return selected(
            name,
            self.manifest,
            [action.work for action in self.actions if action.work],
            root=self.makes(ROOT),
            intermediate=_HALVES.get(self._of(INTERMEDIATE), Halves.NEITHER),
            join=self.join,
        )

    def _of(self, name: str) -> Verb:
        return next((one.verb for one in self.actions if one.name == name), Verb.KEEP)


@dataclasses.dataclass(frozen=True)
class Wish:
    """How a set is to be brought up to date.

    Args:
        now: the time.
        within: how long before its end a certificate is renewed, instead of `x509.renewal`.
        names: the certificates that are renewed whatever their end, the intermediate authority's
            among them.
        rekey: whether what is renewed gets a new key.
        replace: the authorities that are made anew.
        only_renew: whether nothing is made or issued again that is not to be renewed.
    """

    now: datetime
    within: timedelta | None = None
    names: frozenset[str] = frozenset()
    rekey: bool = False
    replace: frozenset[str] = frozenset()
    only_renew: bool = False
