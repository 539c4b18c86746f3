"""`openssl pkey`: look at a private key (openssl-pkey(1))."""

from __future__ import annotations


def public_key(key: str) -> tuple[str, ...]:
    """Argv that prints the public half of `key`, as PEM."""
    return ("pkey", "-in", key, "-pubout")
