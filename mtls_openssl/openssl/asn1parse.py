"""`openssl asn1parse`: the shape of a DER file, which tells what it is (openssl-asn1parse(1))."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence

_NODE = re.compile(
    r"^ *\d+:d=(\d+) +hl=\d+ +l= *\w+ +(?:cons|prim): *"
    r"(\w[\w ]*?(?:\[ \d+ \])?) *(?:\[HEX DUMP\])?(?::(.*))?$",
    re.MULTILINE,
)


class Shape(enum.Enum):
    """What a DER file can be, by the structures of the RFCs."""

    CERTIFICATE = "certificate"
    """RFC 5280, 4.1."""
    REQUEST = "request"
    """RFC 2986, 4."""
    CRL = "CRL"
    """RFC 5280, 5.1."""
    KEY = "private key"
    """PKCS#8 (RFC 5958), RSAPrivateKey (RFC 8017) or ECPrivateKey (RFC 5915)."""
    ENCRYPTED_KEY = "encrypted private key"
    """RFC 5958, 3."""
    PUBLIC_KEY = "public key"
    """RFC 5280, 4.1.2.7."""
    PKCS12 = "PKCS#12"
    """RFC 7292, 4."""
    PKCS7 = "PKCS#7"
    """RFC 2315, 7."""


def show(file: str, form: str) -> tuple[str, ...]:
    """Argv that prints the structure of `file`, which is PEM or DER by `form`."""
    return ("asn1parse", "-in", file, "-inform", form)


def shape(output: str) -> Shape | None:
    """What the file that `show` printed is; None if it is nothing of ours."""
    nodes = [(int(depth), kind, value) for depth, kind, value in _NODE.findall(output)]
    outer = [kind for depth, kind, _ in nodes if depth == 1]
    number = next((value for depth, _, value in nodes if depth == 1), "")
    match outer:
        case ["INTEGER", "SEQUENCE", *_] if number == "03":
            return Shape.PKCS12
        case ["INTEGER", "SEQUENCE", "OCTET STRING", *_]:
            return Shape.KEY
        case ["INTEGER", "OCTET STRING", *_]:
            return Shape.KEY
        case ["INTEGER", "INTEGER", "INTEGER", "INTEGER", "INTEGER", *_]:
            return Shape.KEY
        case ["OBJECT", "cont [ 0 ]"]:
            return Shape.PKCS7
        case ["SEQUENCE", "OCTET STRING"]:
            return Shape.ENCRYPTED_KEY
        case ["SEQUENCE", "BIT STRING"]:
            return Shape.PUBLIC_KEY
        case ["SEQUENCE", "SEQUENCE", "BIT STRING"]:
            return _signed([kind for depth, kind, _ in _first(nodes) if depth == 2])  # noqa: PLR2004
    return None


def algorithms(output: str) -> tuple[str, ...]:
    """The names of the algorithms in what `show` printed, in its order."""
    return tuple(value for _, kind, value in _NODE.findall(output) if kind == "OBJECT")


def _first(nodes: Sequence[tuple[int, str, str]]) -> Sequence[tuple[int, str, str]]:
    """The nodes within the first one of depth 1."""
    starts = [index for index, node in enumerate(nodes) if node[0] == 1]
    return nodes[starts[0] + 1 : starts[1]]


def _signed(inner: Sequence[str]) -> Shape | None:
    if "UTCTIME" in inner or "GENERALIZEDTIME" in inner:
        return Shape.CRL
    match inner:
        case ["cont [ 0 ]", "INTEGER", *_] | ["INTEGER", "SEQUENCE", "SEQUENCE", "SEQUENCE", *_]:
            return Shape.CERTIFICATE
        case ["INTEGER", "SEQUENCE", "SEQUENCE", *_]:
            return Shape.REQUEST
    return None
