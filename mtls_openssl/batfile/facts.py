"""What openssl would make, as far as a batch file's commands say it. Frozen, no behaviour."""

from __future__ import annotations

import dataclasses

from mtls_openssl.batfile.syntax import Line

DAYS = 30
"""What openssl takes where nobody says how long (openssl-x509(1))."""


@dataclasses.dataclass(frozen=True)
class Key:
    """A private key.

    Args:
        line: the number of the line that makes it.
        file: its file.
        kind: which kind, as `[[server]] key` has it; empty for one that settings have not.
        encrypted: whether it has a pass phrase.
    """

    line: int
    file: str
    kind: str
    encrypted: bool = False


@dataclasses.dataclass(frozen=True)
class Request:
    """A certificate signing request.

    Args:
        line: the number of the line that makes it.
        file: its file.
        key: the file of its key.
        subject: its subject, as `-subj` has it.
    """

    line: int
    file: str
    key: str
    subject: str


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate.

    Args:
        line: the number of the line that makes it.
        file: its file.
        key: the file of its key.
        subject: its subject, as `-subj` has it.
        issuer: the file of the certificate that issues it; empty for itself.
        extensions: the lines of its extension file.
        days: how long it lasts.
        named: the number of the line that says its subject; 0 for `line`.
    """

    line: int
    file: str
    key: str
    subject: str
    issuer: str = ""
    extensions: tuple[Line, ...] = ()
    days: int = DAYS
    named: int = 0


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A PKCS#12 file.

    Args:
        line: the number of the line that makes it.
        file: its file.
        certificate: the file of the certificate in it.
        name: the friendly name in it; empty for none.
        old: whether it is made for old readers, such as Windows Server 2016.
    """

    line: int
    file: str
    certificate: str
    name: str
    old: bool = False


Fact = Key | Request | Certificate | Bundle
