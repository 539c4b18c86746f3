"""The strictest validators accept a set, and refuse what is not of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import CHECKOUT, PASSWORD, mtls, openssl, ran, tool

pytestmark = pytest.mark.end_to_end

PROFILES = ("bat", "modern")


def strict_pythons() -> list[str]:
    """This Python, and the first one that is strict by default where there is one."""
    other = shutil.which("python3.13")
    if other and subprocess.run([other, "-V"], capture_output=True, check=False).returncode == 0:
        return [sys.executable, other]
    return [sys.executable]


@pytest.fixture(scope="module", params=PROFILES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    mtls("all", "--profile", request.param, cwd=folder)
    return folder


@pytest.mark.parametrize(
    ("certificate", "purpose"), [("server.crt", "sslserver"), ("client.crt", "sslclient")]
)
def test_openssl_accepts_a_certificate_for_its_own_purpose(
    certificate: str, purpose: str, made: Path
) -> None:
    verify = (openssl(), "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt")
    assert ran(*verify, certificate, cwd=made).stdout.strip() == f"{certificate}: OK"


@pytest.mark.parametrize(
    ("certificate", "purpose"), [("server.crt", "sslclient"), ("client.crt", "sslserver")]
)
def test_openssl_refuses_a_certificate_for_the_other_purpose(
    certificate: str, purpose: str, made: Path
) -> None:
    verify = (openssl(), "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca.crt")
    assert ran(*verify, certificate, cwd=made, exit_code=2).returncode == 2


def test_an_issuer_that_only_the_machine_trusts_is_not_the_sets_ca(
    made: Path, tmp_path: Path
) -> None:
    folder, other = tmp_path / "set", tmp_path / "other"
    shutil.copytree(made, folder)
    other.mkdir()
    mtls("all", "--ca-cn", "A CA that the machine trusts", cwd=other)
    for name in ("server.key", "server.crt"):
        shutil.copy(other / name, folder)
    trusted = {"SSL_CERT_FILE": str(other / "ca.crt")}
    refused = mtls("verify", cwd=folder, env=trusted, exit_code=5)
    assert "server.crt: unable to get local issuer certificate" in refused.stderr
    # Which it is, where the machine's own trust store has a say.
    believed = (openssl(), "verify", "-purpose", "sslserver", "server.crt")
    assert ran(*believed, cwd=folder, env=trusted).stdout.strip() == "server.crt: OK"


@pytest.mark.parametrize("python", strict_pythons())
def test_python_shakes_hands_with_default_contexts_on_both_sides(python: str, made: Path) -> None:
    shaken = ran(
        python, CHECKOUT / "tests" / "handshake.py", made, "server.your_domain.com", cwd=made
    )
    assert shaken.stdout.split() == ["TLSv1.3", "client1"]


def test_python_refuses_a_name_that_the_server_lacks(made: Path) -> None:
    refused = ran(
        sys.executable, CHECKOUT / "tests" / "handshake.py", made, "other.example", cwd=made,
        exit_code=1,
    )  # fmt: skip
    assert "Hostname mismatch" in refused.stderr


@pytest.mark.tool("certtool")
@pytest.mark.parametrize("leaf", ["server.crt", "client.crt"])
def test_gnutls_verifies_the_chain(leaf: str, made: Path) -> None:
    verified = ran(
        *(tool("certtool"), "--verify", "--load-ca-certificate", "ca.crt", "--infile", leaf),
        cwd=made,
    )
    assert "Verified. The certificate is trusted" in verified.stdout


@pytest.mark.tool("keytool")
def test_java_lists_the_bundle_with_key_and_chain(made: Path) -> None:
    listed = ran(
        *(tool("keytool"), "-J-Duser.language=en", "-list", "-v", "-keystore", "client.p12"),
        *("-storetype", "PKCS12", "-storepass", PASSWORD),
        cwd=made,
    ).stdout
    assert "Entry type: PrivateKeyEntry" in listed
    assert "Certificate chain length: 2" in listed
    assert "Alias name: myclientcert" in listed
