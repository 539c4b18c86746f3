"""`openssl ocsp`: what a certificate's authority says of it at this moment (openssl-ocsp(1))."""

from __future__ import annotations

import re

from mtls_openssl.openssl import ca

MALFORMED = b"\x30\x03\x0a\x01\x01"
"""An answer that says: this is no request (RFC 6960, section 4.2.1)."""

INTERNAL_ERROR = b"\x30\x03\x0a\x01\x02"
"""An answer that says: the responder is at fault."""

_GOOD_FOR = 5  # minutes; whoever asks again later is to hear of a revocation


def answer(request: str, response: str, authority: str, *secret: str) -> tuple[str, ...]:
    """Argv that answers a request from the register of this folder, and prints both.

    `-port` would do it over HTTP, but listens on every address of the machine, and forgets to say
    who asked for what; so the listening is done elsewhere.

    Args:
        request: the file of the request, DER.
        response: the file to write.
        authority: the one that has issued what is asked about and signs the answer, as its files
            are called before the dot.
        secret: `pkey.unlocking` of its key, which is known from 3.0 on.
    """
    return (
        "ocsp", "-index", ca.INDEX, "-CA", f"{authority}.crt", "-rsigner", f"{authority}.crt",
        "-rkey", f"{authority}.key", "-reqin", request, "-respout", response,
        "-nmin", str(_GOOD_FOR), "-text", *secret,
    )  # fmt: skip


def ask(certificate: str, authority: str, root: str, url: str) -> tuple[str, ...]:
    """Argv that asks a responder about a certificate, and checks the answer.

    Args:
        certificate: the file of the certificate.
        authority: that of the authority that has issued it.
        root: that of the root.
        url: where the responder is.
    """
    return ("ocsp", "-issuer", authority, "-cert", certificate, "-CAfile", root, "-url", url)


def request(certificate: str, authority: str, out: str) -> tuple[str, ...]:
    """Argv that writes a request about a certificate."""
    return ("ocsp", "-issuer", authority, "-cert", certificate, "-reqout", out)


def statuses(output: str) -> tuple[tuple[str, str], ...]:
    """What `answer` said of whom: serial number, and good, revoked or unknown."""
    found = re.findall(
        r"Serial Number: (\w+)\n\s*Cert Status: (good|revoked|unknown)", output, re.MULTILINE
    )
    return tuple((ca.plain(serial), status) for serial, status in found)
