"""The batch file that the program replaces, as data: its commands and its extension files.

Written down from Appendix A of the guide, independently of the package. Where the environment
names the original itself (MTLS_ORIGINAL_BAT), it is read instead and must say the same.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.machine import PASSWORD, openssl, ran

_ORG = "/C=CN/ST=Beijing/L=Beijing/O=MyOrganization"
_SIGN = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "365", "-sha256")

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("genrsa", "-out", "ca.key", "2048"),
    *((
        ("req", "-new", "-x509", "-days", "3650", "-key", "ca.key", "-out", "ca.crt",
         "-subj", f"{_ORG} CA/CN=MyRootCA"),
    )),
    ("genrsa", "-out", "server.key", "2048"),
    ("req", "-new", "-key", "server.key", "-out", "server.csr",
     "-subj", f"{_ORG}/CN=server.your_domain.com"),
    ("x509", "-req", "-in", "server.csr", *_SIGN, "-extfile", "v3_server.ext",
     "-out", "server.crt"),
    ("genrsa", "-out", "client.key", "2048"),
    ("req", "-new", "-key", "client.key", "-out", "client.csr", "-subj", f"{_ORG}/CN=client1"),
    ("x509", "-req", "-in", "client.csr", *_SIGN, "-extfile", "v3_client.ext",
     "-out", "client.crt"),
    ("verify", "-CAfile", "ca.crt", "server.crt"),
    ("verify", "-CAfile", "ca.crt", "client.crt"),
    ("pkcs12", "-export", "-out", "client.p12", "-inkey", "client.key", "-in", "client.crt",
     "-certfile", "ca.crt", "-name", "MyClientCert"),
)  # fmt: skip

EXTENSION_FILES = {
    "v3_server.ext": (
        "authorityKeyIdentifier=keyid,issuer",
        "basicConstraints=CA:FALSE",
        "keyUsage = digitalSignature, keyEncipherment",
        "extendedKeyUsage = serverAuth",
        "subjectAltName = @alt_names",
        "",
        "[alt_names]",
        "DNS.1 = server.your_domain.com",
        "DNS.2 = localhost",
        "DNS.3 = api.your_domain.com",
        "IP.1 = 127.0.0.1",
    ),
    "v3_client.ext": (
        "authorityKeyIdentifier=keyid,issuer",
        "basicConstraints=CA:FALSE",
        "keyUsage = digitalSignature",
        "extendedKeyUsage = clientAuth",
    ),
}

FILES = ("ca.crt", "ca.key", "client.crt", "client.key", "client.p12", "server.crt", "server.key")

# What a machine's stock openssl.cnf has for `req` (apps/openssl.cnf of OpenSSL).
_STOCK = """\
[req]
distinguished_name = req_distinguished_name
x509_extensions = v3_ca
string_mask = utf8only
[req_distinguished_name]
[v3_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = critical,CA:true
"""


def make(folder: Path) -> None:
    """Run the batch file's commands in `folder`, one after another, as it does."""
    (folder / "stock.cnf").write_text(_STOCK)
    for name, lines in EXTENSION_FILES.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    for command in COMMANDS:
        argv = (*command, "-passout", f"pass:{PASSWORD}") if command[0] == "pkcs12" else command
        ran(openssl(), *argv, cwd=folder, env={"OPENSSL_CONF": "stock.cnf"})
    for name in ("stock.cnf", "ca.srl", "server.csr", "client.csr", *EXTENSION_FILES):
        (folder / name).unlink()


def bat() -> str | None:
    """The text of the original batch file, where this machine has it."""
    path = os.environ.get("MTLS_ORIGINAL_BAT")
    return Path(path).read_text("utf-8") if path else None


def commands_of(text: str) -> list[tuple[str, ...]]:
    """The openssl commands of a batch file, its variables put in."""
    text = re.sub(r"\^\r?\n\s*", "", text)
    values = dict(re.findall(r"^set (\w+)=(.*)$", text, re.MULTILINE))
    for name, value in values.items():
        text = text.replace(f"%{name}%", value.strip())
    return [
        tuple(argument.replace('"', "") for argument in re.findall(r'(?:"[^"]*"|\S)+', line)[1:])
        for line in text.splitlines()
        if line.startswith("openssl ")
    ]


def runnable_by_any_cmd(text: str) -> str:
    """The original with each redirected block as one `>>` a line, and without its prompt.

    Wine's cmd can't redirect a parenthesised block.
    """

    def unrolled(block: re.Match[str]) -> str:
        echoes = [line for line in block[1].splitlines() if line]
        return "".join(f">>{block[2]} {line}\n" for line in echoes)

    text = re.sub(r"^\(\n(.*?)^\) > (\S+)$", unrolled, text.replace("\r\n", "\n"),
                  flags=re.MULTILINE | re.DOTALL)  # fmt: skip
    text = text.replace('-name "MyClientCert"', f'-name "MyClientCert" -passout "pass:{PASSWORD}"')
    return re.sub(r"^pause$", "", text, flags=re.MULTILINE).replace("\n", "\r\n")


def quoted(argv: tuple[str, ...]) -> str:
    """A command as the batch file writes it."""
    return subprocess.list2cmdline(("openssl", *argv))
