"""`openssl x509`: sign requests, look at certificates (openssl-x509(1), steps 3 and 4)."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime, timedelta

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.extensions import Extension
from mtls_openssl.openssl.pkey import PublicKey, parse_kind, parse_pem, unlocking

NAMES = "RFC2253,utf8,-esc_msb"
"""How names are printed: the same on every release, in UTF-8 (openssl-namedisplay-options(1))."""

SUBJECT_DER = "RFC2253,dump_all,dump_der"

_MONTH = timedelta(days=30)

SERIAL_FILE = "ca.srl"
"""What `-CAcreateserial` calls the serial file of `ca.crt`."""


def serial_file(issuer: str) -> str:
    """What `-CAcreateserial` calls the serial file of the authority `issuer`."""
    return f"{issuer}.srl"


_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EXTENSIONS = "basicConstraints,keyUsage,extendedKeyUsage,subjectAltName"


def sign(
    csr: str,
    certificate: str,
    extensions: str,
    days: int,
    *,
    issuer: str = "ca",
    passphrase: str = "",
    public_key: str = "",
) -> tuple[str, ...]:
    """Argv by which an authority of this folder signs a request.

    Args:
        csr: the file of the request.
        certificate: the file to write.
        extensions: the file of the extensions.
        days: how long it lasts.
        issuer: what the authority's files are called before the dot.
        passphrase: the environment variable with the pass phrase of its key; empty for none.
        public_key: the file of the public key that is certified; empty for the request's own.
    """
    another = ("-force_pubkey", public_key) if public_key else ()
    return (
        "x509", "-req", "-in", csr, *another, "-CA", f"{issuer}.crt", "-CAkey", f"{issuer}.key",
        "-CAcreateserial", "-days", str(days), "-sha256", "-extfile", extensions,
        "-out", certificate, *unlocking(passphrase),
    )  # fmt: skip


def issue(
    csr: str, certificate: str, extensions_: str, days: int, *, ca: tuple[str, str], serial: str
) -> tuple[str, ...]:
    """Argv by which a CA signs `csr` without leaving a serial file.

    Args:
        csr: the file of the request.
        certificate: the file to write.
        extensions_: the file of the extensions.
        days: how long it lasts from now; with 0 it has expired when the next second begins.
        ca: the files of the CA's certificate and key.
        serial: the serial number, in hex.
    """
    return (
        "x509", "-req", "-in", csr, "-CA", ca[0], "-CAkey", ca[1], "-passin", "pass:",
        "-set_serial", f"0x{serial}", "-days", str(days), "-sha256", "-extfile", extensions_,
        "-out", certificate,
    )  # fmt: skip


def describe(certificate: str) -> tuple[str, ...]:
    """Argv that prints what `parse` reads: names, serial, dates, public key, extensions."""
    return (
        "x509", "-in", certificate, "-noout", "-subject", "-issuer", "-serial", "-dates",
        "-pubkey", "-nameopt", NAMES, "-ext", _EXTENSIONS,
    )  # fmt: skip


def inspect(certificate: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that prints what `parse_text` reads: all of it, and the certificate itself as PEM."""
    return (
        "x509", "-in", certificate, "-inform", form, "-text", "-subject", "-issuer", "-serial",
        "-dates", "-pubkey", "-nameopt", NAMES,
    )  # fmt: skip


def write(certificate: str, out: str, form: str = "PEM", out_form: str = "PEM") -> tuple[str, ...]:
    """Argv that writes `certificate` anew, in `out_form`."""
    return ("x509", "-in", certificate, "-inform", form, "-outform", out_form, "-out", out)


def certify_again(
    certificate: str, out: str, extensions_: str, serial: str, *, passphrase: str = ""
) -> tuple[str, ...]:
    """Argv that gives a root a new certificate for the same key, subject and dates.

    `-signkey` would do, but keeps the serial number on 1.1.1. `-CA` also refuses a key that is
    not the certificate's.

    Args:
        certificate: the root's old certificate, which is in date.
        out: the file to write, another one.
        extensions_: the file with the extensions that take the place of the old ones.
        serial: the serial number, in hex.
        passphrase: the environment variable with the pass phrase of its key; empty for none.
    """
    return (
        "x509", "-in", certificate, "-CA", certificate, "-CAkey", "ca.key", "-preserve_dates",
        "-clrext", "-set_serial", f"0x{serial}", "-extfile", extensions_, "-out", out,
        *unlocking(passphrase),
    )  # fmt: skip


def to_request(
    certificate: str, key: str, csr: str, nothing: tuple[str, str], *, passphrase: str = ""
) -> tuple[str, ...]:
    """Argv that makes a request `csr` with the subject of `certificate`, whatever its age.

    Args:
        certificate: the file.
        key: its key.
        csr: the file to write.
        nothing: a file of configuration and an empty section of it: from 4.0 on, openssl looks
            for extensions where none are wanted, and fails if there is no place for them.
        passphrase: the environment variable with the pass phrase of the key; empty for none.
    """
    file, section = nothing
    return (
        "x509", "-x509toreq", "-in", certificate, "-signkey", key,
        "-extfile", file, "-extensions", section, "-out", csr, *unlocking(passphrase),
    )  # fmt: skip


