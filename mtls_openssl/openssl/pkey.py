"""`openssl pkey`: look at keys, put a password on them or take it off (openssl-pkey(1)).

The guide's two commands of Appendix E, `rsa -aes256 -in … -out …` and `rsa -in … -out …`, are
written with `pkey` here: it does the same for RSA keys and is right for every other kind too, and
what it encrypts is PKCS#8 with PBKDF2 on every release (`rsa` of 1.1.1 derives the key with MD5).
"""

from __future__ import annotations

import re

from mtls_openssl.frozen import dataclass

PASSWORD_VARIABLE = "MTLS_KEY_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that openssl reads the password of a key from."""

NEW_PASSWORD_VARIABLE = "MTLS_NEW_KEY_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that openssl reads the password from that a key is to get."""


def unlocking(variable: str) -> tuple[str, ...]:
    """The arguments that name where the pass phrase of a key is; none where it has none.

    Args:
        variable: the environment variable; empty for none.
    """
    return ("-passin", f"env:{variable}") if variable else ()


def public_key(key: str, *, passphrase: str = "") -> tuple[str, ...]:
    """Argv that prints the public half of `key`, as PEM.

    Args:
        key: the file.
        passphrase: the environment variable with its pass phrase; empty for none.
    """
    return ("pkey", "-in", key, "-pubout", *unlocking(passphrase))


def describe(key: str, form: str = "PEM", *, encrypted: bool = False) -> tuple[str, ...]:
    """Argv that prints what `parse` reads of a private key: its public half, and of which kind.

    Args:
        key: the file.
        form: PEM or DER.
        encrypted: whether it has a password, which is in PASSWORD_VARIABLE.
    """
    source = f"env:{PASSWORD_VARIABLE}" if encrypted else "pass:"
    return ("pkey", "-in", key, "-inform", form, "-passin", source, "-pubout", "-text_pub")


def describe_public(key: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that prints what `parse` reads of a public key."""
    return ("pkey", "-pubin", "-in", key, "-inform", form, "-pubout", "-text_pub")


def write(
    key: str, out: str, form: str = "PEM", *, encrypted: bool = False, protect: bool = False
) -> tuple[str, ...]:
    """Argv that writes a private key anew, as PKCS#8 (RFC 5958).

    Args:
        key: the file.
        out: the file to write.
        form: the form of `key`, PEM or DER.
        encrypted: whether `key` has a password, which is in PASSWORD_VARIABLE.
        protect: whether `out` gets one, which is in NEW_PASSWORD_VARIABLE; with AES-256 then.
    """
    source = f"env:{PASSWORD_VARIABLE}" if encrypted else "pass:"
    cipher = ("-aes256", "-passout", f"env:{NEW_PASSWORD_VARIABLE}") if protect else ()
    return ("pkey", "-in", key, "-inform", form, "-passin", source, *cipher, "-out", out)


def write_der(key: str, out: str, *, public: bool = False) -> tuple[str, ...]:
    """Argv that writes a key without a password in DER, which has no room for one here."""
    which = ("-pubin", "-pubout") if public else ("-passin", "pass:")
    return ("pkey", *which, "-in", key, "-outform", "DER", "-out", out)


@dataclass(frozen=True)
class PublicKey:
    """Which kind of key it is.

    Args:
        kind: RSA, EC, ED25519 and so on.
        bits: its size; 0 where the kind says it all.
        curve: the name of its curve; empty if it has none, or one that is spelt out.
    """

    kind: str
    bits: int = 0
    curve: str = ""


def parse_kind(text: str) -> PublicKey:
    r"""Which kind of key it is, from what `-text` or `-text_pub` prints.

    >>> parse_kind("Public-Key: (256 bit field, 128 bit security level)\nASN1 OID: prime256v1")
    PublicKey(kind='EC', bits=256, curve='prime256v1')
    """
    size = re.search(r"^ *(?:(\S+) )?Public-Key:(?: \((\d+) bit)?", text, re.MULTILINE)
    curve = re.search(r"^ *ASN1 OID: (\S+)", text, re.MULTILINE)
    named = size[1] if size and size[1] else ""
    if not named:
        named = "EC" if curve or re.search(r"^ *Field Type:", text, re.MULTILINE) else ""
    if not named:
        named = "RSA" if re.search(r"^ *Modulus:", text, re.MULTILINE) else "unknown"
    return PublicKey(named, int(size[2]) if size and size[2] else 0, curve[1] if curve else "")


def parse_pem(text: str) -> str:
    """The public key in `text`, PEM; empty if there is none."""
    found = re.search(
        r"^-----BEGIN PUBLIC KEY-----\n.*?-----END [^\n]*$", text, re.MULTILINE | re.DOTALL
    )
    return found[0] if found else ""
