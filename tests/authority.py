"""Sets for the tests of revocation: a root that issues, and a root above one that issues."""

from __future__ import annotations

import functools
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mtls_openssl.cli import app  # noqa: F401 - so that the first test does not pay for it
from mtls_openssl.openssl import crl
from mtls_openssl.openssl.crl import Description
from tests.machine import openssl, ran
from tests.shelf import told

PASSPHRASE = "only for the key of a test"

_CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
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
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def asked(folder: Path, *argv: str, exit_code: int | None = 0) -> str:
    """What openssl prints, run in `folder`."""
    done = ran(openssl(), *argv, cwd=folder, env=_env(), exit_code=exit_code)
    return f"{done.stdout}\n{done.stderr}"


def _env() -> Mapping[str, str]:
    return {"OPENSSL_CONF": "test.cnf", "WORD": PASSPHRASE, "LC_ALL": "C"}


def issue(folder: Path, name: str, by: str, section: str, *, cn: str = "", days: int = 30) -> None:
    """A new key and certificate of that name; signed by itself where `by` is the name."""
    (folder / "test.cnf").write_text(_CONFIG)
    subject = f"/O=The set/CN={cn or name}"
    asked(
        folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", f"{name}.key", "-out", "test.csr", "-subj", subject,
    )  # fmt: skip
    signer = ("-signkey", f"{name}.key")
    if by != name:
        signer = ("-CA", f"{by}.crt", "-CAkey", f"{by}.key")  # type: ignore[assignment]
    asked(
        folder, "x509", "-req", "-in", "test.csr", *signer, "-days", str(days), "-extfile",
        "test.cnf", "-extensions", section, "-set_serial", f"0x{secrets.token_hex(15)}",
        "-out", f"{name}.crt",
    )  # fmt: skip
    for scratch in ("test.cnf", "test.csr"):
        (folder / scratch).unlink()


def supersede(folder: Path, name: str, by: str, section: str, backup: str) -> str:
    """A new certificate of a name, the old one in a backup; the serial number of the old one."""
    old = serial(folder, f"{name}.crt")
    kept = folder / "backup" / backup
    kept.mkdir(parents=True, exist_ok=True)
    for ending in ("crt", "key"):
        (folder / f"{name}.{ending}").rename(kept / f"{name}.{ending}")
    issue(folder, name, by, section)
    return old


def flat(folder: Path) -> Path:
    """A set whose root issues: server, alice, bob; made once, and copied for each test."""
    return Path(shutil.copytree(_made(_flat), folder, dirs_exist_ok=True))


def left(folder: Path) -> Path:
    """The same, with a register and a CRL in which alice is revoked."""
    return Path(shutil.copytree(_made(_left), folder, dirs_exist_ok=True))


def unrevoked(folder: Path) -> Path:
    """The same, with a register and a CRL in which nobody is revoked."""
    return Path(shutil.copytree(_made(_unrevoked), folder, dirs_exist_ok=True))


def another(folder: Path) -> Path:
    """A set of the same names, of another root."""
    return Path(shutil.copytree(_made(_another), folder, dirs_exist_ok=True))


def layered(folder: Path) -> Path:
    """The same, with an intermediate authority that issues."""
    return Path(shutil.copytree(_made(_layered), folder, dirs_exist_ok=True))


_MADE = tempfile.TemporaryDirectory(prefix="mtls-authority-")


@functools.cache
def _made(make: Callable[[Path], Path]) -> Path:
    return make(Path(_MADE.name) / make.__name__)


def _flat(folder: Path) -> Path:
    folder.mkdir()
    issue(folder, "ca", "ca", "root", cn="The root")
    return _with_leaves(folder, "ca")


def _another(folder: Path) -> Path:
    return _flat(folder)


def _left(folder: Path) -> Path:
    said("revoke", "alice", folder=flat(folder))
    return folder


def _unrevoked(folder: Path) -> Path:
    said("crl", folder=flat(folder))
    return folder


def _layered(folder: Path) -> Path:
    folder.mkdir()
    issue(folder, "ca", "ca", "root", cn="The root")
    issue(folder, "intermediate", "ca", "middle", cn="The one that issues")
    _with_leaves(folder, "intermediate")
    between = (folder / "intermediate.crt").read_text()
    (folder / "chain.crt").write_text(between + (folder / "ca.crt").read_text())
    for name in ("server", "alice", "bob"):
        own = (folder / f"{name}.crt").read_text()
        (folder / f"{name}.chain.crt").write_text(own + between)
    return folder


def _with_leaves(folder: Path, by: str) -> Path:
    issue(folder, "server", by, "server", cn="localhost")
    for name in ("alice", "bob"):
        issue(folder, name, by, "client")
    return folder


def serial(folder: Path, name: str) -> str:
    """The serial number of a certificate."""
    return asked(folder, "x509", "-in", name, "-noout", "-serial").strip().partition("=")[2]


def listed(folder: Path, name: str = "crl.pem", form: str = "PEM") -> Description:
    """What openssl says of a CRL."""
    done = ran(openssl(), *crl.describe(name, form), cwd=folder, env=_env())
    return crl.parse(done.stdout)


def serials(folder: Path, name: str = "crl.pem") -> set[str]:
    """The serial numbers in a CRL."""
    return {one.serial for one in listed(folder, name).revoked}


def verdict(folder: Path, name: str, *, between: str = "", crl_file: str = "crl.pem") -> str:
    """What `openssl verify` says of a certificate where revocation is checked, whatever we say."""
    untrusted = ("-untrusted", between) if between else ()
    return asked(
        folder, "verify", "-crl_check", "-crl_check_all", "-CAfile", "ca.crt", *untrusted,
        "-CRLfile", crl_file, name, exit_code=None,
    )  # fmt: skip


def said(
    *argv: str | Path, folder: Path, code: int = 0, env: Mapping[str, str] | None = None
) -> Any:
    """What a command of ours prints with `--json`."""
    return told(*argv, "--out", folder, code=code, env=env)
