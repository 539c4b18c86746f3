"""`openssl verify`: check chains (openssl-verify(1), openssl-verification-options(1), step 5)."""

from __future__ import annotations

import re


def chain(certificate: str) -> tuple[str, ...]:
    """The guide's check: `certificate` was issued by the CA of this folder and is in date."""
    return ("verify", "-CAfile", "ca.crt", certificate)


def strict(certificate: str, *checks: str) -> tuple[str, ...]:
    """The check that strict validators make, RFC 5280 to the letter.

    Args:
        certificate: the file.
        checks: further options, such as `("-purpose", "sslserver")`.
    """
    return ("verify", "-x509_strict", *checks, "-CAfile", "ca.crt", certificate)


def is_ok(output: str, certificate: str) -> bool:
    """Whether `verify` said so of `certificate`: an exit code alone is not an answer."""
    return f"{certificate}: OK" in output.splitlines()


def reason(output: str) -> str:
    """Why `verify` refused, in openssl's own words; empty if it gave none.

    >>> reason("error 10 at 0 depth lookup: certificate has expired")
    'certificate has expired'
    """
    found = re.findall(r"^error \d+ at \d+ depth lookup: ?(.+)$", output, re.MULTILINE)
    return "; ".join(dict.fromkeys(found))
