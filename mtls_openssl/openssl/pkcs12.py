"""`openssl pkcs12`: key and chain in one encrypted file (openssl-pkcs12(1), step 5; RFC 7292)."""

from __future__ import annotations

import dataclasses
import re

PASSWORD_VARIABLE = "MTLS_P12_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable that openssl reads the password from."""


def export(p12: str, key: str, certificate: str, name: str) -> tuple[str, ...]:
    """Argv that packs `key`, `certificate` and the CA's into `p12`, under the alias `name`.

    The password source is ours: the guide's command asks at a prompt, which nobody can answer
    for a program (openssl-passphrase-options(1)).
    """
    return (
        "pkcs12", "-export", "-out", p12, "-inkey", key, "-in", certificate,
        "-certfile", "ca.crt", "-name", name, "-passout", f"env:{PASSWORD_VARIABLE}",
    )  # fmt: skip


def open_again(p12: str) -> tuple[str, ...]:
    """Argv that opens `p12` with its password and prints all but the key."""
    return ("pkcs12", "-info", "-in", p12, "-nokeys", "-passin", f"env:{PASSWORD_VARIABLE}")


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a PKCS#12 file holds.

    Args:
        certificates: the certificates, PEM, in its order.
        keys: how many encrypted private keys.
        algorithms: what the MAC and each part are made with, in openssl's words.
    """

    certificates: tuple[str, ...]
    keys: int
    algorithms: tuple[str, ...]


def parse(stdout: str, stderr: str) -> Contents:
    """Read what `open_again` printed."""
    certificates = re.findall(
        r"^-----BEGIN CERTIFICATE-----\n.*?^-----END CERTIFICATE-----$",
        stdout,
        re.MULTILINE | re.DOTALL,
    )
    algorithms = re.findall(
        r"^(MAC|PKCS7 Encrypted data|Shrouded Keybag): (.*)$", stderr, re.MULTILINE
    )
    return Contents(
        tuple(certificates),
        sum(bag == "Shrouded Keybag" for bag, _ in algorithms),
        tuple(f"{bag}: {algorithm}" for bag, algorithm in algorithms),
    )
