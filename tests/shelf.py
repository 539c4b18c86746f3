"""Certificates, keys, requests and lists of every kind, made by openssl for the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mtls_openssl.cli import app
from tests.machine import openssl, ran

PASSWORD = "only for a test"
NEW_PASSWORD = "another for a test"

CONFIG = """
[req]
distinguished_name = dn
prompt = no
utf8 = yes
string_mask = utf8only
[dn]
CN = unused
[asked]
subjectAltName = DNS:server.example, IP:10.0.0.1, IP:::1
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[middle]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:server.example, IP:10.0.0.1, IP:::1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca]
default_ca = list
[list]
database = index.txt
crlnumber = crlnumber
new_certs_dir = .
certificate = root.crt
private_key = root.key
default_md = sha256
default_crl_days = 7
"""
EC = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
ED25519 = ("-algorithm", "ED25519")


def asked(folder: Path, *argv: str, env: Mapping[str, str] | None = None) -> str:
    """What openssl prints, run in `folder` with the configuration of the shelf."""
    ours = {"OPENSSL_CONF": "shelf.cnf", "WORD": PASSWORD, **(env or {})}
    return ran(openssl(), *argv, cwd=folder, env=ours).stdout


def key(folder: Path, name: str, *algorithm: str) -> None:
    """A private key."""
    asked(folder, "genpkey", *(algorithm or EC), "-out", f"{name}.key")


def root(folder: Path, name: str = "root", section: str = "root", days: int = 30) -> None:
    """A certificate signed by its own key, which is made."""
    key(folder, name)
    self_sign(folder, name, section, days)


def self_sign(folder: Path, name: str, section: str, days: int = 30) -> None:
    """A certificate signed by its own key."""
    (folder / f"{name}.ext").write_text(f"extensions = {section}\n{CONFIG}", "utf-8")
    request(folder, name)
    asked(
        folder, "x509", "-req", "-in", f"{name}.csr", "-signkey", f"{name}.key", "-days", str(days),
        "-extfile", f"{name}.ext", "-out", f"{name}.crt",
    )  # fmt: skip


def request(folder: Path, name: str, *more: str) -> None:
    """A request for the key of that name."""
    subject = ("-subj", f"/O=The shelf/CN={name}")
    asked(folder, "req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr", *subject, *more)


def issue(folder: Path, name: str, by: str, section: str = "server", extensions: str = "") -> None:
    """A certificate for the request of that name, which is made with its key where it is missing.

    `extensions` stands in the place of the section, line by line.
    """
    if not (folder / f"{name}.key").exists():
        key(folder, name)
    request(folder, name)
    content = extensions or f"extensions = {section}\n{CONFIG}"
    (folder / f"{name}.ext").write_text(content, "utf-8")
    asked(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key",
        "-set_serial", "0x1234", "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt",
    )  # fmt: skip


def pack(folder: Path, name: str, *more: str) -> None:
    """A PKCS#12 file of the key and the certificate of that name."""
    asked(
        folder, "pkcs12", "-export", "-inkey", f"{name}.key", "-in", f"{name}.crt", "-out",
        f"{name}.p12", "-passout", "env:WORD", *more,
    )  # fmt: skip


def revoke(folder: Path, name: str) -> None:
    """The root's CRL, crl.pem, with the certificate of that name in it."""
    (folder / "index.txt").write_text("")
    (folder / "crlnumber").write_text("2A\n")
    asked(folder, "ca", "-revoke", f"{name}.crt", "-crl_reason", "keyCompromise")
    asked(folder, "ca", "-gencrl", "-out", "crl.pem")


def joined(folder: Path, name: str, *names: str) -> Path:
    """A file of several others, one after another."""
    path = folder / name
    path.write_bytes(b"".join((folder / one).read_bytes() for one in names))
    return path


def filled(folder: Path) -> Path:
    """A shelf with one thing of each kind."""
    (folder / "shelf.cnf").write_text(CONFIG, "utf-8")
    root(folder)
    issue(folder, "middle", "root", "middle")
    issue(folder, "server", "middle")
    revoke(folder, "middle")
    pack(folder, "server", "-name", "My server", "-certfile", "middle.crt")
    asked(folder, "pkey", "-in", "server.key", "-aes256", "-passout", "env:WORD", "-out", "enc.key")
    joined(folder, "chain.pem", "server.crt", "middle.crt", "root.crt")
    return folder


def mtls(
    *argv: str | Path, code: int = 0, env: Mapping[str, str] | None = None, stdin: str = ""
) -> Any:
    """Run a command of ours in this process; fail unless it ends with `code`."""
    names = {"WORD": PASSWORD, "NEW": NEW_PASSWORD, **(env or {})}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        patch.setattr("mtls_openssl.cli.secret._taken", {})
        done = CliRunner().invoke(app, [str(one) for one in argv], input=stdin)
    assert done.exit_code == code, f"{argv}: {done.exit_code}\n{done.output}"
    return done


def told(*argv: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
    """What a command of ours prints with `--json`."""
    words = 2 if argv[0] == "key" else 1
    ordered = (*argv[:words], "--json", *argv[words:])
    return json.loads(mtls(*ordered, code=code, env=env).stdout)


def part(*argv: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
    """The one part of the one file that `inspect` was asked about."""
    (file,) = told("inspect", *argv, code=code, env=env)["files"]
    (only,) = file["parts"]
    return only
