"""`openssl genpkey`: keys of any kind (openssl-genpkey(1)); ours for what genrsa can't make."""

from __future__ import annotations

from mtls_openssl.manifest import Key

P_256 = Key("EC", curve="P-256")


def generate(key: str, kind: Key, *, passphrase: str = "") -> tuple[str, ...]:
    """Argv that makes a private key, as PKCS#8 (RFC 5958); an EC key has a named curve.

    Args:
        key: the file to write.
        kind: which kind of key.
        passphrase: the environment variable with its pass phrase; empty for a key without. It is
            encrypted with AES-256 then, on every release with PBKDF2, which genrsa of 1.1.1 lacks.
    """
    options = {
        "RSA": ("-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{kind.bits}"),
        "EC": ("-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind.curve}"),
        "ED25519": ("-algorithm", "ED25519"),
    }
    cipher = ("-aes256", "-pass", f"env:{passphrase}") if passphrase else ()
    return ("genpkey", *options[kind.algorithm], *cipher, "-out", key)
