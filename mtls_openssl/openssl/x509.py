"""`openssl x509`: sign requests, look at certificates (openssl-x509(1), steps 3 and 4)."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime

SERIAL_FILE = "ca.srl"
"""What `-CAcreateserial` calls the serial file of `ca.crt`."""

_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EXTENSIONS = "basicConstraints,keyUsage,extendedKeyUsage,subjectAltName"


def sign(csr: str, certificate: str, extensions: str, days: int) -> tuple[str, ...]:
    """Argv by which the CA of this folder signs `csr` with the extension file `extensions`."""
    return (
        "x509", "-req", "-in", csr, "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", str(days), "-sha256", "-extfile", extensions, "-out", certificate,
    )  # fmt: skip


def describe(certificate: str) -> tuple[str, ...]:
    """Argv that prints what `parse` reads: names, serial, dates, public key, extensions."""
    return (
        "x509", "-in", certificate, "-noout", "-subject", "-issuer", "-serial", "-dates",
        "-pubkey", "-nameopt", "RFC2253,utf8,-esc_msb", "-ext", _EXTENSIONS,
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Extension:
    """One extension as openssl prints it: its values, and whether it is critical."""

    values: tuple[str, ...]
    critical: bool = False


@dataclasses.dataclass(frozen=True)
class Description:
    """What a certificate says.

    Args:
        subject: whom it is for, first attribute first.
        issuer: who signed it.
        serial: its serial number, in hex.
        not_before: from when it is valid, UTC.
        not_after: until when it is valid, UTC.
        public_key: its public key, PEM.
        extensions: by the name that openssl prints, such as `X509v3 Key Usage`.
    """

    subject: tuple[tuple[str, str], ...]
    issuer: tuple[tuple[str, str], ...]
    serial: str
    not_before: datetime
    not_after: datetime
    public_key: str
    extensions: dict[str, Extension]


def parse(output: str) -> Description:
    """Read what `describe` printed.

    Raises:
        ValueError: it is not that.
    """
    fields = dict(
        re.findall(r"^(subject|issuer|serial|notBefore|notAfter)=(.*)$", output, re.MULTILINE)
    )
    public_key = re.search(
        r"^-----BEGIN PUBLIC KEY-----\n.*?-----END [^\n]*$", output, re.MULTILINE | re.DOTALL
    )
    try:
        return Description(
            subject=parse_name(fields["subject"]),
            issuer=parse_name(fields["issuer"]),
            serial=fields["serial"],
            not_before=_time(fields["notBefore"]),
            not_after=_time(fields["notAfter"]),
            public_key=public_key[0] if public_key else "",
            extensions={
                name: Extension(tuple(values.strip().split(", ")), bool(critical))
                for name, critical, values in re.findall(
                    r"^(X509v3 [^:\n]+): ?(critical)? *\n +([^\n]*)$", output, re.MULTILINE
                )
            },
        )
    except KeyError as error:
        raise ValueError(f"openssl x509 printed no {error}") from None


def parse_name(text: str) -> tuple[tuple[str, str], ...]:
    r"""Read a name printed with `-nameopt RFC2253`, back into the order of the certificate.

    >>> parse_name(r"CN=x\, y,O=z")
    (('O', 'z'), ('CN', 'x, y'))

    Raises:
        ValueError: it is not a name of single-valued attributes.
    """
    attributes = []
    for part in re.findall(r"(?:\\.|[^,\\])+", text):
        attribute, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is not an attribute of a name")
        attributes.append((attribute, re.sub(r"\\(.)", r"\1", value)))
    return tuple(reversed(attributes))


def _time(text: str) -> datetime:
    # strptime's %b follows the locale; openssl's months are always English (ASN1_TIME_print).
    month, day, clock, year, zone = text.split()
    if zone != "GMT":
        raise ValueError(f"{text!r} is not a time in GMT")
    number = _MONTHS.index(month) + 1
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), number, int(day), hour, minute, second, tzinfo=UTC)
