"""`openssl req`: requests and self-signed certificates (openssl-req(1), steps 2 to 4)."""

from __future__ import annotations

from collections.abc import Sequence

Name = Sequence[tuple[str, str]]
"""A distinguished name: attribute short names and values, the first one first."""


def self_sign(key: str, certificate: str, subject: Name, days: int) -> tuple[str, ...]:
    """Argv that makes the CA's certificate, self-signed with `key`, valid for `days` days."""
    return (
        "req", "-new", "-x509", "-days", str(days), "-key", key, "-out", certificate,
        "-subj", subject_argument(subject),
    )  # fmt: skip


def request(key: str, csr: str, subject: Name) -> tuple[str, ...]:
    """Argv that makes the certificate signing request `csr` for `key` (RFC 2986)."""
    return ("req", "-new", "-key", key, "-out", csr, "-subj", subject_argument(subject))


def subject_argument(subject: Name) -> str:
    r"""The value of `-subj` that stands for `subject`, to the letter.

    `/` begins the next attribute, `+` adds one to the same RDN, and a backslash takes the
    meaning from what follows it (openssl-req(1), `-subj`).

    >>> subject_argument([("O", "A/B + C"), ("CN", "x")])
    '/O=A\\/B \\+ C/CN=x'
    """
    return "".join(f"/{attribute}={_escaped(value)}" for attribute, value in subject)


def _escaped(value: str) -> str:
    return "".join("\\" + letter if letter in r"\/+" else letter for letter in value)
