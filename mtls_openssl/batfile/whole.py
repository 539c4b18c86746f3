"""What openssl would make, as a whole set: its authorities, servers and clients. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence

from mtls_openssl.batfile import extensions, naming
from mtls_openssl.batfile.extensions import Extensions
from mtls_openssl.batfile.facts import Bundle, Certificate, Fact, Key
from mtls_openssl.batfile.left import Left
from mtls_openssl.batfile.naming import Subject
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import INTERMEDIATE, ROOT

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclasses.dataclass(frozen=True)
class Authority:
    """An authority.

    Args:
        line: the number of the line that issues its certificate.
        subject: its subject.
        days: how long it lasts.
        key: its key.
        extensions: what its extensions say.
    """

    line: int
    subject: Subject
    days: int
    key: Key
    extensions: Extensions


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A certificate of a server or a client.

    Args:
        line: the number of the line that issues it.
        name: what its files are called before the dot.
        subject: its subject.
        days: how long it lasts.
        key: its key.
        extensions: what its extensions say.
        bundles: the PKCS#12 files that it goes into.
    """

    line: int
    name: str
    subject: Subject
    days: int
    key: Key
    extensions: Extensions
    bundles: tuple[Bundle, ...]

    @property
    def role(self) -> str:
        """Which side it is for: server or client."""
        return self.extensions.role


@dataclasses.dataclass(frozen=True)
class Whole:
    """A whole set.

    Args:
        root: the root; None if the batch file makes none.
        intermediate: the authority that issues; None if that is the root.
        leaves: its servers and clients, in their order.
        left: what can't be carried over.
    """

    root: Authority | None
    intermediate: Authority | None
    leaves: tuple[Leaf, ...]
    left: tuple[Left, ...]


def whole(facts: Sequence[Fact]) -> Whole:
    """The set that facts add up to.

    Args:
        facts: what a batch file would make, in its order.
    """
    return _Gathering(facts).whole()


class _Gathering:
    def __init__(self, facts: Sequence[Fact]) -> None:
        self._keys = {fact.file.lower(): fact for fact in facts if isinstance(fact, Key)}
        self._bundles = [fact for fact in facts if isinstance(fact, Bundle)]
        # What is made twice is what the second time made of it.
        self._certificates = {
            fact.file.lower(): fact for fact in facts if isinstance(fact, Certificate)
        }
        self._left: list[Left] = []

    def whole(self) -> Whole:
        roots = [one for one in self._certificates.values() if not one.issuer]
        root = self._authority(roots[0], f"{ROOT}.crt") if roots else None
        for one in roots[1:]:
            self._leave(one.line, one.file, _("a certificate that signs itself, besides the CA's"))
        leaves: list[Leaf] = []
        between: Certificate | None = None
        intermediate: Authority | None = None
        for one in self._certificates.values():
            if not one.issuer:
                continue
            read = extensions.read(one.extensions, _role(one))
            self._left += read.left
            if read.is_ca and between is None:
                between = one
                intermediate = self._authority(one, f"{INTERMEDIATE}.crt")
            elif read.is_ca:
                self._leave(one.line, one.file, _("an intermediate CA besides the first one"))
            else:
                leaves.append(self._leaf(one, read))
        self._tell_issuers(roots[0] if roots else None, between)
        self._tell_stray_bundles()
        return Whole(root, intermediate, tuple(self._named(leaves)), tuple(self._left))

    def _authority(self, made: Certificate, file: str) -> Authority:
        if made.file.lower() != file:
            self._leave(made.line, made.file, _("it is called {file} here", file=file))
        read = extensions.read(made.extensions, "")
        return Authority(made.line, self._subject(made), made.days, self._key(made), read)

    def _leaf(self, made: Certificate, read: Extensions) -> Leaf:
        bundles = [one for one in self._bundles if one.certificate.lower() == made.file.lower()]
        stem = made.file.rpartition(".")[0] or made.file
        for number, one in enumerate(bundles):
            if number:
                self._leave(one.line, one.file, _("a second PKCS#12 file of one certificate"))
            elif one.file.lower() != f"{stem.lower()}.p12":
                name = _("it is called {file} here", file=f"{stem}.p12")
                self._leave(one.line, one.file, name)
        subject = self._subject(made)
        key = self._key(made)
        return Leaf(made.line, stem, subject, made.days, key, read, tuple(bundles[:1]))

    def _subject(self, made: Certificate) -> Subject:
        subject = naming.read(made.subject, made.named or made.line)
        self._left += subject.left
        return subject

    def _key(self, made: Certificate) -> Key:
        known = self._keys.get(made.key.lower())
        if known is None:
            why = _("no command here makes its key; a new one is made")
            self._leave(made.line, made.key, why)
            return Key(made.line, made.key, "")
        if known.encrypted and made.issuer and "ca" not in made.file.lower():
            why = _("the key of a server or client has no pass phrase here")
            self._leave(known.line, known.file, why)
        return known

    def _named(self, leaves: Sequence[Leaf]) -> Iterator[Leaf]:
        for leaf in leaves:
            name = _UNFIT.sub("-", leaf.name).strip("-._") or f"{leaf.role}-{leaf.line}"
            if name != leaf.name:
                why = _("its files are called {name} here", name=name)
                self._leave(leaf.line, leaf.name, why)
            yield dataclasses.replace(leaf, name=name)

    def _tell_issuers(self, root: Certificate | None, between: Certificate | None) -> None:
        issuer = between or root
        for one in self._certificates.values():
            if not one.issuer or one is between:
                continue
            if issuer is None:
                why = _(
                    "no command here makes the CA: put its certificate and key into the folder as"
                    " ca.crt and ca.key, else a new one is made"
                )
                self._leave(one.line, one.issuer, why)
                return
            if one.issuer.lower() != issuer.file.lower():
                why = _("every certificate is issued by {file} here", file=issuer.file)
                self._leave(one.line, f"-CA {one.issuer}", why)

    def _tell_stray_bundles(self) -> None:
        for one in self._bundles:
            if one.certificate.lower() not in self._certificates:
                why = _("a PKCS#12 file of a certificate that no command here makes")
                self._leave(one.line, one.file, why)

    def _leave(self, line: int, text: str, why: Text) -> None:
        self._left.append(Left(line, text, why))


def _role(made: Certificate) -> str:
    """Which side a certificate is for whose extensions don't say."""
    names = f"{made.file} {made.subject}".lower()
    return "client" if "client" in names or "user" in names else "server"
