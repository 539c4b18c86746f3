"""`openssl genpkey`: keys of any kind (openssl-genpkey(1)); ours for what genrsa can't make."""

from __future__ import annotations


def generate_ec(key: str) -> tuple[str, ...]:
    """Argv that makes an EC key on P-256, as a named curve, in the file `key`."""
    return ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
