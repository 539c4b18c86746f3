"""Requests as others may send them: made by openssl alone, of any content."""

from __future__ import annotations

from pathlib import Path

from tests.machine import openssl, ran

P_256 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA_1024 = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
SECP256K1 = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")

GREEDY = """\
basicConstraints = critical, CA:TRUE, pathlen:3
keyUsage = critical, digitalSignature, keyCertSign, cRLSign
extendedKeyUsage = clientAuth, codeSigning
subjectAltName = DNS:server.your_domain.com, DNS:*.example.com, IP:192.0.2.1, IP:2001:db8::1, \\
  email:boss@example.com, URI:spiffe://example.com/admin, otherName:1.2.3.4;UTF8:admin, RID:1.2.3
nameConstraints = permitted;DNS:example.com
certificatePolicies = 1.2.3.4
1.3.6.1.4.1.99999.1 = critical, DER:0C:05:61:64:6D:69:6E
"""

_ENVIRONMENT = {"OPENSSL_CONF": "request.cnf", "OPENSSL_WIN32_UTF8": "1"}


def asked(folder: Path, *argv: str) -> str:
    """What openssl prints, run in `folder`."""
    return ran(openssl(), *argv, cwd=folder, env=_ENVIRONMENT).stdout


def request(
    folder: Path,
    name: str,
    *,
    subject: str = "",
    extensions: str = "",
    key: tuple[str, ...] = P_256,
    file: str = "",
    form: str = "PEM",
) -> Path:
    """A request and its key, in a folder of whoever sends it."""
    folder.mkdir(exist_ok=True)
    section = f"req_extensions = asked\n[asked]\n{extensions}" if extensions else ""
    config = (
        f"[req]\ndistinguished_name = dn\nutf8 = yes\nstring_mask = utf8only\n{section}\n[dn]\n"
    )
    (folder / "request.cnf").write_text(config, "utf-8")
    if not (folder / f"{name}.key").exists():
        asked(folder, "genpkey", *key, "-out", f"{name}.key")
    asked(
        folder, "req", "-new", "-key", f"{name}.key", "-subj", subject or f"/CN={name}",
        "-outform", form, "-out", "made.csr",
    )  # fmt: skip
    return (folder / "made.csr").replace(folder / (file or f"{name}.csr"))
