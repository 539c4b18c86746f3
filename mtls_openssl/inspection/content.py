"""A file's bytes, taken apart: the PEM blocks in it, or the one DER structure that it is. Pure.

Around PEM blocks there may be anything (RFC 7468, section 2): text, other line ends, blanks. A
file of Windows PowerShell's `>` is UTF-16, and an editor's may begin with a byte order mark.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import dataclasses
import enum
import re
from collections.abc import Iterator

from mtls_openssl.language import Text, _

LARGEST = 64 * 1024 * 1024
"""Bytes that are read of a file: the largest CRLs have some 30 MB."""


class Kind(enum.StrEnum):
    """What one part of a file is."""

    CERTIFICATE = "certificate"
    REQUEST = "request"
    KEY = "private key"
    PUBLIC_KEY = "public key"
    PKCS12 = "PKCS#12"
    CRL = "CRL"
    PKCS7 = "PKCS#7"
    PARAMETERS = "parameters"
    UNKNOWN = "unknown"


_LABELS = {
    "CERTIFICATE": Kind.CERTIFICATE,
    "X509 CERTIFICATE": Kind.CERTIFICATE,
    "TRUSTED CERTIFICATE": Kind.CERTIFICATE,
    "CERTIFICATE REQUEST": Kind.REQUEST,
    "NEW CERTIFICATE REQUEST": Kind.REQUEST,
    "PRIVATE KEY": Kind.KEY,
    "ENCRYPTED PRIVATE KEY": Kind.KEY,
    "RSA PRIVATE KEY": Kind.KEY,
    "EC PRIVATE KEY": Kind.KEY,
    "DSA PRIVATE KEY": Kind.KEY,
    "PUBLIC KEY": Kind.PUBLIC_KEY,
    "RSA PUBLIC KEY": Kind.PUBLIC_KEY,
    "X509 CRL": Kind.CRL,
    "PKCS7": Kind.PKCS7,
    "CMS": Kind.PKCS7,
    "EC PARAMETERS": Kind.PARAMETERS,
    "DH PARAMETERS": Kind.PARAMETERS,
    "X9.42 DH PARAMETERS": Kind.PARAMETERS,
    "DSA PARAMETERS": Kind.PARAMETERS,
}
"""What the labels of PEM stand for (RFC 7468; openssl's pem.h)."""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 .]+)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----")
_BEGINNING = re.compile(r"^[ \t]*(?=-----BEGIN ([A-Z0-9 .]+)-----)", re.MULTILINE)

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_FOREIGN = (
    (b"\xff\xd8\xff", _("a JPEG picture")),
    (b"\x89PNG", _("a PNG picture")),
    (b"%PDF", _("a PDF document")),
    (b"PK\x03\x04", _("a ZIP archive")),
    (b"\x1f\x8b", _("a gzip archive")),
    (b"MZ", _("a Windows program")),
    (b"\x7fELF", _("a program")),
    (b"<", _("an HTML or XML page")),
    (
        b"\xfe\xed\xfe\xed",
        _("a Java keystore (JKS); keytool -importkeystore makes a PKCS#12 of it"),
    ),
    (b"ssh-", _("a public key of SSH, which is not used in TLS")),
)


@dataclasses.dataclass(frozen=True)
class Part:
    """One part of a file.

    Args:
        kind: what it is; UNKNOWN for DER that openssl has yet to look at.
        form: PEM or DER.
        data: what openssl is to read; in no repr, since it may be a key.
        label: the label of PEM.
        line: the line that it begins in, from 1; 0 for DER.
        cipher: what a traditional key is encrypted with (RFC 1421, DEK-Info); empty if it is not.
        fault: why it can't be read; empty if there is no reason yet.
    """

    kind: Kind
    form: str
    data: bytes = dataclasses.field(repr=False)
    label: str = ""
    line: int = 0
    cipher: str = ""
    fault: str = ""


@dataclasses.dataclass(frozen=True)
class Content:
    """What a file holds.

    Args:
        parts: in its order.
        form: PEM or DER; empty if it is neither.
        fault: what it is instead; empty if it is one of them.
        notes: what else a person should know of how it is written.
        plain: whether openssl finds every part in the file as it is.
    """

    parts: tuple[Part, ...]
    form: str
    fault: str = ""
    notes: tuple[str, ...] = ()
    plain: bool = False

    @property
    def in_place(self) -> bool:
        """Whether openssl finds the one part in the file as it is."""
        return self.plain and len(self.parts) == 1


def taken_apart(data: bytes) -> Content:
    """The parts of a file.

    Args:
        data: all of it.
    """
    if not data:
        return Content((), "", _("it is empty"))
    text, notes = _text(data)
    parts = tuple(_blocks(text))
    if parts:
        clean = not notes and not any(part.fault for part in parts) and text.isascii()
        starts = re.search(r"^-----BEGIN ", text, re.MULTILINE) is not None
        return Content(parts, "PEM", "", notes, plain=clean and starts)
    if data[0] == 0x30:  # noqa: PLR2004 - SEQUENCE, with which every structure of ours begins
        return Content((Part(Kind.UNKNOWN, "DER", data),), "DER", plain=True)
    if bare := _without_lines(text):
        note = _("it is Base64 without the lines -----BEGIN …----- and -----END …-----")
        return Content((Part(Kind.UNKNOWN, "DER", bare),), "DER", "", (*notes, note))
    for sign, what in _FOREIGN:
        if data.startswith(sign):
            return Content((), "", _("it is {what}", what=what))
    return Content((), "", _("no certificate, request, key, PKCS#12 file or CRL is in it"))


def _text(data: bytes) -> tuple[str, tuple[Text, ...]]:
    """A file as text, in which PEM can be found; and what is unusual about it."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        note = _("it is UTF-16 (as of Windows PowerShell's >), which most programs can't read")
        return data.decode("utf-16", "replace"), (note,)
    if data.startswith(codecs.BOM_UTF8):
        note = _("it begins with a byte order mark, which older programs can't read over")
        return data[3:].decode("utf-8", "replace"), (note,)
    return data.decode("utf-8", "replace"), ()


def _blocks(text: str) -> Iterator[Part]:
    end = 0
    for begin in _BEGINNING.finditer(text):
        if begin.start() < end:
            continue
        label, line = begin[1], text.count("\n", 0, begin.end()) + 1
        kind = _LABELS.get(label, Kind.UNKNOWN)
        block = _BLOCK.match(text, begin.end())
        if not block:
            why = _(
                "the block {label} that begins in line {line} has no end: the file is cut off",
                label=label, line=line,
            )  # fmt: skip
            yield Part(kind, "PEM", b"", label, line, fault=why)
            continue
        end = block.end()
        if kind is Kind.UNKNOWN:
            why = _("a block {label}, which is not looked into", label=label)
            if label == "OPENSSH PRIVATE KEY":
                why = _("a private key of SSH, which is not used in TLS")
            yield Part(kind, "PEM", b"", label, line, fault=why)
        else:
            cipher = re.search(r"^DEK-Info: *([\w-]+)", block[2], re.MULTILINE)
            lines = [f"-----BEGIN {label}-----", *_lines(block[2]), f"-----END {label}-----", ""]
            data = "\n".join(lines).encode("ascii", "replace")
            yield Part(kind, "PEM", data, label, line, cipher[1] if cipher else "")


def _lines(body: str) -> list[str]:
    lines = [line.strip() for line in body.strip().splitlines()]
    # The blank line after the headers of a traditional encrypted key belongs to it (RFC 1421).
    return lines if any(":" in line for line in lines) else list(filter(None, lines))


def _without_lines(text: str) -> bytes:
    """The DER that Base64 without the lines of PEM stands for; empty if it is not that."""
    letters = "".join(text.split())
    if not letters.startswith("MI"):  # 0x30, and a length of two bytes or more
        return b""
    try:
        return base64.b64decode(letters, validate=True)
    except (binascii.Error, ValueError):
        return b""
