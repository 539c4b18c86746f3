"""`openssl pkcs7` and `crl2pkcs7`: certificates in one unsigned file, .p7b (RFC 2315)."""

from __future__ import annotations


def show(file: str, form: str = "PEM") -> tuple[str, ...]:
    """Argv that prints the certificates in `file`, PEM."""
    return ("pkcs7", "-in", file, "-inform", form, "-print_certs")


def pack(certificates: str, out: str) -> tuple[str, ...]:
    """Argv that packs the certificates of a PEM file into `out` (openssl-crl2pkcs7(1))."""
    return ("crl2pkcs7", "-nocrl", "-certfile", certificates, "-out", out)
