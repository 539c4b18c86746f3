"""`openssl req`: requests and self-signed certificates (openssl-req(1), steps 2 to 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import _
from mtls_openssl.manifest import Key
from mtls_openssl.openssl import extensions
from mtls_openssl.openssl.pkey import PublicKey, parse_kind, parse_pem, unlocking
from mtls_openssl.openssl.x509 import NAMES, parse_name

Name = Sequence[tuple[str, str]]
"""A distinguished name: attribute short names and values, the first one first."""


def self_sign(
    key: str, certificate: str, subject: Name, days: int, *, passphrase: str = ""
) -> tuple[str, ...]:
    """Argv that makes the CA's certificate, self-signed with `key`, valid for `days` days.

    Args:
        key: the file of the key.
        certificate: the file to write.
        subject: the CA's name.
        days: how long it lasts.
        passphrase: the environment variable with the pass phrase of the key; empty for none.
    """
    return (
        "req", "-new", "-x509", "-days", str(days), "-key", key, "-out", certificate,
        "-subj", subject_argument(subject), *unlocking(passphrase),
    )  # fmt: skip


def request(
    key: str, csr: str, subject: Name, alternatives: Sequence[str] = (), *, passphrase: str = ""
) -> tuple[str, ...]:
    """Argv that makes the certificate signing request `csr` for `key` (RFC 2986).

    Args:
        key: the file of the key.
        csr: the file to write.
        subject: whom the certificate is to be for.
        alternatives: the names that are asked for, as `manifest.Leaf` has them.
        passphrase: the environment variable with the pass phrase of the key; empty for none.
    """
    return (
        "req", "-new", "-key", key, "-out", csr, "-subj", subject_argument(subject),
        *_names(alternatives), *unlocking(passphrase),
    )  # fmt: skip


def with_new_key(
    key: str, csr: str, subject: Name, kind: Key, alternatives: Sequence[str] = ()
) -> tuple[str, ...]:
    """Argv that makes a private key and its request in one process, the key as PKCS#8.

    Args:
        key: the file of the key to write.
        csr: the file of the request to write.
        subject: whom the certificate is to be for.
        kind: which kind of key.
        alternatives: the names that are asked for, as `manifest.Leaf` has them.
    """
    kinds = {
        "RSA": (f"rsa:{kind.bits}",),
        "EC": ("ec", "-pkeyopt", f"ec_paramgen_curve:{kind.curve}"),
        "ED25519": ("ed25519",),
    }
    return (
        "req", "-new", "-newkey", *kinds[kind.algorithm], "-nodes", "-keyout", key,
        "-out", csr, "-subj", subject_argument(subject), *_names(alternatives),
    )  # fmt: skip


def _names(alternatives: Sequence[str]) -> tuple[str, ...]:
    return ("-addext", f"subjectAltName={','.join(alternatives)}") if alternatives else ()


def describe(csr: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that prints what `parse` reads, and the request itself as PEM."""
    return (
        "req", "-in", csr, "-inform", form, "-text", "-subject", "-pubkey", "-nameopt", NAMES,
    )  # fmt: skip


def check(csr: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that checks a request's signature by its own key; `is_ok` reads the answer."""
    return ("req", "-in", csr, "-inform", form, "-noout", "-verify")


def public_key(csr: str, out: str) -> tuple[str, ...]:
    """Argv that writes the public key of a request to a file of its own, as PEM."""
    return ("req", "-in", csr, "-noout", "-pubkey", "-out", out)


def is_ok(output: str) -> bool:
    """Whether `check` said so: up to 1.1.1 it ends with 0 in either case."""
    return re.search(r"\bverify OK$", output, re.MULTILINE) is not None


def write(csr: str, out: str, form: str = "PEM", out_form: str = "PEM") -> tuple[str, ...]:
    """Argv that writes `csr` anew, in `out_form`."""
    return ("req", "-in", csr, "-inform", form, "-outform", out_form, "-out", out)


@dataclass(frozen=True)
class Description:
    """What a request asks for.

    Args:
        subject: whom the certificate is to be for, first attribute first.
        public_key: the public key, PEM.
        key: which kind of key it is.
        signature: the algorithm that it is signed with.
        extensions: those that are asked for, by the name that openssl prints.
    """

    subject: tuple[tuple[str, str], ...]
    public_key: str
    key: PublicKey
    signature: str
    extensions: dict[str, extensions.Extension]


def parse(output: str) -> Description:
    """Read what `describe` printed.

    Raises:
        ValueError: it is not that.
    """
    subject = re.search(r"^subject=(.*)$", output, re.MULTILINE)
    signature = re.search(r"^ *Signature Algorithm: (.*)$", output, re.MULTILINE)
    if not subject:
        raise ValueError(_("openssl req printed no subject"))
    return Description(
        subject=parse_name(subject[1].strip()),
        public_key=parse_pem(output),
        key=parse_kind(output),
        signature=signature[1] if signature else "",
        extensions=extensions.parse(output, "Requested Extensions:"),
    )


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
