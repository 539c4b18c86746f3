"""`openssl ca`: the register of what an authority has issued, and its CRL (openssl-ca(1)).

The register is `index.txt`: a line a certificate, with six fields between tabs (apps/apps.h).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _

INDEX = "index.txt"
ATTRIBUTES = "index.txt.attr"
CRL_NUMBER = "crlnumber"

ROOT_CRL = "ca.crl.pem"
"""The list of the root, where another authority issues."""

KEPT = (INDEX, ATTRIBUTES, CRL_NUMBER, "crl.pem", "crl.der", ROOT_CRL)
"""All that is kept of what an authority has issued; worth nothing once there is another."""

REASONS = (
    "unspecified",
    "keyCompromise",
    "CACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "removeFromCRL",
)
"""What `-crl_reason` takes (RFC 5280, section 5.3.1)."""

_UNSPECIFIED = REASONS[0]
_ENCODINGS = ("utf-8", "latin-1", "utf-16-be", "utf-32-be")
"""Of the string types that a name may be in (RFC 5280, section 4.1.2.4)."""
_FIELDS = 6
_CENTURY = 50  # of the two digits of a UTCTime (RFC 5280, section 4.1.2.5.1)


class Status(enum.StrEnum):
    """What the register says of a certificate."""

    VALID = "V"
    REVOKED = "R"
    EXPIRED = "E"


@dataclass(frozen=True)
class Entry:
    """A line of the register.

    Args:
        status: what it says.
        expires: until when the certificate is valid, UTC.
        revoked: from when on it is revoked, UTC; None if it is not.
        reason: why, as `-crl_reason` has it; empty if none is given.
        serial: its serial number, in upper-case hex.
        subject: whom it is for, as X509_NAME_oneline(3) prints it.
    """

    status: Status
    expires: datetime
    revoked: datetime | None
    reason: str
    serial: str
    subject: str

    def lives(self, now: datetime) -> bool:
        """Whether the certificate is accepted: not revoked, and not expired either.

        The mark for expired ones is only set when somebody asks for it.
        """
        return self.status is not Status.REVOKED and self.expires > now

    @property
    def shown(self) -> str:
        r"""Its subject as a person reads it.

        >>> shown(r"/CN=\xE4\xBD\xA0")
        '/CN=你'
        """
        return shown(self.subject)


def shown(subject: str) -> str:
    """A subject as X509_NAME_oneline(3) prints it, with its UTF-8 read."""
    found = re.sub(
        rb"\\x([0-9A-Fa-f]{2})", lambda one: bytes([int(one[1], 16)]), subject.encode("utf-8")
    )
    return found.decode("utf-8", "replace")


def spellings(value: str) -> frozenset[str]:
    r"""How a value may stand in what `bare` makes of a subject: by the type of its string.

    >>> sorted(spellings("é"))[-1]
    '\\xE9'
    """
    return frozenset(
        bare(
            "".join(
                chr(byte) if " " <= chr(byte) <= "~" else f"\\x{byte:02X}"
                for byte in value.encode(encoding, "replace")
            )
        )
        for encoding in _ENCODINGS
    )


def bare(subject: str) -> str:
    r"""A subject without the backslashes that newer releases put before `/` and `+`.

    >>> bare(r"/O=A/CN=a\/b")
    '/O=A/CN=a/b'
    """
    # All of them, and those at the end: a backslash of the name itself stands there just so.
    return re.sub(r"\\+(?=[/+]|\Z)", "", subject)


def enter(certificate: str, config: str, *secret: str) -> tuple[str, ...]:
    """Argv that enters a certificate into the register.

    Args:
        certificate: its file.
        config: the configuration that names the register, and the authority's files.
        secret: `pkey.unlocking` of the authority's key.
    """
    return ("ca", "-config", config, "-valid", certificate, *secret)


def issue(
    requests: Sequence[str], days: int, config: str, *secret: str, out: str
) -> tuple[str, ...]:
    """Argv by which an authority signs many requests at once, and enters what it issues.

    Each certificate goes to the configuration's `new_certs_dir`, named by its serial number.

    Args:
        requests: their files.
        days: how long the certificates last.
        config: the configuration that names the register, the authority's files, and the
            extensions.
        secret: as for `enter`.
        out: the file that all certificates go to once more, one after the other.
    """
    return (
        "ca", "-config", config, "-batch", "-notext", "-days", str(days), "-out", out, *secret,
        "-infiles", *requests,
    )  # fmt: skip


def revoke(certificate: str, reason: str, config: str, *secret: str) -> tuple[str, ...]:
    """Argv that revokes a certificate in the register.

    Args:
        certificate: its file.
        reason: one of REASONS.
        config: as for `enter`.
        secret: as for `enter`.
    """
    # An unspecified reason is best left out (RFC 5280, section 5.3.1).
    why = () if reason == _UNSPECIFIED else ("-crl_reason", reason)
    return ("ca", "-config", config, "-revoke", certificate, *why, *secret)


def mark_expired(config: str, *secret: str) -> tuple[str, ...]:
    """Argv that marks in the register what has expired."""
    return ("ca", "-config", config, "-updatedb", *secret)


def make_crl(crl: str, days: int, config: str, *secret: str) -> tuple[str, ...]:
    """Argv that writes the CRL of the register, good for `days` days."""
    return ("ca", "-config", config, "-gencrl", "-crldays", str(days), "-out", crl, *secret)


def parse(text: str) -> tuple[Entry, ...]:
    """Read an `index.txt`.

    Raises:
        ValueError: it is not that; it says in which line.
    """
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t", _FIELDS - 1)
        try:
            entries.append(_entry(fields))
        except (ValueError, IndexError):
            raise ValueError(_("line {number} is not an entry", number=number)) from None
    return tuple(entries)


def _entry(fields: Sequence[str]) -> Entry:
    status, expires, revoked, serial, _file, subject = fields
    date, _comma, reason = revoked.partition(",")
    return Entry(
        Status(status),
        parse_time(expires),
        parse_time(date) if date else None,
        reason.partition(",")[0],
        plain(serial),
        subject,
    )


def plain(serial: str) -> str:
    """A serial number as the register has it: whole octets in upper-case hex, and no more.

    >>> plain("0a:bc:0d")
    '0ABC0D'

    Raises:
        ValueError: it is not a number in hex.
    """
    digits = re.sub(r"[:\s]", "", serial).upper().removeprefix("0X").lstrip("0") or "0"
    if not re.fullmatch(r"[0-9A-F]+", digits):
        raise ValueError(_("{words!r} is not a number in hex", words=serial))
    return digits if len(digits) % 2 == 0 else f"0{digits}"


def parse_time(text: str) -> datetime:
    """Read a time of the register: a UTCTime or a GeneralizedTime (RFC 5280, section 4.1.2.5).

    Raises:
        ValueError: it is not that.
    """
    if not re.fullmatch(r"(\d\d)?\d{12}Z", text):
        raise ValueError(_("{words!r} is not a time", words=text))
    rest = text[-11:-1]
    year = int(text[:-11])
    if len(text) == len("YYMMDDHHMMSSZ"):
        year += 1900 if year >= _CENTURY else 2000
    month, day, hour, minute, second = (int(rest[at : at + 2]) for at in range(0, 10, 2))
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def written_time(time: datetime) -> str:
    """A time as the register has it; the reverse of `parse_time`."""
    form = "%y%m%d%H%M%SZ" if time.year < 2000 + _CENTURY else "%Y%m%d%H%M%SZ"
    return time.strftime(form)


def revoked_by_hand(text: str, serial: str, reason: str, now: datetime) -> str:
    """An `index.txt` in which one certificate is revoked.

    `openssl ca -revoke` needs the certificate itself; this is for one that nobody has any more.

    Args:
        text: the `index.txt`.
        serial: of the certificate; it is in there, and not revoked.
        reason: one of REASONS.
        now: the time.
    """
    lines = []
    for line in text.splitlines():
        fields = line.split("\t", _FIELDS - 1)
        if len(fields) == _FIELDS and fields[3] == serial:
            why = () if reason == _UNSPECIFIED else (reason,)
            fields[0] = Status.REVOKED
            fields[2] = ",".join((written_time(now), *why))
        lines.append("\t".join(fields))
    return "".join(f"{line}\n" for line in lines)


def line(entry: Entry) -> str:
    """An entry as a line of `index.txt`; the reverse of `parse`."""
    revoked = written_time(entry.revoked) if entry.revoked else ""
    if entry.reason:
        revoked += f",{entry.reason}"
    expires = written_time(entry.expires)
    return f"{entry.status}\t{expires}\t{revoked}\t{entry.serial}\tunknown\t{entry.subject}\n"


def reason_of(words: str) -> str:
    """The one of REASONS that a CRL is printed with; unspecified for none, or another.

    >>> reason_of("Key Compromise")
    'keyCompromise'
    """
    wanted = words.replace(" ", "").lower()
    return next((reason for reason in REASONS if reason.lower() == wanted), _UNSPECIFIED)
