"""macOS' keychains: security is called exactly so."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_subprocess import FakeProcess

from mtls_openssl.trust.macos import KeychainStore
from mtls_openssl.trust.store import Presence
from tests.trusting import desk_with, host, installed, removed, root_in

pytestmark = pytest.mark.posix


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return root_in(tmp_path_factory.mktemp("set"))


@pytest.mark.parametrize("user", [False, True], ids=["System", "login"])
def test_a_keychain_trusts_the_root_and_no_longer(
    user: bool, root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    fp.allow_unregistered(True)
    security = str(tmp_path / "usr/bin/security")
    keychain = str(
        tmp_path / "home/Library/Keychains/login.keychain-db"
        if user
        else tmp_path / "Library/Keychains/System.keychain"
    )
    domain = [] if user else ["-d"]
    listing = [security, "find-certificate", "-a", "-Z", keychain]
    verifying = [security, "verify-cert", "-l", "-L", "-c", "ca.crt"]
    store = KeychainStore(host(tmp_path, "darwin"), user=user)
    with desk_with(root) as (desk, ca):
        fp.register(listing, stdout="SHA-1 hash: " + "AB" * 20)
        fp.register(
            [security, "add-trusted-cert", *domain, "-r", "trustRoot", "-k", keychain, "ca.crt"]
        )
        fp.register(listing, stdout=f"SHA-1 hash: {ca.sha1}", occurrences=2)
        fp.register(verifying, stdout="...certificate verification successful.", occurrences=2)
        assert installed(desk, [store], ca) == [Presence.TRUSTED]
        fp.register([security, "remove-trusted-cert", *domain, "ca.crt"])
        fp.register([security, "delete-certificate", "-Z", ca.sha1, keychain])
        fp.register(listing, stdout="SHA-1 hash: " + "AB" * 20)
        assert removed(desk, [store], ca) == [Presence.ABSENT]


def test_a_certificate_in_the_keychain_that_is_not_trusted_is_told_apart(
    root: Path, tmp_path: Path, fp: FakeProcess
) -> None:
    fp.allow_unregistered(True)
    security = str(tmp_path / "usr/bin/security")
    keychain = str(tmp_path / "Library/Keychains/System.keychain")
    with desk_with(root) as (desk, ca):
        fp.register(
            [security, "find-certificate", "-a", "-Z", keychain], stdout=f"SHA-1 hash: {ca.sha1}"
        )
        fp.register([security, "verify-cert", "-l", "-L", "-c", "ca.crt"], returncode=1)
        store = KeychainStore(host(tmp_path, "darwin"), user=False)
        assert store.look(desk, ca).presence is Presence.DISTRUSTED
