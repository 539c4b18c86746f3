"""`openssl crl`: lists of revoked certificates (openssl-crl(1); RFC 5280, 5)."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timedelta

from mtls_openssl.language import _
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.x509 import NAMES, Name, parse_name, parse_time

_WEEK, _MONTH = timedelta(days=7), timedelta(days=30)


def describe(crl: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that prints what `parse` reads, and the list itself as PEM."""
    return (
        "crl", "-in", crl, "-inform", form, "-text", "-issuer", "-lastupdate", "-nextupdate",
        "-nameopt", NAMES,
    )  # fmt: skip


def write(crl: str, out: str, form: str = "PEM", out_form: str = "PEM") -> tuple[str, ...]:
    """Argv that writes `crl` anew, in `out_form`."""
    return ("crl", "-in", crl, "-inform", form, "-outform", out_form, "-out", out)


def check(crl: str, authority: str) -> tuple[str, ...]:
    """Argv that checks whether `crl` is signed by `authority`; `is_ok` reads what it prints."""
    return ("crl", "-in", crl, "-noout", "-CAfile", authority)


def is_ok(output: str) -> bool:
    """Whether `check` said so: it ends with 0 whatever it finds."""
    return "verify OK" in output.splitlines()


@dataclasses.dataclass(frozen=True)
class Revoked:
    """One entry of a list.

    Args:
        serial: the certificate's serial number, in hex.
        date: from when on it is revoked, UTC.
        reason: why, in openssl's words; empty if none is given.
    """

    serial: str
    date: datetime
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Description:
    """What a list says.

    Args:
        issuer: whose list it is, first attribute first.
        number: its number; None if it has none.
        last_update: when it was made, UTC.
        next_update: until when it is good, UTC; None if it does not say.
        signature: the algorithm of its signature.
        extensions: by the name that openssl prints.
        revoked: its entries.
    """

    issuer: Name
    number: int | None
    last_update: datetime
    next_update: datetime | None
    signature: str
    extensions: dict[str, extensions.Extension]
    revoked: tuple[Revoked, ...]


def runs_out(one: Description, now: datetime) -> bool:
    """Whether a CRL is to be made anew by now: in its last third, its last week or month."""
    if one.next_update is None:
        return False
    lasts = one.next_update - one.last_update
    return one.next_update - now < max(min(lasts / 3, _MONTH), min(lasts / 2, _WEEK))


def parse(output: str) -> Description:
    """Read what `describe` printed.

    Raises:
        ValueError: it is not that.
    """
    fields = dict(re.findall(r"^(issuer|lastUpdate|nextUpdate)=(.*)$", output, re.MULTILINE))
    signature = re.search(r"^ *Signature Algorithm: (.*)$", output, re.MULTILINE)
    found = extensions.parse(output, "CRL extensions:")
    number = found.get(extensions.CRL_NUMBER)
    try:
        return Description(
            issuer=parse_name(fields["issuer"]),
            number=int(number.values[0], 0) if number else None,
            last_update=parse_time(fields["lastUpdate"]),
            next_update=(
                None if fields["nextUpdate"] == "NONE" else parse_time(fields["nextUpdate"])
            ),
            signature=signature[1] if signature else "",
            extensions=found,
            revoked=tuple(
                Revoked(entry[1], parse_time(entry[2]), _reason(entry[3]))
                for entry in re.finditer(
                    r"^    Serial Number: (\w+)\n +Revocation Date: (.*)\n((?: {8}.*\n)*)",
                    output,
                    re.MULTILINE,
                )
            ),
        )
    except KeyError as error:
        raise ValueError(_("openssl crl printed no {what}", what=str(error))) from None


def _reason(entry: str) -> str:
    found = re.search(r"X509v3 CRL Reason Code: *(?:critical)?\n +(.+)", entry)
    return found[1] if found else ""
