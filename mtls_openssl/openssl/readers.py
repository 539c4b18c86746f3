"""Who can read a PKCS#12 file: programs on the one side, algorithms on the other (RFC 7292).

`openssl pkcs12` protects a file as its release likes best, which many systems can't read. A file
for a certain reader therefore says each algorithm: never `-legacy`, which means RC2 with 40 bits
and needs a provider that is often missing; never `-iter`, which 1.1.1 does not know; never PBMAC1
(RFC 9579), which next to nobody reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mtls_openssl.frozen import dataclass
from mtls_openssl.language import Text, _
from mtls_openssl.openssl.pkcs12 import Contents
from mtls_openssl.profiles import P12_FOR


@dataclass(frozen=True)
class Protection:
    """What key, certificates and MAC of a file are protected with.

    Args:
        cipher: as `-keypbe` and `-certpbe` have it (openssl-pkcs12(1)).
        digest: of the MAC, as `-macalg` has it.
        printed: what `pkcs12 -info` calls the cipher.
        java: what Java calls the cipher and the MAC (Java Security Standard Algorithm Names).
    """

    cipher: str
    digest: str
    printed: str
    java: tuple[str, str]


MODERN: Final = Protection(
    "AES-256-CBC", "sha256", "AES-256-CBC", ("PBEWithHmacSHA256AndAES_256", "HmacPBESHA256")
)
"""What OpenSSL 3 writes by itself, and 1.1.1 when told to."""

OLD: Final = Protection(
    "PBE-SHA1-3DES",
    "sha1",
    "pbeWithSHA1And3-KeyTripleDES-CBC",
    ("PBEWithSHA1AndDESede", "HmacPBESHA1"),
)
"""What Windows itself writes (`TripleDES_SHA1`); read and written without the legacy provider."""

PROTECTIONS: Final[Mapping[str, Protection]] = MappingProxyType(
    {name: MODERN if name == "modern" else OLD for name in P12_FOR}
)
"""What a file for each of `P12_FOR` is protected with."""

_READ_BY_ALL: Final = "windows2016"

_TRIPLE_DES, _RC2, _PBES2 = "3DES", "RC2", "PBES2"
_SHA1, _SHA2, _PBMAC1 = "SHA-1", "SHA-2", "PBMAC1"

_OLD_IN_DER: Final = bytes.fromhex("060a2a864886f70d010c01")
"""pbeWithSHA1And…, whatever the cipher: the object identifier but for its end (RFC 7292, C)."""
_PBES2_IN_DER: Final = bytes.fromhex("06092a864886f70d01050d")
"""PBES2 (RFC 8018, A.4), as it stands in a file."""

_READ_BY_OLD = frozenset({_TRIPLE_DES, _RC2, _SHA1})
_READ_BY_NEW = _READ_BY_OLD | {_PBES2, _SHA2}


@dataclass(frozen=True)
class Reader:
    """Somebody who may have to read a file.

    Args:
        name: who.
        reads: the kinds of algorithms that they know.
        source: where that was found out.
        profile: the one of `P12_FOR` to make a file for them with.
        java: whether a truststore is of use to them.
    """

    name: Text
    reads: frozenset[str]
    source: str
    profile: str
    java: bool = False


READERS: Final = (
    Reader(
        _("Windows 11, Windows 10 from 1709 on, Windows Server 2019 and later"),
        _READ_BY_NEW,
        "Microsoft: cannot-import-aes256-sha256-encrypted-pfx-certificate;"
        " PKCS12_PBES2_EXPORT_PARAMS",
        "modern",
    ),
    Reader(
        _("Windows Server 2016 and 2012 R2, Windows 8.1, Windows 10 up to 1703"),
        _READ_BY_OLD,
        "Microsoft: cannot-import-aes256-sha256-encrypted-pfx-certificate; openssl#27035",
        "windows2016",
    ),
    Reader(
        _("Java from 8u301, 11.0.12 and 16 on"),
        _READ_BY_NEW,
        "JDK release notes; product-is#21193",
        "modern",
        java=True,
    ),
    Reader(
        _("older Java, and some builds of Java 8"),
        _READ_BY_OLD,
        "credhub-release#65; keystore-explorer#173",
        "java8",
        java=True,
    ),
    Reader(
        _("macOS Keychain, iOS"),
        _READ_BY_OLD,
        "openssl#19495; openssl#19871; enterprise-certificate-proxy#210",
        "macos",
    ),
    Reader(_("Android from 14 on"), _READ_BY_NEW, "UCM#331", "modern"),
    Reader(
        _("Android up to 13"), _READ_BY_OLD, "strongswan-docs#5; clip_share_server#48", "android"
    ),
    Reader(_("OpenSSL 1.1.1"), _READ_BY_NEW, "tried", "modern"),
    Reader(_("OpenSSL 3.0 to 3.3"), _READ_BY_NEW - {_RC2}, "tried", "modern"),
    Reader(_("OpenSSL from 3.4 on"), _READ_BY_NEW - {_RC2} | {_PBMAC1}, "tried", "modern"),
)
"""Everybody whose abilities are known. 3DES with a MAC of SHA-1 is read by all of them."""


def arguments(profile: str | None) -> tuple[str, ...]:
    """What makes `openssl pkcs12 -export` write for a reader.

    Args:
        profile: one of `P12_FOR`; None for what the release likes best.
    """
    if profile is None:
        return ()
    one = PROTECTIONS[profile]
    return ("-keypbe", one.cipher, "-certpbe", one.cipher, "-macalg", one.digest)


def profile_like(file: bytes) -> str | None:
    """The one of `P12_FOR` whose file is read by all who read another one.

    Args:
        file: the other one, which need not be opened: its algorithms are in the clear.

    Returns:
        None where it says none that is known.
    """
    if _OLD_IN_DER in file:
        return _READ_BY_ALL
    return "modern" if _PBES2_IN_DER in file else None


def fault(contents: Contents, profile: str) -> str:
    """What in a file is not as it is for a reader, in one sentence; empty if nothing is.

    Args:
        contents: what the file holds.
        profile: one of `P12_FOR`.
    """
    wanted = PROTECTIONS[profile]
    parts = contents.parts
    for part, algorithm in parts:
        good = _name(algorithm) == wanted.digest if part == "MAC" else wanted.printed in algorithm
        if not good:
            return _(
                "{part} is {algorithm}, where {cipher} and {digest} were asked for",
                part=part,
                algorithm=algorithm,
                cipher=wanted.cipher,
                digest=wanted.digest,
            )
    missing = {"MAC", "PKCS7 Encrypted data"} - {part for part, _algorithm in parts}
    return _("it has no {part}", part=min(missing)) if missing else ""


def who(contents: Contents) -> tuple[tuple[Reader, ...], tuple[Reader, ...]]:
    """Those of `READERS` who can read a file, and those who can't; of a truststore, Java only.

    Args:
        contents: what the file holds.
    """
    kinds = {_kind(algorithm) for _part, algorithm in contents.parts}
    asked = [reader for reader in READERS if reader.java or not contents.trusted]
    can = tuple(reader for reader in asked if kinds <= reader.reads)
    return can, tuple(reader for reader in asked if reader not in can)


def _name(algorithm: str) -> str:
    return algorithm.partition(",")[0]


def _kind(algorithm: str) -> str:
    name = _name(algorithm)
    for kind, signs in {
        _PBMAC1: ("PBMAC1",),
        _PBES2: ("PBES2",),
        _TRIPLE_DES: ("TripleDES",),
        _RC2: ("RC2",),
    }.items():
        if any(sign in name for sign in signs):
            return kind
    return {"sha1": _SHA1, "sha256": _SHA2, "sha384": _SHA2, "sha512": _SHA2}.get(name, name)
