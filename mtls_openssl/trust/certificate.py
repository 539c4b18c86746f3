"""The certificate that is to be trusted: what it is, and whether it may be."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mtls_openssl.desk import Desk
from mtls_openssl.errors import FolderUnavailableError, SettingRefusedError, system_said
from mtls_openssl.language import Text, _
from mtls_openssl.openssl import extensions, x509
from mtls_openssl.scripting.prompt import ours
from mtls_openssl.steps import Command, Kind
from mtls_openssl.workspace.missing import is_missing, is_pattern, no_file

FILE = "ca.crt"

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----"
)
_LONG_DAYS = 7320
_SMALLEST_RSA = 2048


@dataclasses.dataclass(frozen=True)
class Certificate:
    """One certificate, and a file of it that every program reads.

    Args:
        source: the absolute path of the file that it was read from.
        folder: where the commands about it run.
        name: of the file in that folder: ASCII, PEM, and nothing but the certificate.
        der: the certificate itself.
        description: what it says.
    """

    source: Path
    folder: Path
    name: str
    der: bytes
    description: x509.Description

    @property
    def sha1(self) -> str:
        """Its thumbprint as Windows shows it, in upper-case hex."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> str:
        """Its fingerprint as everybody else shows it, in upper-case hex with colons."""
        return hashlib.sha256(self.der).digest().hex(":").upper()

    @property
    def label(self) -> str:
        """What it is called in a store, so that it is found again."""
        return f"mtls-openssl-{self.sha1.lower()}"

    @property
    def subject(self) -> str:
        """Whom it is for, on one line."""
        return ", ".join(f"{name}={value}" for name, value in self.description.subject)


def certificates(text: str) -> Iterator[bytes]:
    """The certificates in a text, DER (RFC 7468, section 5)."""
    for body in _BLOCK.findall(text):
        yield base64.b64decode(body)


def load(desk: Desk, file: Path) -> Certificate:
    """Read a certificate.

    Args:
        desk: where openssl is asked; a file that not every program would read is written anew
            in its scratch folder.
        file: PEM or DER, or the folder of a set.

    Raises:
        FolderUnavailableError: there is no such file, or it can't be read.
        SettingRefusedError: it is not a certificate, or several.
    """
    source = (file / FILE if file.is_dir() else file).absolute()
    try:
        content = source.read_bytes()
    except OSError as error:
        raise _unreadable(source, error) from error
    text = content.decode("ascii", "replace")
    found = list(certificates(text))
    if len(found) > 1:
        raise SettingRefusedError(
            _("{file} holds {count} certificates, and one is to be trusted", file=source,
              count=len(found)),
            fix=_("name the file of the root CA alone"),
        )  # fmt: skip
    safe_name = re.fullmatch(r"\w[\w.-]*", source.name, re.ASCII)
    clean = found and _BLOCK.fullmatch(text.strip())
    folder, name = source.parent, source.name
    if not (safe_name and clean):
        # The name may be one that a program can't read in the locale C; and whatever else is in
        # the file, perhaps a key, must not be copied to where everyone can read.
        folder, name = desk.scratch, FILE
        (folder / name).write_bytes(content)
    form = "PEM" if found else "DER"
    outcome = desk.ask(
        Command(
            x509.inspect(name, form), _("read {file}", file=source.name), Kind.LOOK,
            reads=(name,), verdict=True,
        ),
        folder=folder,
    )  # fmt: skip
    printed = outcome.finished.stdout
    if outcome.problem or not (der := next(certificates(printed), b"")):
        raise _not_one(source)
    if folder == desk.scratch:
        (folder / name).write_text(_BLOCK.search(printed)[0] + "\n", "ascii")  # type: ignore[index]
    try:
        return Certificate(source, folder, name, der, x509.parse_text(printed))
    except ValueError:
        raise _not_one(source) from None


def refuse_unless_root(certificate: Certificate, now: datetime) -> None:
    """Let only a root CA's certificate pass, one that can be believed.

    Args:
        certificate: the one that is to go into a trust store.
        now: the time, with its zone.

    Raises:
        SettingRefusedError: it is another's: a leaf in a trust store makes nothing trusted that
            it should, and an intermediate there makes IIS refuse every client (403.16).
    """
    description = certificate.description
    basic = description.extensions.get(extensions.BASIC_CONSTRAINTS)
    usages = extensions.usages(description.extensions.get(extensions.KEY_USAGE))
    the_root = _("install the root that signed it: ca.crt of the set")
    if not basic or "CA:TRUE" not in basic.values:
        cause, fix = _("it says nowhere that it is a CA's (basicConstraints CA:TRUE)"), the_root
    elif usages and "keyCertSign" not in usages:
        cause, fix = _("its key may not sign certificates (keyUsage lacks keyCertSign)"), the_root
    elif description.subject != description.issuer:
        cause = _(
            "it is an intermediate CA's, signed by another; among the roots of Windows one such"
            " certificate makes IIS refuse every client (403.16)"
        )
        fix = _("install the root; the server sends the intermediate, or it goes to the store CA")
    elif description.not_after < now:
        cause = _("it expired on {day}", day=f"{description.not_after:%Y-%m-%d}")
        fix = _("make a new one: {command}", command=ours(certificate.source.parent, "all"))
    else:
        return
    raise SettingRefusedError(
        _("{file} does not belong in a trust store", file=certificate.source), cause=cause, fix=fix
    )


def doubts(certificate: Certificate, now: datetime) -> Iterator[Text]:
    """What to know of a root before it is trusted.

    Args:
        certificate: a root CA's.
        now: the time, with its zone.
    """
    description = certificate.description
    if (description.not_after - description.not_before).days > _LONG_DAYS:
        years = (description.not_after - description.not_before).days // 365
        yield _("it lasts {years} years: whoever gets its key is believed as long", years=years)
    if description.not_before > now:
        yield _("it is valid only from {day} on", day=f"{description.not_before:%Y-%m-%d %H:%M}")
    if re.match(r"md[245]|sha1|ecdsa-with-SHA1", description.signature, re.IGNORECASE):
        yield _("it is signed with {algorithm}, which some refuse", algorithm=description.signature)
    key = description.key
    if key and key.kind == "RSA" and key.bits < _SMALLEST_RSA:
        yield _("its RSA key has {bits} bits, which is too few today", bits=key.bits)
    if extensions.KEY_USAGE not in description.extensions:
        yield _(
            "it has no keyUsage, so strict programs such as Python 3.13 refuse it all the same;"
            " {command} mends that",
            command=ours(certificate.source.parent, "repair-ca"),
        )


def _unreadable(source: Path, error: OSError) -> FolderUnavailableError:
    if is_missing(source, error):
        if is_pattern(source):
            return no_file(source)
        return FolderUnavailableError(
            _("there is no file {file}", file=source),
            fix=_("name the certificate of the CA, or the folder of its set with --out"),
        )
    return FolderUnavailableError(
        _("{file} can't be read: {reason}", file=source, reason=system_said(error))
    )


def _not_one(source: Path) -> SettingRefusedError:
    return SettingRefusedError(
        _("{file} is not a certificate", file=source),
        fix=_("name the certificate of the CA: ca.crt of the set"),
    )
