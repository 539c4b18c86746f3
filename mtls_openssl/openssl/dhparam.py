"""`openssl dhparam`: Diffie-Hellman parameters (openssl-dhparam(1), Appendix D of the guide)."""

from __future__ import annotations

FILE = "dhparam.pem"


def generate(bits: int) -> tuple[str, ...]:
    """Argv of Appendix D: a fresh safe prime of `bits` bits. Takes seconds to minutes."""
    return ("dhparam", "-out", FILE, str(bits))


def check() -> tuple[str, ...]:
    """Argv that checks the parameters: the modulus is a safe prime, the generator fits."""
    return ("dhparam", "-in", FILE, "-check", "-noout")
