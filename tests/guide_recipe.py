"""The commands of the guide's batch file, written out by hand, and the files they read."""

from __future__ import annotations

from mtls_openssl.scripting import Written
from mtls_openssl.steps import Command

PASSWORD = "MTLS_P12_PASSWORD"

CONFIG = """\
[req]
distinguished_name = subject
x509_extensions = v3_ca

[subject]

[v3_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always, issuer
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
"""

SERVER = """\
authorityKeyIdentifier=keyid,issuer
basicConstraints=CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = @alt_names

[alt_names]
DNS.1 = server.your_domain.com
DNS.2 = localhost
IP.1 = 127.0.0.1
"""

CLIENT = """\
authorityKeyIdentifier=keyid,issuer
basicConstraints=CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
"""

TEMPORARY = (
    "openssl.cnf", "server.csr", "client.csr", "ca.srl", "v3_server.ext", "v3_client.ext",
)  # fmt: skip
KEPT = ("ca.crt", "ca.key", "client.crt", "client.key", "client.p12", "server.crt", "server.key")

_PLACE = "/C=CN/ST=Beijing/L=Beijing"


def _key(name: str) -> Command:
    return Command(
        ("genrsa", "-out", f"{name}.key", "2048"), f"make {name}'s key", writes=(f"{name}.key",)
    )


def _request(name: str, subject: str) -> Command:
    return Command(
        ("req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr", "-subj", subject),
        f"ask for {name}'s certificate",
        reads=(f"{name}.key",),
        writes=(f"{name}.csr",),
    )


def _sign(name: str) -> Command:
    argv = (
        "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "365", "-sha256", "-extfile", f"v3_{name}.ext",
        "-out", f"{name}.crt",
    )  # fmt: skip
    return Command(argv, f"sign {name}'s", writes=(f"{name}.crt",), updates=("ca.srl",))


def _verify(name: str) -> Command:
    return Command(("verify", "-CAfile", "ca.crt", f"{name}.crt"), f"verify {name}.crt & its chain")


def lines(organisation: str = "MyOrganization") -> list[Command | Written]:
    place = f"{_PLACE}/O={organisation}"
    return [
        Written("openssl.cnf", CONFIG),
        _key("ca"),
        Command(
            (
                "req", "-new", "-x509", "-days", "3650", "-key", "ca.key", "-out", "ca.crt",
                "-subj", f"{place} CA/CN=MyRootCA",
            ),
            "sign the CA's certificate",
            writes=("ca.crt",),
        ),
        _key("server"),
        _request("server", f"{place}/CN=server.your_domain.com"),
        Written("v3_server.ext", SERVER),
        _sign("server"),
        _key("client"),
        _request("client", f"{place}/CN=client1"),
        Written("v3_client.ext", CLIENT),
        _sign("client"),
        _verify("server"),
        _verify("client"),
        Command(
            (
                "pkcs12", "-export", "-out", "client.p12", "-inkey", "client.key",
                "-in", "client.crt", "-certfile", "ca.crt", "-name", "MyClientCert",
                "-passout", f"env:{PASSWORD}",
            ),
            "pack client.p12",
            writes=("client.p12",),
            secrets=(PASSWORD,),
        ),
    ]  # fmt: skip