def self_sign_request(
    csr: str,
    key: str,
    certificate: str,
    *,
    extensions_: str,
    serial: str,
    days: int,
    passphrase: str = "",
) -> tuple[str, ...]:
    """Argv that makes a root's certificate of its request, for `days` days from now.

    Args:
        csr: the request.
        key: its key.
        certificate: the file to write.
        extensions_: the file with its extensions.
        serial: its serial number, in hex.
        days: how long it lasts.
        passphrase: the environment variable with the pass phrase of the key; empty for none.
    """
    return (
        "x509", "-req", "-in", csr, "-signkey", key, "-days", str(days),
        "-set_serial", f"0x{serial}", "-extfile", extensions_, "-out", certificate,
        *unlocking(passphrase),
    )  # fmt: skip


def subject_der(certificate: str) -> tuple[str, ...]:
    """Argv that prints the subject with each value's DER, so that its string type shows too."""
    return ("x509", "-in", certificate, "-noout", "-subject", "-nameopt", SUBJECT_DER)


Name = tuple[tuple[str, str], ...]
"""A distinguished name: attribute short names and values, the first one first."""


@dataclass(frozen=True)
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
        version: 1 or 3; as the three below, only where all of it was read.
        signature: the algorithm that it is signed with.
        key: which kind of key it holds.
    """

    subject: Name
    issuer: Name
    serial: str
    not_before: datetime
    not_after: datetime
    public_key: str
    extensions: dict[str, Extension]
    version: int = 3
    signature: str = ""
    key: PublicKey | None = None


def renewal(begins: datetime, ends: datetime, asked: timedelta | None = None) -> timedelta:
    """How long before its end a certificate is to be renewed: 30 days, or a third of a short life.

    Args:
        begins: from when it is valid.
        ends: until when it is valid.
        asked: what somebody wants instead; None if nobody does.
    """
    return min((ends - begins) / 3, _MONTH) if asked is None else asked


def parse(output: str) -> Description:
    """Read what `describe` printed.

    Raises:
        ValueError: it is not that.
    """
    fields = dict(
        re.findall(r"^(subject|issuer|serial|notBefore|notAfter)=(.*)$", output, re.MULTILINE)
    )
    try:
        return Description(
            subject=parse_name(fields["subject"]),
            issuer=parse_name(fields["issuer"]),
            serial=fields["serial"],
            not_before=parse_time(fields["notBefore"]),
            not_after=parse_time(fields["notAfter"]),
            public_key=parse_pem(output),
            extensions={
                name: Extension(tuple(values.strip().split(", ")), bool(critical))
                for name, critical, values in re.findall(
                    r"^(X509v3 [^:\n]+): ?(critical)? *\n +([^\n]*)$", output, re.MULTILINE
                )
            },
        )
    except KeyError as error:
        raise ValueError(_("openssl x509 printed no {what}", what=str(error))) from None


def parse_text(output: str) -> Description:
    """Read what `inspect` printed.

    Raises:
        ValueError: it is not that.
    """
    version = re.search(r"^ *Version: (\d+)", output, re.MULTILINE)
    signature = re.search(r"^ *Signature Algorithm: (.*)$", output, re.MULTILINE)
    return dataclasses.replace(
        parse(output),
        extensions=extensions.parse(output, "X509v3 extensions:"),
        version=int(version[1]) if version else 1,
        signature=signature[1] if signature else "",
        key=parse_kind(output),
    )


def parse_name(text: str) -> Name:
    r"""Read a name printed with `-nameopt RFC2253`, back into the order of the certificate.

    >>> parse_name(r"CN=x\, y,O=z")
    (('O', 'z'), ('CN', 'x, y'))

    Raises:
        ValueError: it is not a name.
    """
    attributes = []
    # Several attributes of one RDN are joined by a plus (RFC 4514, section 2.2).
    for part in re.findall(r"(?:\\.|[^,+\\])+", text):
        attribute, equals, value = part.partition("=")
        if not equals:
            raise ValueError(_("{words!r} is not an attribute of a name", words=part))
        attributes.append((attribute, re.sub(r"\\([0-9A-F]{2}|.)", _unescaped, value)))
    return tuple(reversed(attributes))


def _unescaped(escape: re.Match[str]) -> str:
    return escape[1] if len(escape[1]) == 1 else chr(int(escape[1], 16))


def parse_time(text: str) -> datetime:
    """Read a time as openssl prints it, such as `Nov 24 03:01:54 2026 GMT`.

    Raises:
        ValueError: it is not that.
    """
    # strptime's %b follows the locale; openssl's months are always English (ASN1_TIME_print).
    month, day, clock, year, zone = text.split()
    if zone != "GMT":
        raise ValueError(_("{words!r} is not a time in GMT", words=text))
    number = _MONTHS.index(month) + 1
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), number, int(day), hour, minute, second, tzinfo=UTC)
