"""`openssl genrsa`: RSA keys (openssl-genrsa(1), steps 2 to 4 of the guide)."""

from __future__ import annotations


def generate(key: str, bits: int) -> tuple[str, ...]:
    """Argv that makes an RSA key of `bits` bits, without a pass phrase, in the file `key`."""
    return ("genrsa", "-out", key, str(bits))
