"""What a foreign request asks for. Nothing of it is granted by that."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from mtls_openssl.errors import FolderUnavailableError
from mtls_openssl.inspection import telling
from mtls_openssl.inspection.objects import Request
from mtls_openssl.inspection.reading import Reader
from mtls_openssl.language import Text, _
from mtls_openssl.manifest import Key, Name, Role
from mtls_openssl.openssl import extensions as ext
from mtls_openssl.openssl.pkey import PublicKey
from mtls_openssl.proof.certificates import key_of

KNOWN = frozenset(
    {
        ext.BASIC_CONSTRAINTS, ext.KEY_USAGE, ext.EXTENDED_KEY_USAGE, ext.ALTERNATIVE_NAME,
        ext.SUBJECT_KEY_IDENTIFIER,
    }
)  # fmt: skip
"""The extensions that have a place of their own here."""

_SMALLEST_RSA, _LARGEST_RSA = 2048, 16384
_SMALLEST_EXPONENT = 65537  # NIST SP 800-56B, section 6.2


@dataclasses.dataclass(frozen=True)
class Asked:
    """A foreign request.

    Args:
        path: the file that it was in.
        pem: the request itself.
        subject: whom the certificate is to be for.
        alternatives: the names that it is to stand for, as `manifest.Leaf.alternatives` has
            them; a name of another kind as openssl prints it.
        purposes: its extended key usages, by their names in RFC 5280.
        usages: its key usages, likewise.
        constraints: what it says of being an authority, such as `CA:TRUE`.
        others: its other extensions, by the name that openssl prints.
        key: which kind of key it is for.
        public_key: the key itself, PEM.
        proven: whether its signature is its own key's.
        exponent: the public exponent of an RSA key; 0 of another.
    """

    path: Path
    pem: str
    subject: Name
    alternatives: tuple[str, ...]
    purposes: tuple[str, ...]
    usages: tuple[str, ...]
    constraints: tuple[str, ...]
    others: tuple[str, ...]
    key: PublicKey
    public_key: str
    proven: bool
    exponent: int = 0

    @property
    def common_names(self) -> tuple[str, ...]:
        """Its common names; one, if it is as it should be."""
        return tuple(value for attribute, value in self.subject if attribute == "CN")

    @property
    def role(self) -> Role | None:
        """The one side that it says it is for; None if it does not say so of one alone."""
        roles = [role for role in Role if (role.usage,) == self.purposes]
        return roles[0] if roles else None

    @property
    def kind(self) -> Key | str:
        """The kind of its key, or openssl's word for a kind that is none of ours."""
        return key_of(self.key)

    @property
    def fault(self) -> Text | None:
        """Why nobody should sign it, whatever it asks for; None if there is no reason."""
        if not self.proven:
            return _(
                "its signature is not that of its own key: it was changed, or whoever sent it"
                " does not have the key"
            )
        kind = self.kind
        if isinstance(kind, str):
            return _(
                "its key is of a kind that is not certified here: {kind}; RSA, P-256, P-384 and"
                " Ed25519 are",
                kind=telling.shown(kind),
            )
        if kind.algorithm == "RSA" and not _SMALLEST_RSA <= kind.bits <= _LARGEST_RSA:
            return _(
                "its RSA key has {bits} bits; {least} to {most} are certified here",
                bits=kind.bits,
                least=_SMALLEST_RSA,
                most=_LARGEST_RSA,
            )
        if kind.algorithm == "RSA" and self.exponent < _SMALLEST_EXPONENT:
            return _(
                "the public exponent of its RSA key is {exponent}, which is too small",
                exponent=self.exponent,
            )
        return None


def read(reader: Reader, path: Path) -> Asked:
    """Read a file that holds one request, PEM or DER.

    Args:
        reader: who reads files.
        path: the file.

    Raises:
        FolderUnavailableError: there is no such file, it can't be read, or it holds something
            else.
        CommandFailedError: openssl did not come to an end, or could not be started.
    """
    holding = reader.read(path)
    requests = [(item, item.thing) for item in holding.items if isinstance(item.thing, Request)]
    if len(holding.items) != 1 or not requests:
        held = [telling.title(item) for item in holding.items]
        raise FolderUnavailableError(
            _("{file} does not hold one certificate signing request.", file=path),
            cause=_("it holds: {parts}", parts=", ".join(held)),
            fix=_(
                "make one where the key is: {command}", command="python -m mtls_openssl csr NAME"
            ),
        )
    ((item, request),) = requests
    described = request.described
    found = described.extensions
    exponent = re.search(r"^ *Exponent: (\d+)", item.raw, re.MULTILINE)
    return Asked(
        path,
        request.pem,
        described.subject,
        ext.alternatives(found.get(ext.ALTERNATIVE_NAME)),
        ext.usages(found.get(ext.EXTENDED_KEY_USAGE)),
        ext.usages(found.get(ext.KEY_USAGE)),
        _values(found.get(ext.BASIC_CONSTRAINTS)),
        tuple(name for name in found if name not in KNOWN),
        described.key,
        described.public_key,
        request.proven,
        int(exponent[1]) if exponent else 0,
    )


def _values(extension: ext.Extension | None) -> tuple[str, ...]:
    return extension.values if extension else ()
